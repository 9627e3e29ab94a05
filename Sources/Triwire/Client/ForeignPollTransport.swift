import TriwireCodec
import TriwireIO

/// The client's end of a session with a server that knows nothing of sessions: polls that are held or
/// not, one after the other, and POSTs that publish.
final class ForeignPollTransport: ClientTransport, ClientConnectionUser, @unchecked Sendable {
  private let dialer: Dialer
  private let polls: ForeignEndpoints.Polls
  private let posts: PostSender
  private var connection: ClientConnection?
  private var session: Session?
  private var opening: Opening
  private var done: ((Result<Session, OpenFailure>) -> Void)?
  private var sent = Ledger()
  private var received = Ledger()
  private var retired = StreamCounters()
  private var retiredKernel: [KernelCounters] = []
  private var cursor: String?
  private var answer: ResponseHead?
  private var body: [UInt8] = []
  private var askedAt: UInt64 = 0
  /// Whether a server that ended the connection is asked again: not one that answers nothing.
  private var mayReconnect = false

  /// Nanoseconds from one poll to the next where an answer brings nothing: who does not hold polls is
  /// not asked without end.
  private static let pause: UInt64 = 10_000_000

  init(dialer: Dialer, _ polls: ForeignEndpoints.Polls, publish: String, opening: Opening) {
    self.dialer = dialer
    self.polls = polls
    self.opening = opening
    posts = PostSender(dialer: dialer, target: publish)
  }

  var kind: TransportKind { .longPolling }
  var queuedBytes: Int { posts.queuedBytes }

  var traffic: Traffic {
    var traffic = Traffic()
    traffic.sent = sent + posts.sent
    traffic.received = received + posts.received
    traffic.kernel = retiredKernel
    if retired != StreamCounters() { traffic.streams.append(retired) }
    if let connection {
      traffic.streams.append(connection.stream.counters)
      traffic.kernel += connection.stream.kernelCounters().map { [$0] } ?? []
    }
    traffic.streams += posts.streams
    traffic.kernel += posts.kernel
    return traffic
  }

  /// The session is open when its first poll has left: the server may hold it.
  func open(_ stream: ByteStream, _ done: @escaping (Result<Session, OpenFailure>) -> Void) {
    self.done = done
    use(stream)
    let request = dialer.request(.get, polls.target(nil))
    let session = Session(
      carrier: self, request: request, hasParameter: false, loop: dialer.loop,
      shared: dialer.sessionLimits)
    self.session = session
    opening.requested = EventLoop.clock()
    poll()
    guard self.session != nil else { return }
    opening.opened = EventLoop.clock()
    session.setOpening(opening)
    posts.onDrain = { [unowned self] in self.session?.drained(posts.queuedBytes) }
    posts.onFailure = { [unowned self] reason, _ in lose(reason) }
    finishOpening(.success(session))
  }

  func giveUp() { finishOpening(.failure(OpenFailure(reason: "the first poll did not leave"))) }

  private func finishOpening(_ result: Result<Session, OpenFailure>) {
    guard let done else { return }
    self.done = nil
    done(result)
  }

  private func use(_ stream: ByteStream) {
    let connection = ClientConnection(stream: stream, limits: dialer.limits)
    connection.user = self
    self.connection = connection
    sent.http += connection.tunnel.sent
    received.http += connection.tunnel.received
    stream.start(connection)
  }

  private func pollNext() {
    guard session != nil else { return }
    if let connection, connection.canSend { return poll() }
    retire()
    dialer.open { [self] result in
      guard session != nil else {
        if case .success(let stream) = result { stream.abort() }
        return
      }
      switch result {
      case .failure(let error): lose("\(error)")
      case .success(let stream):
        use(stream)
        poll()
      }
    }
  }

  private func poll() {
    guard let connection else { return }
    (answer, body, askedAt) = (nil, [], EventLoop.clock())
    do {
      sent.http += UInt64(try connection.send(dialer.request(.get, polls.target(cursor))))
    } catch {
      lose(error.description)
    }
  }

