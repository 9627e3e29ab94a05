import TriwireCodec

/// The way up of event streams and long polling on the server: takes POSTs, and answers each when
/// the session has room for more.
struct PostReceiver {
  private var waiting: [ServerConnection] = []

  /// Delivers what a POST carries and answers it.
  ///
  /// - Parameter ledger: Gets what the request moved.
  mutating func receive(
    _ post: ServerConnection.Post, for session: Session, limits: SessionLimits,
    ledger: inout Ledger
  ) {
    ledger.http += UInt64(post.headBytes)
    do {
      var isOpen = true
      for message in try Self.messages(of: post, limits: limits) {
        ledger.messages += 1
        ledger.payload += UInt64(message.count)
        ledger.framing &+= UInt64(message.overhead)
        isOpen = session.deliver(message.kind, post.body.span.extracting(message.range))
      }
      if isOpen {
        post.connection.respond(Response(.noContent))
      } else {
        waiting.append(post.connection)
      }
    } catch {
      post.connection.respond(Response(error.status, text: error.message))
    }
  }

  /// Answers the POSTs that had to wait.
  mutating func resume() {
    let connections = waiting
    waiting = []
    for connection in connections { connection.respond(Response(.noContent)) }
  }

  /// The session is gone: what waits is told so.
  mutating func end() {
    let connections = waiting
    waiting = []
    for connection in connections {
      connection.respond(Response(.gone, text: "the session has ended"))
    }
  }

  private struct Item {
    let kind: MessageKind
    let range: Range<Int>
    let overhead: Int
    var count: Int { range.count }
  }

  /// All of a body is checked before any of it is delivered.
  private static func messages(
    of post: ServerConnection.Post, limits: SessionLimits
  ) throws(HTTPViolation) -> [Item] {
    let body = post.body.span
    switch post.head.headers.mediaType {
    case PollBatch.mediaType: return try records(body, limits)
    case "application/octet-stream":
      try check(.binary, body, limits)
      return [Item(kind: .binary, range: 0..<body.count, overhead: 0)]
    default:
      try check(.text, body, limits)
      return [Item(kind: .text, range: 0..<body.count, overhead: 0)]
    }
  }

  private static func records(
    _ body: Span<UInt8>, _ limits: SessionLimits
  ) throws(HTTPViolation) -> [Item] {
    var parser = PollBatchParser(messageBytes: limits.messageBytes)
    var items: [Item] = []
    var offset = 0
    var start = 0
    while let record = try parser.nextEvent(in: body, at: &offset) {
      let kind = MessageKind(record.kind)
      try check(kind, body.extracting(record.payload), limits)
      items.append(
        Item(
          kind: kind, range: record.payload, overhead: offset - start - record.payload.count))
      start = offset
    }
    guard offset == body.count else {
      throw HTTPViolation(.badRequest, "the batch ends in the middle of a record")
    }
    return items
  }

  private static func check(
    _ kind: MessageKind, _ payload: Span<UInt8>, _ limits: SessionLimits
  ) throws(HTTPViolation) {
    guard payload.count <= limits.messageBytes else {
      throw HTTPViolation(
        .contentTooLarge,
        "message is \(payload.count) bytes, limit is \(limits.messageBytes): "
          + "raise limits.messageBytes")
    }
    guard kind == .binary || (try? UTF8Span(validating: payload)) != nil else {
      throw HTTPViolation(
        .badRequest,
        "a text message is not valid UTF-8: send content-type application/octet-stream")
    }
  }
}
