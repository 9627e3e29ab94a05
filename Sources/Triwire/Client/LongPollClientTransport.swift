import TriwireCodec
import TriwireIO

/// The client's end of a session over long polling, with POST upwards.
final class LongPollClientTransport: ClientTransport, ClientConnectionUser, @unchecked Sendable {
  private let dialer: Dialer
  private let name = SessionDirectory.newName()
  private let posts: PostSender
  private var connection: ClientConnection?
  private var request = RequestHead(target: "/")
  private var session: Session?
  private var opening: Opening
  private var done: ((Result<Session, OpenFailure>) -> Void)?
  private var sent = Ledger()
  private var received = Ledger()
  private var retired = StreamCounters()
  private var retiredKernel: [KernelCounters] = []
  private var cursor: String?
  private var answer: ResponseHead?
  private var words = RefusalText()
  private var body: [UInt8] = []
  /// Messages of the last answer that the session had no room for: their bytes and where they are.
  private var offset = 0
  private var isPaused = false
  private var isPolling = false
  /// Whether a poll is to come, where polls come at an interval.
  private var isWaiting = false
  private var isFirst = true
  /// When the last poll was sent.
  private var askedAt: UInt64 = 0
  private var mayReconnect = true
  private let closing: PostedClosing
  private var watch: SilenceWatch?

  init(dialer: Dialer, opening: Opening) {
    self.dialer = dialer
    self.opening = opening
    let query = dialer.link == nil ? "session=\(name)" : ""
    posts = PostSender(dialer: dialer, target: dialer.url.target(adding: query))
    closing = PostedClosing(posts, dialer)
  }

  var kind: TransportKind { .longPolling }
  var queuedBytes: Int { posts.queuedBytes }

  var traffic: Traffic {
    var traffic = Traffic()
    traffic.sent = sent + posts.sent
    traffic.received = received + posts.received
    if retired != StreamCounters() { traffic.streams.append(retired) }
    if let connection {
      traffic.streams.append(connection.stream.counters)
      traffic.kernel = connection.stream.kernelCounters().map { [$0] } ?? []
    }
    traffic.kernel += retiredKernel
    traffic.streams += posts.streams
    traffic.kernel += posts.kernel
    return traffic
  }

  func open(_ stream: ByteStream, _ done: @escaping (Result<Session, OpenFailure>) -> Void) {
    self.done = done
    // The first poll is not held, so that its answer says that the session is open; later ones
    // keep the form that this one asks for.
    request = dialer.request(
      .get, dialer.url.target(adding: firstQuery), dialer.accepting(PollBatch.mediaType))
    use(stream)
    poll(request)
    opening.requested = EventLoop.clock()
  }

  /// What the first poll adds to the query of the URL.
  // A resumable session is named in a header field of each request.
  private var firstQuery: String { dialer.link == nil ? "session=\(name)&wait=0" : "wait=0" }

  func giveUp() {
    // One who does not end the body has answered nevertheless.
    if let answer { refuse(answer) }
    finishOpening(.failure(OpenFailure(reason: "the server did not answer the first poll in time")))
  }

  private func finishOpening(_ result: Result<Session, OpenFailure>) {
    guard let done else { return }
    self.done = nil
    if case .failure = result {
      watch?.cancel()
      watch = nil
      connection?.close()
      posts.end()
    }
    done(result)
  }

  private func use(_ stream: ByteStream) {
    let connection = ClientConnection(stream: stream, limits: dialer.limits)
    connection.user = self
    self.connection = connection
    sent.http += connection.tunnel.sent
    received.http += connection.tunnel.received
    stream.start(connection)
    watch?.cancel()
    watch = dialer.link.map { link in
      SilenceWatch(stream, link) { [weak self] in
        self?.suspect(isOurs: true)
        self?.lose("the server does not answer a poll")
      }
    }
  }

  private func pollNext() {
    guard session != nil, !isPolling, !closing.hasBegun else { return }
    guard let clock = dialer.configuration.pollClock else { return ask() }
    guard !isWaiting else { return }
    isWaiting = true
    let poll: () -> Void = { [weak self] in
      self?.isWaiting = false
      self?.ask()
    }
    // The poll that opened the session is not one of those that are counted.
    isFirst ? clock.first(poll) : clock.next(after: askedAt, poll)
    isFirst = false
  }

  private func ask() {
    guard session != nil, !isPolling, !closing.hasBegun else { return }
    // The answer begins after what the request says has come, which may be more than what this
    // connection brought: another one did, when this one opened beside it.
    if isCarrier, let link = dialer.link { link.arriving = link.received }
    let wait = dialer.configuration.pollClock == nil ? "" : "&wait=0"
    let target =
      dialer.link == nil
      ? dialer.url.target(adding: "cursor=\(cursor ?? "")\(wait)") : dialer.url.target
    let request = dialer.request(
      .get, target, dialer.accepting(dialer.link == nil ? nil : PollBatch.mediaType))
    if let connection, connection.canSend { return poll(request) }
    reconnect(request)
  }

