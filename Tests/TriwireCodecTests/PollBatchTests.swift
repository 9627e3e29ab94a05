import Testing
import TriwireCodec

/// A message out of a batch.
struct BatchMessage: Equatable {
  var kind: PollBatch.Kind
  var bytes: [UInt8]
}

/// A parser fed with arrivals, what came of it, and what it left.
func batch(
  _ arrivals: [ArraySlice<UInt8>], messageBytes: Int = 1 << 20
) -> (messages: [BatchMessage], violation: HTTPViolation?, left: [UInt8]) {
  var parser = PollBatchParser(messageBytes: messageBytes)
  var messages: [BatchMessage] = []
  var feed = Feed()
  do throws(HTTPViolation) {
    for arrival in arrivals {
      try feed.receive(arrival) { (input, offset) throws(HTTPViolation) in
        while let record = try parser.nextEvent(in: input, at: &offset) {
          messages.append(BatchMessage(kind: record.kind, bytes: record.payload.map { input[$0] }))
        }
      }
    }
  } catch {
    return (messages, error, feed.kept)
  }
  return (messages, nil, feed.kept)
}

func record(_ kind: PollBatch.Kind, _ payload: [UInt8]) -> [UInt8] {
  written(capacity: PollBatch.headCount(payload.count) + payload.count) {
    PollBatch.write(kind, payload.span, into: &$0)
  }
}

@Suite("Poll batches")
struct PollBatchTests {
  @Test("A record is its length and kind in one number, and its payload")
  func records() {
    #expect(record(.text, Array("hi".utf8)) == [2 << 2, 0x68, 0x69])
    #expect(record(.binary, [7]) == [1 << 2 | 1, 7])
    #expect(record(.text, []) == [0])
    #expect(record(.binary, [UInt8](repeating: 0, count: 32)).prefix(2) == [0x81, 0x01])
  }

  @Test(
    "A head takes as few bytes as its length needs",
    arguments: [
      (0, 1), (31, 1), (32, 2), (4095, 2), (4096, 3), (1 << 19, 4), (1 << 20, 4), (1 << 60, 9),
      (Int.max >> 1, 10),
    ])
  func headCount(length: Int, expected: Int) {
    #expect(PollBatch.headCount(length) == expected)
    let head = written(capacity: 10) { PollBatch.writeHead(.binary, length: length, into: &$0) }
    #expect(head.count == expected)
  }

  @Test("Messages of both kinds come back as they were, at every cut")
  func roundTrip() {
    let messages = [
      BatchMessage(kind: .text, bytes: Array("héllo".utf8)), BatchMessage(kind: .binary, bytes: []),
      BatchMessage(kind: .binary, bytes: [UInt8](repeating: 0xFF, count: 40)),
      BatchMessage(kind: .text, bytes: []),
    ]
    let bytes = messages.flatMap { record($0.kind, $0.bytes) }
    for arrivals in Cuts.all(bytes + [0x0C, 0x61]) {
      let (read, violation, left) = batch(arrivals)
      #expect(read == messages && violation == nil && left == [0x0C, 0x61])
    }
  }

  @Test(
    "A malformed head is refused with 400",
    arguments: [
      [2], [3], [0x82, 0x01], [0x80, 0x00], [0x84, 0x80, 0x00],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02],
      [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    ] as [[UInt8]])
  func malformed(bytes: [UInt8]) {
    for arrivals in Cuts.all(bytes) { #expect(batch(arrivals).violation?.status == .badRequest) }
  }

  @Test("A message over the limit is refused with 413 at its head")
  func limit() {
    let allowed = record(.text, [UInt8](repeating: 0x61, count: 50))
    #expect(batch([allowed[...]], messageBytes: 50).messages.count == 1)
    let violation = batch([allowed[..<2]], messageBytes: 49).violation
    #expect(violation?.status == .contentTooLarge)
    #expect(violation?.message == "message is 50 bytes, limit is 49: raise limits.messageBytes")
  }

  @Test("Mutated batches give the same messages at other cuts, and never a trap", arguments: 0..<4)
  func mutations(round: UInt64) {
    var generator = SeededGenerator(seed: 4000 + round)
    let seed =
      record(.text, Array("hello".utf8)) + record(.binary, [UInt8](repeating: 1, count: 40))
    for _ in 0..<1000 {
      let bytes = mutated(seed + seed, using: &generator)
      let whole = batch([bytes[...]])
      let cut = batch(Cuts.random(bytes, using: &generator))
      #expect(whole.messages == cut.messages && whole.violation == cut.violation)
    }
  }
}

@Suite("JSON batches")
struct JSONBatchWriterTests {
  private func element(_ kind: PollBatch.Kind, _ bytes: [UInt8], isFirst: Bool = true) -> String {
    let capacity = JSONBatchWriter.byteCount(kind, bytes.span) + (isFirst ? 0 : 1)
    let element = written(capacity: capacity) {
      JSONBatchWriter.write(kind, bytes.span, isFirst: isFirst, into: &$0)
    }
    #expect(element.count == capacity)
    return text(element)
  }

  @Test("Text is a string, binary an object, and a comma goes before all but the first")
  func elements() {
    #expect(element(.text, Array("hi".utf8)) == "\"hi\"")
    #expect(element(.text, [], isFirst: false) == ",\"\"")
    #expect(element(.binary, [0x66, 0x6F], isFirst: false) == ",{\"base64\":\"Zm8=\"}")
    #expect(element(.binary, []) == "{\"base64\":\"\"}")
  }

  @Test("What has to be escaped is, and everything else is left as it is (RFC 8259 §7)")
  func escapes() {
    #expect(element(.text, Array("\"\\/\u{8}\u{C}\n\r\t".utf8)) == #""\"\\/\b\f\n\r\t""#)
    #expect(element(.text, [0, 0x0B, 0x1F, 0x7F]) == "\"\\u0000\\u000b\\u001f\u{7F}\"")
    #expect(element(.text, Array("é\u{2028}😀".utf8)) == "\"é\u{2028}😀\"")
    for byte in UInt8.min..<0x80 {
      for padding in 0..<9 {
        let before = [UInt8](repeating: 0x61, count: padding)
        let isPlain = byte >= 0x20 && byte != 0x22 && byte != 0x5C
        let count = element(.text, before + [byte]).utf8.count
        #expect((count == padding + 3) == isPlain)
      }
    }
  }
}
