import TriwireCodec
import TriwireIO

/// The way up of event streams and long polling on the server: takes POSTs, and answers each when
/// the session has room for more.
///
/// Belongs to the session's loop.
final class PostReceiver {
  private let limits: SharedLimits
  private var waiting: [ServerConnection] = []
  /// POSTs of a resumable session that came before what goes before them.
  private var early: [(offset: UInt64, post: ServerConnection.Post, items: [Item])] = []
  /// What POSTs and their answers moved.
  private(set) var sent = Ledger()
  private(set) var received = Ledger()
  /// The connections that served the session.
  private var connections: [ServerConnection] = []
  private var retired = StreamCounters()

  init(limits: SharedLimits) { self.limits = limits }

  /// When POSTs are answered that wait for the reader: a client that gets no answer in time takes
  /// the way up for blocked.
  private var patience: Alarm?
  private static let patienceNanoseconds: UInt64 = 4_000_000_000
  /// The same while the reader waits to send, and what it waits for may come with the next POST.
  private static let hasteNanoseconds: UInt64 = 20_000_000

  /// More POSTs than these are not kept until their turn comes, nor more bytes than may wait to be
  /// sent.
  private static let mostEarly = 8
  /// When what came too early is sent back, as what goes before it did not come.
  private var earlyDeadline: Alarm?

  /// Delivers what a POST carries and answers it.
  ///
  /// In a resumable session the first message of it has an offset: what was taken before is left
  /// out, and what comes too early waits.
  func receive(
    _ post: ServerConnection.Post, for session: Session?, at offset: UInt64? = nil
  ) {
    note(post.connection)
    received.http += UInt64(post.headBytes)
    guard let session else {
      return respond(post.connection, Response(.gone, text: "the session has ended"))
    }
    do {
      let items = try messages(of: post)
      for item in items {
        received.messages += 1
        received.payload += UInt64(item.range.count)
        received.framing += UInt64(item.overhead)
      }
      if let offset, let link = session.link {
        takeInTurn(post, items, offset, link)
      } else {
        var hasRoom = true
        for item in items {
          hasRoom = session.deliver(item.kind, post.body.span.extracting(item.range))
        }
        settle(post, hasRoom)
      }
    } catch {
      received.framing += UInt64(post.body.count)
      respond(post.connection, Response(error.status, text: error.message))
      // It would come again, and what follows it must not come before it.
      let code: CloseCode = error.status == .contentTooLarge ? .messageTooBig : .invalidPayload
      session.link?.finish(SessionEnd(code: code, reason: error.message, isLocal: true))
    }
  }

  private func settle(_ post: ServerConnection.Post, _ hasRoom: Bool, _ link: SessionLink? = nil) {
    guard !hasRoom else { return respond(post.connection, Response(.noContent)) }
    waiting.append(post.connection)
    guard let link else { return }
    let patience = patience ?? Alarm(link.loop)
    self.patience = patience
    if !patience.isSet {
      patience.set(after: Self.patienceNanoseconds) { [unowned self] in answerWaiting() }
    }
    if link.isCongested { link.senderWaits() }
  }

  /// Answers soon what waits for the reader, who waits for what the next POST says.
  func hasten() {
    guard !waiting.isEmpty, let patience else { return }
    patience.set(after: Self.hasteNanoseconds) { [unowned self] in answerWaiting() }
  }

  private func takeInTurn(
    _ post: ServerConnection.Post, _ items: [Item], _ offset: UInt64, _ link: SessionLink
  ) {
    if let session = link.session, session.isHeldBack,
      session.unreadBytes >= session.limits.queuedBytesHard
    {
      let text = "\(session.unreadBytes) bytes wait for the reader: send this again later"
      return respond(post.connection, Response(.serviceUnavailable, text: text))
    }
    guard offset <= link.received + 1 else { return keepEarly(post, items, offset, link) }
    take(post, items, offset, link)
    while let index = early.firstIndex(where: { $0.offset <= link.received + 1 }) {
      let next = early.remove(at: index)
      take(next.post, next.items, next.offset, link)
    }
    if early.isEmpty { earlyDeadline?.cancel() }
  }