  private func poll(_ request: RequestHead) {
    guard let connection else { return }
    do {
      isPolling = true
      askedAt = EventLoop.clock()
      answer = nil
      words = RefusalText()
      body = []
      offset = 0
      sent.http += UInt64(try connection.send(request))
    } catch {
      lose(error.description)
    }
  }

  /// A poll may be repeated: what its answer carried is kept until a later one acknowledges it.
  private func reconnect(_ request: RequestHead) {
    retire()
    isPolling = true
    dialer.open { [self] result in
      guard session != nil else {
        if case .success(let stream) = result { stream.abort() }
        return
      }
      switch result {
      case .failure(let error): lose("\(error)")
      case .success(let stream):
        use(stream)
        poll(request)
      }
    }
  }

  private func retire() {
    guard let connection else { return }
    retired = retired + connection.stream.counters
    self.connection = nil
    connection.close()
    if dialer.configuration.keepsKernelCounters { retiredKernel += connection.kernelAtEnd }
  }

  func answered(_ connection: ClientConnection, _ head: ResponseHead, bytes: Int) {
    received.http += UInt64(bytes)
    if opening.answered == 0 { opening.answered = EventLoop.clock() }
    // RFC 9110 §15.3.5: 204 has nothing that could be coded.
    if head.status == .ok, let flaw = head.headers.codingFlaw(asked: dialer.configuration.gzip) {
      return lose(flaw)
    }
    answer = head
    if done != nil, let redirect = Redirect(head, added: firstQuery) {
      let reason = "the server answered \(head.status) to a poll"
      finishOpening(.failure(OpenFailure(reason, head.status, redirect: redirect)))
    }
  }

  func bodyArrived(_ connection: ClientConnection, _ piece: Span<UInt8>, overhead: Int) {
    received.http += UInt64(overhead)
    if let answer, !Self.isGood(answer) {
      words.append(piece)
      if done != nil, words.isComplete { return refuse(answer) }
    }
    guard body.count + piece.count <= bodyLimit else { return endOverLimit() }
    body.append(copying: piece)
  }

  /// The most bytes that an answer may have, decompressed or not.
  private var bodyLimit: Int {
    dialer.configuration.session.messageBytes + ServerConnection.postSlack
      + dialer.configuration.session.pollBatchBytes
  }

  private func endOverLimit() {
    let reason = "a poll's answer is over \(bodyLimit) bytes: raise limits.messageBytes"
    end(SessionEnd(code: .messageTooBig, reason: reason, isLocal: true))
  }

  /// Decompresses the body of an answer, if it is compressed.
  ///
  /// - Returns: Whether the session goes on.
  private func decompressBody(of answer: ResponseHead) -> Bool {
    guard let gzip = dialer.configuration.gzip, answer.headers.isGzip, !body.isEmpty else {
      return true
    }
    let reader = GzipReader(ratio: gzip.maximumRatio)
    let (coded, limit) = (body, bodyLimit)
    var plain: [UInt8] = []
    var offset = 0
    do throws(GzipReader.Failure) {
      while plain.count <= limit,
        try reader.next(coded.span, at: &offset, { plain.append(copying: $0) })
      {}
    } catch {
      end(SessionEnd(unreadable: error, gzip))
      return false
    }
    guard plain.count <= limit else {
      endOverLimit()
      return false
    }
    guard reader.isWhole else {
      end(SessionEnd(code: .protocolError, reason: "a poll's answer is cut off", isLocal: true))
      return false
    }
    body = plain
    received.saved &+= UInt64(plain.count) &- UInt64(coded.count)
    return true
  }

  func answerEnded(_ connection: ClientConnection, bytes: Int) {
    received.http += UInt64(bytes)
    isPolling = false
    guard let answer else { return }
    guard Self.isGood(answer) else { return refused(answer) }
    mayReconnect = true
    if isCarrier, let link = dialer.link {
      link.confirmSuspicion()
      link.survived = max(link.survived, (EventLoop.clock() - askedAt) / 1_000_000)
    }
    cursor = answer.headers[Wire.cursor] ?? cursor
    guard decompressBody(of: answer) else { return }
    if session == nil { openSession() }
    for text in answer.headers.values(of: ControlLine.field) {
      if let line = ControlLine(text) { session?.control(line) }
    }
    deliverBody()
  }

  private func openSession() {
    guard cursor != nil || dialer.link != nil else {
      let reason = "the server's answer to a poll has no \(Wire.cursor): it does not know this"
      return finishOpening(.failure(OpenFailure(reason: reason)))
    }
    let session = Session(
      carrier: self, request: request, hasParameter: false, loop: dialer.loop,
      shared: dialer.sessionLimits)
    self.session = session
    opening.opened = EventLoop.clock()
    session.setOpening(opening)
    posts.onDrain = { [unowned self] in self.session?.drained(posts.queuedBytes) }
    posts.onRefusal = { [unowned self] in self.end($0) }
    posts.onFailure = { [unowned self] in postsFailed($0, sessionIsOver: $1) }
    finishOpening(.success(session))
  }

