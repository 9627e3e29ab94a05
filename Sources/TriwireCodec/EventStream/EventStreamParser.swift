/// What an event stream brings.
package enum EventStreamEvent: Equatable, Sendable {
  /// An event to hand on.
  case event(ServerSentEvent)
  /// A comment, which servers send to keep a quiet connection alive.
  case comment
}

/// Turns the bytes of an event stream into events (WHATWG HTML §9.2.6).
///
/// The lines of an event may lie in several pieces of a response body, so the parser keeps what it
/// needs: it consumes all of its input, and gives nil when there is none left. What is not
/// dispatched when the stream ends is dropped, as the standard says. It is decoded as UTF-8, with
/// U+FFFD for what is not.
package struct EventStreamParser: Sendable {
  /// The most bytes of one event, its unfinished line included; 2 MiB by default.
  ///
  /// It holds a message of 1 MiB in base64, and what an event stream may make a client keep.
  package let eventBytes: Int
  /// The id to send as `Last-Event-ID` when connecting again; changes when an event ends.
  package private(set) var lastEventID: String
  /// The reconnection time in milliseconds that the server asked for last.
  package private(set) var reconnectionTime: Int?
  /// The bytes of comments, their framing included; what they cost a reader.
  package private(set) var commentBytes = 0

  /// The start of a line whose end has not come.
  private var partial: [UInt8] = []
  private var data: [UInt8] = []
  private var hasData = false
  private var type: [UInt8] = []
  private var id: String
  private var retry: Int?
  private var isAtStart = true
  /// The last byte was a CR, so that an LF now belongs to it.
  private var isAfterCR = false

  /// Creates a parser at the start of a stream; after a reconnection with the last id so far.
  package init(eventBytes: Int = 2 << 20, lastEventID: String = "") {
    self.eventBytes = eventBytes
    self.lastEventID = lastEventID
    id = lastEventID
  }

  /// The next event in `input` from `offset` on, or nil when all of it is consumed.
  ///
  /// - Throws: `EventStreamViolation` if an event is over `eventBytes`: the server's fault.
  package mutating func nextEvent(
    in input: Span<UInt8>, at offset: inout Int
  ) throws(EventStreamViolation) -> EventStreamEvent? {
    while offset < input.count {
      if isAfterCR {
        isAfterCR = false
        if input[offset] == Byte.lf {
          offset += 1
          continue
        }
      }
      guard let end = input.firstLineBreak(from: offset) else {
        try hold(input, offset..<input.count)
        offset = input.count
        return nil
      }
      let line = offset..<end
      isAfterCR = input[end] == Byte.cr
      offset = end + 1
      if let event = try finish(input, line) { return event }
    }
    return nil
  }

  private mutating func hold(
    _ input: Span<UInt8>, _ range: Range<Int>
  ) throws(EventStreamViolation) {
    try check(partial.count + range.count)
    partial.append(copying: input.extracting(range))
  }

  private func check(_ lineBytes: Int) throws(EventStreamViolation) {
    guard data.count + lineBytes <= eventBytes else {
      throw EventStreamViolation(limit: eventBytes)
    }
  }

  /// Ends a line, whose first part may be held.
  private mutating func finish(
    _ input: Span<UInt8>, _ line: Range<Int>
  ) throws(EventStreamViolation) -> EventStreamEvent? {
    if partial.isEmpty {
      try check(line.count)
      return process(input, line)
    }
    try hold(input, line)
    let whole = partial
    partial.removeAll(keepingCapacity: whole.count <= 4096)
    return process(whole.span, 0..<whole.count)
  }

  private mutating func process(_ bytes: Span<UInt8>, _ range: Range<Int>) -> EventStreamEvent? {
    var line = range
    if isAtStart {
      isAtStart = false
      // §9.2.5: stream = [ bom ] *event, so a BOM counts at the very start only.
      if line.count >= 3, bytes[line.lowerBound] == 0xEF, bytes[line.lowerBound + 1] == 0xBB,
        bytes[line.lowerBound + 2] == 0xBF
      {
        line = line.lowerBound + 3..<line.upperBound
      }
    }
    guard let first = line.first else { return dispatch() }
    if bytes[first] == Byte.colon {
      commentBytes += line.count + 1
      return .comment
    }
    var nameEnd = first
    while nameEnd < line.upperBound, bytes[nameEnd] != Byte.colon { nameEnd &+= 1 }
    // A field without a colon has an empty value; one space after the colon is not part of it.
    var value = min(nameEnd + 1, line.upperBound)..<line.upperBound
    if let start = value.first, bytes[start] == Byte.space { value = start + 1..<line.upperBound }
    field(bytes, name: first..<nameEnd, value: value)
    return nil
  }

  private mutating func field(_ bytes: Span<UInt8>, name: Range<Int>, value: Range<Int>) {
    if bytes.spells("data", in: name) {
      if hasData { data.append(Byte.lf) }
      hasData = true
      data.append(copying: bytes.extracting(value))
    } else if bytes.spells("event", in: name) {
      type.removeAll(keepingCapacity: true)
      type.append(copying: bytes.extracting(value))
    } else if bytes.spells("id", in: name) {
      // §9.2.6: an id with NUL is ignored, as it could not be sent back in a header.
      if bytes.firstIndex(of: 0, from: value.lowerBound).map({ $0 < value.upperBound }) != true {
        id = bytes.repairedText(in: value)
      }
    } else if bytes.spells("retry", in: name), let time = bytes.decimal(in: value) {
      retry = time
      reconnectionTime = time
    }
  }

  /// An empty line: the event ends; it is handed on if it had a data field.
  private mutating func dispatch() -> EventStreamEvent? {
    lastEventID = id
    defer {
      data.removeAll(keepingCapacity: data.count <= 4096)
      type.removeAll(keepingCapacity: true)
      hasData = false
      retry = nil
    }
    guard hasData else { return nil }
    return .event(
      ServerSentEvent(
        type: type.isEmpty ? "message" : type.span.repairedText(in: 0..<type.count),
        data: data.span.repairedText(in: 0..<data.count), id: id, retry: retry))
  }
}
