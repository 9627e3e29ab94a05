import Testing
import TriwireCodec

/// What a parser made of a stream, however it arrived.
enum StreamObserved: Equatable {
  case event(ServerSentEvent)
  case comment
  case violation
}

/// A parser fed with arrivals: it keeps what it needs, so nothing is presented again.
func stream(
  _ arrivals: [ArraySlice<UInt8>], eventBytes: Int = 1000
) -> (observed: [StreamObserved], parser: EventStreamParser) {
  var parser = EventStreamParser(eventBytes: eventBytes)
  var observed: [StreamObserved] = []
  do throws(EventStreamViolation) {
    for arrival in arrivals {
      let input = Array(arrival)
      var offset = 0
      while let event = try parser.nextEvent(in: input.span, at: &offset) {
        switch event {
        case .event(let event): observed.append(.event(event))
        case .comment: observed.append(.comment)
        }
      }
      precondition(offset == input.count, "a parser consumes all of its input")
    }
  } catch {
    observed.append(.violation)
  }
  return (observed, parser)
}

@Suite("Event stream parser")
struct EventStreamParserTests {
  private func expect(
    _ input: String, gives expected: [StreamObserved],
    at location: SourceLocation = #_sourceLocation
  ) {
    for arrivals in Cuts.all(Array(input.utf8)) {
      let observed = stream(arrivals).observed
      #expect(observed == expected, sourceLocation: location)
      if observed != expected { return }
    }
  }

  private func message(
    _ data: String, type: String = "message", id: String = "", retry: Int? = nil
  ) -> StreamObserved {
    .event(ServerSentEvent(type: type, data: data, id: id, retry: retry))
  }

  @Test("Lines end with LF, CR or CRLF, at every cut (WHATWG HTML §9.2.5)")
  func lineEnds() {
    for end in ["\n", "\r", "\r\n"] {
      expect(
        ["data: a", "data: b", "", "data: c", "", ""].joined(separator: end),
        gives: [message("a\nb"), message("c")])
    }
    expect("data: a\r\n\rdata: b\n\r\n", gives: [message("a"), message("b")])
  }

  @Test("The examples of the standard (WHATWG HTML §9.2.6)")
  func examples() {
    expect(
      "data: YHOO\ndata: +2\ndata: 10\n\n", gives: [message("YHOO\n+2\n10")])
    expect(
      ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
      gives: [
        .comment, message("first event", id: "1"), message("second event"),
        message(" third event"),
      ])
    expect("data\n\ndata\ndata\n\ndata:", gives: [message(""), message("\n")])
    expect("data:test\n\ndata: test\n\n", gives: [message("test"), message("test")])
  }

  @Test("A BOM counts at the very start and nowhere else (WHATWG HTML §9.2.5)")
  func byteOrderMark() {
    expect("\u{FEFF}data: a\n\n", gives: [message("a")])
    expect("\u{FEFF}\u{FEFF}data: a\n\ndata: b\n\n", gives: [message("b")])
    expect("\n\u{FEFF}data: a\n\ndata: \u{FEFF}b\n\n", gives: [message("\u{FEFF}b")])
    expect("\u{FEFF}\n\ndata: c\n\n", gives: [message("c")])
  }

  @Test("An id persists, and one with NUL is ignored (WHATWG HTML §9.2.6)")
  func ids() {
    expect(
      "id: 7\ndata: a\n\ndata: b\n\nid: x\0y\ndata: c\n\nid:\ndata: d\n\n",
      gives: [
        message("a", id: "7"), message("b", id: "7"), message("c", id: "7"), message("d"),
      ])
  }

  @Test("An id counts from the end of its event on, even of one without data (WHATWG HTML §9.2.6)")
  func lastEventID() {
    #expect(stream([Array("id: 7\ndata: a\n".utf8)[...]]).parser.lastEventID.isEmpty)
    #expect(stream([Array("id: 7\n\n".utf8)[...]]).parser.lastEventID == "7")
    #expect(stream([Array("id: 7\n\n".utf8)[...]]).observed.isEmpty)
    #expect(EventStreamParser(lastEventID: "5").lastEventID == "5")
  }

  @Test("A type counts for one event, an empty one for none (WHATWG HTML §9.2.6)")
  func types() {
    expect(
      "event: tick\ndata: a\n\ndata: b\n\nevent: x\n\ndata: c\n\nevent: x\nevent:\ndata: d\n\n",
      gives: [message("a", type: "tick"), message("b"), message("c"), message("d")])
  }

  @Test("Retry takes digits only, and counts at once (WHATWG HTML §9.2.6)")
  func retry() {
    expect(
      "retry: 1500\ndata: a\n\nretry: 1s\ndata: b\n\nretry:\nretry: -1\ndata: c\n\n",
      gives: [message("a", retry: 1500), message("b"), message("c")])
    #expect(stream([Array("retry: 20\n".utf8)[...]]).parser.reconnectionTime == 20)
  }

  @Test("Unknown fields are ignored, and names have their case (WHATWG HTML §9.2.6)")
  func unknownFields() {
    expect("Data: a\nfoo: b\n data: c\ndata : d\n\ndata: e\n\n", gives: [message("e")])
  }

  @Test("An event that the end cuts off is dropped (WHATWG HTML §9.2.6)")
  func unfinished() {
    expect("data: a\n\ndata: b\n", gives: [message("a")])
  }