  private func refused(_ answer: ResponseHead) {
    received.http += UInt64(body.count)
    if done == nil, let said = SessionEnd(goneIn: answer) { return end(said) }
    if done != nil { return refuse(answer) }
    // RFC 9110 §15.6.5: a gateway did not want to wait for the server as long as we.
    if answer.status == .gatewayTimeout { suspect(isOurs: false, quietSince: askedAt) }
    lose(failure(answer).reason)
  }

  private static func isGood(_ answer: ResponseHead) -> Bool {
    answer.status == .ok || answer.status == .noContent
  }

  private func failure(_ answer: ResponseHead) -> OpenFailure {
    OpenFailure(
      "the server answered \(answer.status) to a poll", answer.status, words,
      end: SessionEnd(goneIn: answer))
  }

  /// Ends an opening that was answered by no session.
  private func refuse(_ answer: ResponseHead) {
    guard !Self.isGood(answer) else { return }
    finishOpening(.failure(failure(answer)))
  }

  private func deliverBody() {
    var parser = PollBatchParser(messageBytes: dialer.configuration.session.messageBytes)
    let body = self.body
    do {
      while session != nil, !isPaused {
        let start = offset
        guard let record = try parser.nextEvent(in: body.span, at: &offset) else { break }
        deliver(record.kind, body.span.extracting(record.payload), offset - start)
      }
    } catch {
      return end(SessionEnd(code: .protocolError, reason: error.message, isLocal: true))
    }
    if isPaused { return }
    guard offset == body.count else {
      return end(
        SessionEnd(code: .protocolError, reason: "a poll's answer is cut off", isLocal: true))
    }
    pollNext()
  }

  private func deliver(_ kind: PollBatch.Kind, _ payload: Span<UInt8>, _ used: Int) {
    received.messages += 1
    received.payload += UInt64(payload.count)
    received.framing += UInt64(used - payload.count)
    if kind == .text, let fault = UTF8Validator.fault(in: payload) {
      return end(
        SessionEnd(code: .invalidPayload, reason: "a text message \(fault)", isLocal: true))
    }
    guard let session, !session.deliver(MessageKind(kind), payload) else { return }
    isPaused = true
  }

  func resumeDelivery() {
    guard isPaused else { return }
    isPaused = false
    deliverBody()
  }

  func connectionDrained(_ connection: ClientConnection) {}

  func send(_ kind: MessageKind, _ payload: Span<UInt8>, _ compression: MessageCompression) {
    posts.send(kind, payload)
  }

  func send(_ broadcast: Broadcast) {
    for item in broadcast.items { posts.send(item.message.kind, item.message.bytes.span) }
  }

  func connectionLost(_ connection: ClientConnection, _ reason: String) {
    if let answer { refuse(answer) }
    if done != nil { return finishOpening(.failure(OpenFailure(reason: reason))) }
    guard session != nil else { return }
    if isPolling { suspect(isOurs: false) }
    retire()
    guard isPolling else { return }
    isPolling = false
    // A server that answers nothing is not asked for ever.
    guard mayReconnect else { return lose(reason) }
    mayReconnect = false
    pollNext()
  }

  /// Whether it carries the session, and is no look for a better transport.
  private var isCarrier: Bool { dialer.link?.carrier === self }

  /// Tells the link that the server did not answer a poll, as when something cuts what is quiet.
  private func suspect(isOurs: Bool, quietSince: UInt64? = nil) {
    guard isCarrier else { return }
    let since = quietSince ?? max(askedAt, connection?.stream.lastArrival ?? 0)
    dialer.link?.suspect(.longPolling, quietSince: since, isOurs: isOurs)
  }

  private func lose(_ reason: String) { end(SessionEnd(code: .abnormal, reason: reason)) }

  private func postsFailed(_ reason: String, sessionIsOver: Bool) {
    let end = SessionEnd(code: .abnormal, reason: reason)
    guard sessionIsOver, dialer.link == nil else { return self.end(end) }
    // How it ended is on its way down, unless that is broken too.
    closing.presume(end) { [self] in self.end($0) }
  }

  func close(_ code: CloseCode, _ reason: String) {
    closing.begin(code, reason) { [self] in end($0) }
  }

  func abort() {
    connection?.stream.abort()
    end(SessionEnd(code: .abnormal, reason: "aborted", isLocal: true))
  }

  private func end(_ end: SessionEnd) {
    if done != nil { return finishOpening(.failure(OpenFailure(reason: end.reason))) }
    guard let session else { return }
    self.session = nil
    session.ended(closing.told(end))
    release()
  }

  private func release() {
    watch?.cancel()
    watch = nil
    closing.stop()
    connection?.close()
    posts.end()
  }
}

extension LongPollClientTransport: LinkCarrier {
  // Each request says what came; there is nothing else to say on the way up.
  func sendControl(_ line: ControlLine) {}

  func startSending(after offset: UInt64) { posts.startSending(after: offset) }

  func move(to session: Session) { self.session = session }

  func letGo() {
    guard session != nil else { return }
    session = nil
    release()
  }
}