  private func keepEarly(
    _ post: ServerConnection.Post, _ items: [Item], _ offset: UInt64, _ link: SessionLink
  ) {
    let bytes = early.reduce(post.body.count) { $0 + $1.post.body.count }
    let hasRoom = early.isEmpty || bytes <= limits.value.queuedBytesHard
    guard early.count < Self.mostEarly, hasRoom else {
      return sendBack(post, offset, link)
    }
    early.append((offset, post, items))
    let deadline = earlyDeadline ?? Alarm(link.loop)
    earlyDeadline = deadline
    guard !deadline.isSet else { return }
    deadline.set(after: Self.patienceNanoseconds) { [unowned self, unowned link] in
      let late = early
      early = []
      for one in late { sendBack(one.post, one.offset, link) }
    }
  }

  private func sendBack(_ post: ServerConnection.Post, _ offset: UInt64, _ link: SessionLink) {
    let text = "message \(offset) comes before \(link.received + 1): send that first"
    respond(post.connection, Response(.conflict, text: text))
  }

  private func take(
    _ post: ServerConnection.Post, _ items: [Item], _ offset: UInt64, _ link: SessionLink
  ) {
    var hasRoom = true
    link.bring(from: offset) {
      for item in items {
        hasRoom = link.take(item.kind, post.body.span.extracting(item.range))
      }
    }
    settle(post, hasRoom, link)
  }

  /// Answers the POSTs that had to wait.
  func resume() {
    patience?.cancel()
    answerWaiting()
  }

  private func answerWaiting() {
    let connections = waiting
    waiting = []
    for connection in connections { respond(connection, Response(.noContent)) }
  }

  /// The session is gone: what waits is told so.
  func end() {
    let connections = waiting + early.map(\.post.connection)
    patience?.cancel()
    earlyDeadline?.cancel()
    waiting = []
    early = []
    for connection in connections {
      respond(connection, Response(.gone, text: "the session has ended"))
    }
    self.connections = []
  }

  private func respond(_ connection: ServerConnection, _ response: Response) {
    let before = connection.stream.writtenBytes
    connection.respond(response)
    sent.http += connection.stream.writtenBytes - before
  }

  /// Notes that a connection serves the session.
  func note(_ connection: ServerConnection) {
    if connections.contains(where: { $0 === connection }) { return }
    letGoOfClosed()
    connections.append(connection)
  }

  /// Keeps nothing more of connections that have ended than what they counted.
  func letGoOfClosed() {
    for gone in connections where !gone.stream.isOpen { retired = retired + gone.stream.counters }
    connections.removeAll { !$0.stream.isOpen }
    if connections.isEmpty { connections = [] }
  }

  /// Whether no connection serves the session, and nothing waits.
  var isIdle: Bool { connections.isEmpty && waiting.isEmpty && early.isEmpty }

  /// Counts what another one counted, which is let go of.
  func absorb(_ other: PostReceiver) {
    sent = sent + other.sent
    received = received + other.received
  }

  /// What the noted connections counted; those that ended stand together in the first place.
  var streams: [StreamCounters] {
    (retired == StreamCounters() ? [] : [retired]) + connections.map(\.stream.counters)
  }

  var kernel: [KernelCounters] { connections.compactMap { $0.stream.kernelCounters() } }

  private struct Item {
    let kind: MessageKind
    let range: Range<Int>
    let overhead: Int
  }

  /// All of a body is checked before any of it is delivered.
  private func messages(of post: ServerConnection.Post) throws(HTTPViolation) -> [Item] {
    let body = post.body.span
    switch post.head.headers.mediaType {
    case PollBatch.mediaType: return try records(body)
    case "application/octet-stream":
      try check(.binary, body)
      return [Item(kind: .binary, range: 0..<body.count, overhead: 0)]
    default:
      try check(.text, body)
      return [Item(kind: .text, range: 0..<body.count, overhead: 0)]
    }
  }

  private func records(_ body: Span<UInt8>) throws(HTTPViolation) -> [Item] {
    var parser = PollBatchParser(messageBytes: limits.value.messageBytes)
    var items: [Item] = []
    var offset = 0
    var start = 0
    while let record = try parser.nextEvent(in: body, at: &offset) {
      let kind = MessageKind(record.kind)
      try check(kind, body.extracting(record.payload))
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

  private func check(
    _ kind: MessageKind, _ payload: Span<UInt8>
  ) throws(HTTPViolation) {
    let limit = limits.value.messageBytes
    guard payload.count <= limit else {
      throw HTTPViolation(
        .contentTooLarge,
        "message is \(payload.count) bytes, limit is \(limit): raise limits.messageBytes")
    }
    if kind == .text, let fault = UTF8Validator.fault(in: payload) {
      throw HTTPViolation(
        .badRequest, "a text message \(fault): send content-type application/octet-stream")
    }
  }
}