  @Test("Comments are told and counted, bytes that are not UTF-8 are replaced")
  func comments() {
    expect(":\n\n: a\n:b\n\n", gives: [.comment, .comment, .comment])
    #expect(stream([Array(":\n\n: a\n".utf8)[...]]).parser.commentBytes == 6)
    let invalid: [UInt8] = Array("data: ".utf8) + [0xFF] + Array("\n\n".utf8)
    #expect(stream([invalid[...]]).observed == [message("\u{FFFD}")])
  }

  @Test("An event over its limit is a violation wherever its bytes are cut")
  func limit() {
    for (input, isAllowed) in [
      ("data: abc\n\ndata: abc\n\n", true), ("data: abcd\n\n", false),
      ("data: ab\ndata: a\n\n", true), ("data: ab\ndata: ab\n\n", false),
      (": abcdefg\n", true), (": abcdefgh\n", false), ("abcdefghij", false),
    ] {
      for arrivals in Cuts.all(Array(input.utf8)) {
        let observed = stream(arrivals, eventBytes: 9).observed
        #expect((observed.last != .violation) == isAllowed, "\(input.debugDescription)")
      }
    }
    #expect(EventStreamViolation(limit: 9).description.contains("raise limits.eventBytes"))
  }

  @Test("Mutated streams give the same events at other cuts, and never a trap", arguments: 0..<4)
  func mutations(round: UInt64) {
    var generator = SeededGenerator(seed: 2000 + round)
    let seed = Array(
      "\u{FEFF}: hi\r\nid: 1\r\nevent: tick\r\ndata: a\r\ndata: é\r\n\r\nretry: 5\rdata\r\r".utf8)
    for _ in 0..<1000 {
      let bytes = mutated(seed, using: &generator)
      #expect(
        stream([bytes[...]]).observed == stream(Cuts.random(bytes, using: &generator)).observed)
    }
  }
}

@Suite("Event stream writer")
struct EventStreamWriterTests {
  private func event(
    _ data: String, event: String? = nil, id: String? = nil, retry: Int? = nil
  ) throws(EventStreamFieldError) -> String {
    let data = Array(data.utf8)
    let count = EventStreamWriter.byteCount(data: data.span, event: event, id: id, retry: retry)
    let bytes = try written(capacity: count) { (output) throws(EventStreamFieldError) in
      try EventStreamWriter.write(
        data: data.span, event: event, id: id, retry: retry, into: &output)
    }
    #expect(bytes.count == count)
    return text(bytes)
  }

  @Test("A plain message costs eight bytes, and its id five and itself more")
  func plain() throws {
    #expect(try event("hello") == "data: hello\n\n")
    #expect(try event("") == "data: \n\n")
    #expect(try event("hello", id: "42") == "id: 42\ndata: hello\n\n")
    #expect(
      try event("a", event: "tick", id: "", retry: 250)
        == "id: \nevent: tick\nretry: 250\ndata: a\n\n")
  }

  @Test("Data is cut into lines at CR, LF and CRLF (WHATWG HTML §9.2.5)")
  func lines() throws {
    #expect(try event("a\nb\r\nc\rd") == "data: a\ndata: b\ndata: c\ndata: d\n\n")
    #expect(try event("\n") == "data: \ndata: \n\n")
    #expect(try event("\r\n\r") == "data: \ndata: \ndata: \n\n")
    #expect(try event("a\n\nid: 7\n") == "data: a\ndata: \ndata: id: 7\ndata: \n\n")
  }

  @Test("An id or a name that would begin another field is refused (WHATWG HTML §9.2.6)")
  func injection() {
    for bad in ["a\nb", "a\rb", "\r\n", "a\0"] {
      #expect(throws: EventStreamFieldError.id(bad)) { try event("x", id: bad) }
    }
    for bad in ["a\nb", "a\rb", "\ndata: x"] {
      #expect(throws: EventStreamFieldError.event(bad)) { try event("x", event: bad) }
    }
  }

  @Test("A comment is a line of its own and dispatches nothing")
  func comment() {
    #expect(text(written { EventStreamWriter.writeComment(into: &$0) }) == ": \n\n")
    #expect(text(written { EventStreamWriter.writeComment("x", into: &$0) }) == ": x\n\n")
    #expect(text(written { EventStreamWriter.writeComment("hi", into: &$0) }) == ": hi\n\n")
    #expect(text(written { EventStreamWriter.writeRetry(1000, into: &$0) }) == "retry: 1000\n")
  }

  @Test(
    "What the writer writes the parser reads, and only CR does not survive",
    arguments: [
      "", "a", " a", "a\nb", "\n", "\n\n\n", ": a", "data: a", "é\u{FEFF}", "a\0b", "a\rb",
    ])
  func roundTrip(data: String) throws {
    let bytes = Array(try event(data, event: "tick", id: "7", retry: 5).utf8)
    let isPreserved = EventStreamWriter.isPreserved(Array(data.utf8).span)
    #expect(isPreserved == !data.utf8.contains(13))
    let expected = String(
      decoding: data.utf8.map { $0 == 13 ? 10 : $0 }, as: UTF8.self)
    for arrivals in Cuts.all(bytes) {
      #expect(
        stream(arrivals).observed == [
          .event(ServerSentEvent(type: "tick", data: expected, id: "7", retry: 5))
        ])
    }
  }
}
