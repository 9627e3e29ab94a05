import Triwire

/// One connection of the null server: it speaks just enough of a transport for our own client.
///
/// Nothing is checked, nothing is counted, nothing is kept for later: what is left is about the least
/// work with which the same bytes can be answered. Belongs to one loop.
final class NullConnection {
  /// What it carries.
  private enum Form {
    case unknown
    case webSocket
    case eventStream
    /// Polls, or POSTs.
    case exchanges
  }

  /// What came over it.
  typealias Taker = (_ kind: MessageKind, _ message: Span<UInt8>, _ client: Int) -> Void

  private let stream: PlainStream
  private let taken: Taker
  private let opened: (NullConnection, Int) -> Void
  private var form = Form.unknown
  private var client = -1
  private var input: [UInt8] = []
  /// Records for the next poll, and whether one waits.
  private var records: [UInt8] = []
  private var isPolled = false

  /// The most a client may send before it is complete: a message and its head.
  private static let inputBytes = 4 << 20

  init(
    _ stream: PlainStream, opened: @escaping (NullConnection, Int) -> Void,
    _ taken: @escaping Taker
  ) {
    self.stream = stream
    self.opened = opened
    self.taken = taken
    stream.onBytes = { [unowned self] bytes in received(bytes) }
  }

  /// Sends a message the way the client wants it.
  func send(_ kind: MessageKind, _ message: Span<UInt8>) {
    switch form {
    case .webSocket, .eventStream: stream.send(encoded(kind, message).span)
    case .exchanges:
      NullFraming.appendRecord(kind, message, to: &records)
      if isPolled { answerPoll() }
    case .unknown: break
    }
  }

  /// A message for all clients of this form, encoded once; `nil` where each answer is another.
  func encoded(_ kind: MessageKind, _ message: Span<UInt8>) -> [UInt8] {
    form == .webSocket ? NullFraming.frame(kind, message) : NullFraming.event(kind, message)
  }

  /// Whether all connections of its kind take the same bytes.
  var isStream: Bool { form == .webSocket || form == .eventStream }

  /// Sends what ``encoded(_:_:)`` made.
  func sendThrough(_ bytes: Span<UInt8>) { stream.sendThrough(bytes) }

  private func received(_ bytes: Span<UInt8>) {
    for index in bytes.indices { input.append(bytes[index]) }
    guard input.count <= NullConnection.inputBytes else { return stream.abort() }
    var offset = 0
    while let end = form == .webSocket ? frame(at: offset) : exchange(at: offset) { offset = end }
    input.removeFirst(offset)
  }

  /// Takes one frame (RFC 6455 §5.2), and returns where it ends.
  private func frame(at start: Int) -> Int? {
    guard let frame = NullFraming.Frame(in: input, at: start) else { return nil }
    var payload = [UInt8](repeating: 0, count: frame.length)
    for index in 0..<frame.length {
      payload[index] = input[frame.payload + index] ^ input[frame.payload - 4 + index & 3]
    }
    if frame.opcode == 1 || frame.opcode == 2 {
      taken(frame.opcode == 1 ? .text : .binary, payload.span, client)
    }
    return frame.payload + frame.length
  }

  /// Takes one request, and returns where it ends.
  private func exchange(at start: Int) -> Int? {
    guard let head = NullFraming.Head(in: input, at: start) else { return nil }
    let end = head.end + head.contentLength
    guard input.count >= end else { return nil }
    if head.isPost {
      post(head, upTo: end)
      return end
    }
    if client < 0 { open(head) }
    if form == .exchanges {
      isPolled = true
      if !records.isEmpty { answerPoll() }
    }
    return end
  }

  private func open(_ head: NullFraming.Head) {
    client = head.client
    if let key = head.key {
      form = .webSocket
      stream.send(
        ("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
          + "sec-websocket-accept: \(PlainStream.webSocketAnswer(to: key))\r\n\r\n").utf8Bytes.span)
    } else if head.wantsEvents {
      form = .eventStream
      stream.send(
        ("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
          + "transfer-encoding: chunked\r\n\r\n").utf8Bytes.span)
    } else {
      form = .exchanges
    }
    opened(self, client)
  }

  private func post(_ head: NullFraming.Head, upTo end: Int) {
    if form == .unknown { form = .exchanges }
    let body = Array(input[head.end..<end])
    if head.isBatch {
      var offset = 0
      while let record = NullFraming.record(in: body, at: &offset) {
        taken(record.kind, body.span.extracting(record.range), head.client)
      }
    } else {
      taken(head.isBinary ? .binary : .text, body.span, head.client)
    }
    stream.send(NullConnection.posted.span)
  }

  private static let posted = "HTTP/1.1 204 No Content\r\n\r\n".utf8Bytes

  private func answerPoll() {
    isPolled = false
    var answer =
      ("HTTP/1.1 200 OK\r\ncontent-type: application/vnd.triwire.batch\r\n"
      + "triwire-cursor: null.1\r\ncontent-length: \(records.count)\r\n\r\n").utf8Bytes
    answer += records
    records.removeAll(keepingCapacity: true)
    stream.send(answer.span)
  }
}

extension String {
  fileprivate var utf8Bytes: [UInt8] { Array(utf8) }
}
