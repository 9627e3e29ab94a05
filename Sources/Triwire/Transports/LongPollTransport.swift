import TriwireCodec
import TriwireIO

/// The server's end of a session over long polling (RFC 6202 §2), with POST upwards.
///
/// A message is kept until a later poll acknowledges it with its cursor, so that nothing is lost
/// with an answer that did not arrive. All that waits when a turn ends goes into one answer.
final class LongPollTransport: NamedTransport, LinkCarrier, ConnectionTenant, TurnEnd, TimerOwner,
  @unchecked Sendable
{
  /// What other requests find the session by; nil when it is resumable and found otherwise.
  private let key: SessionDirectory.Key?
  private let home: ServerLoop
  private let limits: SharedLimits
  private var session: Session?
  private let posts: PostReceiver
  private var sent = Ledger()
  private var received = Ledger()
  private var queue: [PollRecord] = []
  private var queueHead = 0
  /// The position of the first message that is not acknowledged.
  private var firstPosition: UInt64 = 1
  /// The position of the last message that some answer carried.
  private var lastSent: UInt64 = 0
  private(set) var queuedBytes = 0
  private var held: Poll?
  private var form = Form.json
  private var isScheduled = false
  private var closing: SessionEnd?
  private var timer: TimerID?
  private var deadline: UInt64 = 0
  /// What the next answer says beside messages.
  private var controls: [ControlLine] = []

  private enum Form {
    case batch
    case json
  }

  private struct Poll {
    let connection: ServerConnection
    /// The client has everything up to here.
    let position: UInt64
    /// When it is answered even if there is nothing to say.
    let deadline: UInt64
    /// Whether its answer may be compressed.
    let acceptsGzip: Bool
  }

  init(key: SessionDirectory.Key?, home: ServerLoop, limits: SharedLimits) {
    self.key = key
    self.home = home
    self.limits = limits
    posts = PostReceiver(limits: limits)
  }

  var kind: TransportKind { .longPolling }

  var traffic: Traffic {
    var traffic = Traffic()
    traffic.sent = sent + posts.sent
    traffic.received = received + posts.received
    traffic.streams = posts.streams
    traffic.kernel = posts.kernel
    return traffic
  }

  /// Begins to carry a session whose client has the messages up to `position`.
  func begin(_ session: Session, after position: UInt64 = 0) {
    self.session = session
    firstPosition = position + 1
    lastSent = position
    if let key {
      _ = home.directory.set(key, SessionDirectory.Entry(loop: home.loop, carrier: self))
    }
    deadline = home.loop.now + limits.value.pollGapSeconds.nanoseconds
    timer = home.loop.wheel.arm(self, at: deadline)
  }

  func send(_ kind: MessageKind, _ payload: Span<UInt8>, _ compression: MessageCompression) {
    enqueue(PollRecord(Message(kind, Array(copying: payload))))
  }

  func send(_ broadcast: Broadcast) {
    for record in broadcast.records { enqueue(record) }
  }

  private func enqueue(_ record: PollRecord) {
    queue.append(record)
    queuedBytes += record.record.count
    if held != nil { schedule() }
  }

  /// Answers when the turn ends, so that what comes until then goes along.
  private func schedule() {
    guard !isScheduled else { return }
    isScheduled = true
    home.loop.atEndOfTurn(self)
  }

  /// Takes a poll.
  ///
  /// The newest one counts: an older one is answered with 204. The position is what the client
  /// has; nil when it does not say.
  func poll(
    _ connection: ServerConnection, _ exchange: Exchange, _ position: UInt64?,
    hello: ControlLine? = nil, heartbeat: UInt64? = nil
  ) {
    received.http += UInt64(exchange.headBytes)
    posts.note(connection)
    // It may have ended while the poll was on its way from another loop.
    guard session != nil else {
      return respond(connection, Response(.gone, text: "the session has ended"))
    }
    let position = position ?? firstPosition - 1
    guard position <= lastSent, position + 1 >= firstPosition else {
      return respond(connection, refusal(of: position))
    }
    if key == nil, let link = session?.link { link.acknowledged(position) }
    if let older = take() { answerEmpty(older) }
    if let hello {
      // Only what holds for this poll: an older one may have asked in the same turn.
      controls.removeAll { if case .hello = $0 { true } else { false } }
      controls.append(hello)
    }
    acknowledge(position)
    chooseForm(exchange.head)
    let longest = longestHold(heartbeat)
    let wished = exchange.head.queryItem("wait").flatMap(Double.init) ?? longest
    let hold = min(max(wished, 0), longest).nanoseconds
    held = Poll(
      connection: connection, position: position, deadline: home.loop.now + hold,
      acceptsGzip: home.configuration.gzip != nil && exchange.head.headers.acceptsGzip)
    connection.rent(to: self)
    setDeadline(home.loop.now + hold)
    if hold == 0 || !isCaughtUp(position) || closing != nil || !controls.isEmpty {
      schedule()
    }
  }

  /// Seconds that a poll may be held whose client wishes for so many milliseconds between
  /// heartbeats.
  ///
  /// The client of a resumable session was told to expect a sign of life with each heartbeat.
  private func longestHold(_ heartbeat: UInt64?) -> Double {
    let hold = limits.value.pollHoldSeconds
    guard key == nil else { return hold }
    return min(hold, Double(limits.value.heartbeatMilliseconds(wished: heartbeat)) / 1000)
  }

  private func refusal(of position: UInt64) -> Response {
    let rule =
      position > lastSent
      ? "is ahead of \(lastSent), the last one given out"
      : "is behind \(firstPosition - 1), which was acknowledged already"
    return Response(
      .conflict, text: "cursor \(position) \(rule): use the cursor of the last answer")
  }

  private func chooseForm(_ head: RequestHead) {
    guard head.headers.contains("accept") else { return }
    form = head.headers.accepts(PollBatch.mediaType) ? .batch : .json
  }

  private func acknowledge(_ position: UInt64) {
    var dropped = false
    while firstPosition <= position, queueHead < queue.count {
      queuedBytes -= queue[queueHead].record.count
      queueHead += 1
      firstPosition += 1
      dropped = true
    }
    if queueHead == queue.count {
      queue.removeAll(keepingCapacity: queue.count < 64)
      queueHead = 0
    } else if queueHead > 1024, queueHead * 2 > queue.count {
      queue.removeFirst(queueHead)
      queueHead = 0
    }
    if dropped { session?.drained(queuedBytes) }
  }

  private func isCaughtUp(_ position: UInt64) -> Bool {
    position + 1 >= firstPosition + UInt64(queue.count - queueHead)
  }

  func turnEnded() {
    isScheduled = false
    guard let poll = held else { return }
    if !isCaughtUp(poll.position) {
      _ = take()
      answer(poll)
    } else if let closing {
      _ = take()
      answerClosed(poll, closing)
    } else if !controls.isEmpty {
      _ = take()
      answerEmpty(poll)
    } else if poll.deadline <= home.loop.now {
      _ = take()
      answerEmpty(poll)
    }
  }

  private func take() -> Poll? {
    guard let poll = held else { return nil }
    held = nil
    poll.connection.unrent()
    let gap = closing == nil ? limits.value.pollGapSeconds : limits.value.closeSeconds
    setDeadline(home.loop.now + gap.nanoseconds)
    return poll
  }

  private func answer(_ poll: Poll) {
    var body: [UInt8] = form == .json ? [UInt8(ascii: "[")] : []
    var position = poll.position
    var payload = 0
    var count = 0
    var index = queueHead + Int(position + 1 - firstPosition)
    while index < queue.count {
      let record = queue[index]
      let bytes = form == .json ? record.element : record.record
      if count > 0, body.count + bytes.count > limits.value.pollBatchBytes { break }
      if form == .json, count > 0 { body.append(UInt8(ascii: ",")) }
      body += bytes
      payload += record.message.bytes.count
      count += 1
      position += 1
      index += 1
    }
    if form == .json { body.append(UInt8(ascii: "]")) }
    lastSent = max(lastSent, position)
    let type = form == .json ? JSONBatchWriter.mediaType : PollBatch.mediaType
    var response = Response(.ok, headers: headers(position), body: body)
    response.headers.append("content-type", type)
    compress(&response, poll)
    respond(poll.connection, response, body: response.body.count)
    sent.saved &+= UInt64(body.count) &- UInt64(response.body.count)
    sent.messages += UInt64(count)
    sent.payload += UInt64(payload)
    sent.framing += UInt64(body.count - payload)
  }

  /// Puts an answer into the coding gzip (RFC 9110 §8.4.1.3), if the poll allows it and it helps.
  private func compress(_ response: inout Response, _ poll: Poll) {
    guard let options = home.configuration.gzip else { return }
    // RFC 9110 §12.5.5: whoever stores the answer has to know what it depends on.
    response.headers.append("vary", "accept-encoding")
    guard poll.acceptsGzip, response.body.count >= options.threshold,
      let coded = home.gzip?.finish(response.body.span), coded.count < response.body.count
    else { return }
    response.headers.append("content-encoding", "gzip")
    response.body = coded
  }

  private func headers(_ position: UInt64) -> Headers {
    guard let key else {
      var headers: Headers = ["cache-control": "no-store"]
      for line in controls { headers.append(ControlLine.field, line.text) }
      controls = []
      return headers
    }
    let cursor = PollCursor(session: key.name, position: position).text
    return [Wire.cursor: cursor, "cache-control": "no-store"]
  }

  private func answerEmpty(_ poll: Poll) {
    respond(poll.connection, Response(.noContent, headers: headers(poll.position)))
  }

  private func answerClosed(_ poll: Poll, _ end: SessionEnd) {
    respond(
      poll.connection,
      Response(.gone, text: "the session has ended", headers: [Wire.close: end.line]))
    release(end)
  }

  /// Answers, and counts all but `body` bytes of payload and framing as HTTP.
  private func respond(_ connection: ServerConnection, _ response: Response, body: Int = 0) {
    let before = connection.stream.writtenBytes
    connection.respond(response)
    sent.http += connection.stream.writtenBytes - before - UInt64(body)
  }

  func sendControl(_ line: ControlLine) {
    controls.append(line)
    if held != nil { schedule() }
  }

  func move(to session: Session) { self.session = session }

  func letGo() {
    guard session != nil else { return }
    session = nil
    controls.append(.moved)
    if let poll = take() { answerEmpty(poll) }
    release(nil)
  }

  func receive(_ post: ServerConnection.Post) { posts.receive(post, for: session) }

  func resumeDelivery() { posts.resume() }

  func close(_ code: CloseCode, _ reason: String) {
    guard closing == nil else { return }
    closing = SessionEnd(code: code, reason: reason, isLocal: true)
    if held != nil {
      schedule()
    } else if !endsUnheard() {
      setDeadline(home.loop.now + limits.value.closeSeconds.nanoseconds)
    }
  }

  /// Ends a resumable session whose end no poll waits for: the next one is told of it all the same,
  /// as its name is remembered.
  private func endsUnheard() -> Bool {
    guard key == nil, let closing else { return false }
    release(closing)
    return true
  }

  func closedByPeer(_ end: SessionEnd) {
    if let poll = take() { answerEmpty(poll) }
    release(end)
  }

  func abort() {
    let poll = take()
    release(SessionEnd(code: .abnormal, reason: "aborted", isLocal: true))
    poll?.connection.abort()
  }

  func connectionEnded(_ connection: ServerConnection, _ reason: String) {
    guard held?.connection === connection else { return }
    // The next poll may come on another connection: the session goes on.
    _ = take()
    _ = endsUnheard()
  }

  func connectionDrained(_ connection: ServerConnection) {}

  private func release(_ end: SessionEnd?) {
    if let timer { home.loop.wheel.cancel(timer) }
    timer = nil
    if let key { home.directory.remove(key, self) }
    let session = session
    self.session = nil
    if let end { session?.ended(end) }
    posts.end()
  }

  private func setDeadline(_ next: UInt64) {
    deadline = next
    if let timer { home.loop.wheel.move(timer, to: next) }
  }

  func timerFired(now: UInt64) -> UInt64 {
    if now < deadline { return deadline }
    if let poll = take() {
      (session?.link as? ServerLink)?.tidy(into: posts)
      answerEmpty(poll)
      poll.connection.stream.flush()
      return deadline
    }
    timer = nil
    let silence = SessionEnd(
      code: .abnormal, reason: "no poll came for \(limits.value.pollGapSeconds) s")
    release(closing ?? silence)
    return 0
  }
}