  func answered(_ connection: ClientConnection, _ head: ResponseHead, bytes: Int) {
    received.http += UInt64(bytes)
    if opening.answered == 0 {
      opening.answered = EventLoop.clock()
      session?.setOpening(opening)
    }
    if let flaw = head.headers.codingFlaw(asked: nil) { return lose(flaw) }
    answer = head
  }

  func bodyArrived(_ connection: ClientConnection, _ piece: Span<UInt8>, overhead: Int) {
    received.http += UInt64(overhead)
    let limit =
      dialer.configuration.session.messageBytes + dialer.configuration.session.pollBatchBytes
    guard body.count + piece.count <= limit else {
      return lose("a poll's answer is over \(limit) bytes: raise limits.messageBytes")
    }
    body.append(copying: piece)
  }

  func answerEnded(_ connection: ClientConnection, bytes: Int) {
    received.http += UInt64(bytes)
    guard let answer else { return }
    mayReconnect = true
    guard answer.status == .ok || answer.status == .noContent else {
      received.http += UInt64(body.count)
      let text = String(decoding: body.prefix(200), as: UTF8.self)
      return lose("the server answered \(answer.status) to a poll: \(text)")
    }
    let isEmpty = answer.status == .noContent || body.isEmpty
    guard let read = isEmpty ? polls.read(answer.headers, []) : polls.read(answer.headers, body)
    else { return lose("a poll's answer does not have the form that it should have") }
    cursor = read.cursor ?? cursor
    let payload = read.messages.reduce(0) { $0 + $1.count }
    received.messages += UInt64(read.messages.count)
    received.payload += UInt64(payload)
    // Wrapped where the form is shorter than what it stands for.
    received.framing &+= UInt64(body.count) &- UInt64(payload)
    for message in read.messages { _ = session?.deliver(.text, message.span) }
    askAgain(gotNothing: read.messages.isEmpty)
  }

  private func askAgain(gotNothing: Bool) {
    let soonest = askedAt + Self.pause
    guard gotNothing, EventLoop.clock() < soonest else { return pollNext() }
    dialer.loop.schedule(at: soonest) { [self] in pollNext() }
  }

  func connectionDrained(_ connection: ClientConnection) {}

  func connectionLost(_ connection: ClientConnection, _ reason: String) {
    guard session != nil else { return }
    guard mayReconnect else { return lose(reason) }
    let isUnderWay = answer == nil || self.connection?.canSend == false
    retire()
    mayReconnect = false
    if isUnderWay { pollNext() }
  }

  private func retire() {
    guard let connection else { return }
    retired = retired + connection.stream.counters
    self.connection = nil
    connection.close()
    if dialer.configuration.keepsKernelCounters { retiredKernel += connection.kernelAtEnd }
  }

  func send(_ kind: MessageKind, _ payload: Span<UInt8>, _ compression: MessageCompression) {
    posts.send(kind, payload)
  }

  func send(_ broadcast: Broadcast) {
    for item in broadcast.items { posts.send(item.message.kind, item.message.bytes.span) }
  }

  /// What comes is delivered at once: nobody holds such sessions up.
  func resumeDelivery() {}

  private func lose(_ reason: String) { end(SessionEnd(code: .abnormal, reason: reason)) }

  /// The server knows of no session that could be ended.
  func close(_ code: CloseCode, _ reason: String) {
    end(SessionEnd(code: code, reason: reason, isLocal: true))
  }

  func abort() {
    connection?.stream.abort()
    end(SessionEnd(code: .abnormal, reason: "aborted", isLocal: true))
  }

  private func end(_ end: SessionEnd) {
    guard let session else { return }
    self.session = nil
    session.ended(end)
    connection?.close()
    posts.end()
    finishOpening(.failure(OpenFailure(reason: end.reason)))
  }
}
