import TriwireCodec
import TriwireIO

/// Carries a session over a WebSocket (RFC 6455), in either role.
final class WebSocketTransport: Transport, StreamHandler, TimerOwner, TurnEnd {
  let stream: ByteStream
  private(set) var limits: SharedLimits
  var session: Session?
  var codec: WebSocketCodec
  /// What has come of a message that comes in parts.
  var assembly: [UInt8] = []
  let deflate: DeflateSession?
  var pings: Pings?
  private var state = State.open
  var sent: FrameLedger
  var received: FrameLedger
  /// What a client masks its frames with.
  private var masks: MaskSource?
  private var timer: TimerID?
  var awaitsPong = false
  var isPaused = false

  private enum State {
    case open
    /// Our close frame is on its way; the peer's is awaited until the deadline.
    case closing(Closing)
    /// The peer closed, or broke the protocol. What its messages before that make the handler send
    /// in this turn still goes out; then it is answered.
    case ending(Closing)
    case ended
  }

  /// Kept outside, as few sessions of many are closing.
  private final class Closing {
    let end: SessionEnd
    /// Until when the peer's close is awaited.
    let deadline: UInt64
    /// What the peer is still to be told.
    let answer: CloseCode?

    init(end: SessionEnd, deadline: UInt64 = 0, answer: CloseCode? = nil) {
      self.end = end
      self.deadline = deadline
      self.answer = answer
    }
  }

  var kind: TransportKind { .webSocket }

  /// Takes over a stream after the handshake; the ledgers say what that moved.
  init(
    stream: ByteStream, role: WebSocketRole, limits: SharedLimits,
    deflate: DeflateSession? = nil, sent: Ledger, received: Ledger
  ) {
    self.stream = stream
    self.limits = limits
    self.deflate = deflate
    self.sent = FrameLedger(http: sent.http)
    self.received = FrameLedger(http: received.http)
    codec = WebSocketCodec(
      role: role,
      limits: limits.frames,
      allowsDeflate: deflate != nil)
    masks = role == .client ? MaskSource() : nil
  }

  /// Agrees to heartbeats of a resumable session that are shorter than its own, in milliseconds.
  func hasten(to heartbeat: UInt64?) {
    limits = limits.hastened(to: heartbeat)
    guard let timer, isOpen else { return }
    stream.loop.wheel.move(
      timer, to: stream.loop.now + limits.value.heartbeatSeconds.nanoseconds)
  }

  func begin(_ session: Session) {
    self.session = session
    timer = stream.loop.wheel.arm(
      self, at: stream.loop.now + limits.value.heartbeatSeconds.nanoseconds)
  }

  var queuedBytes: Int { stream.queuedBytes }

  var isOpen: Bool { if case .open = state { true } else { false } }
  var isReceiving: Bool {
    switch state {
    case .open, .closing: true
    case .ending, .ended: false
    }
  }
  /// Whether the handler wants what comes.
  var takesInput: Bool { isReceiving && !isPaused }

  private var canSend: Bool {
    switch state {
    case .open, .ending: true
    case .closing, .ended: false
    }
  }

  private var hasEnded: Bool { if case .ended = state { true } else { false } }

  var traffic: Traffic {
    var traffic = Traffic()
    traffic.sent = sent.ledger(saved: deflate?.savedSent ?? 0)
    traffic.received = received.ledger(saved: deflate?.savedReceived ?? 0)
    traffic.streams = [stream.counters]
    traffic.kernel = stream.kernelCounters().map { [$0] } ?? []
    return traffic
  }

  func send(_ kind: MessageKind, _ payload: Span<UInt8>, _ compression: MessageCompression) {
    guard canSend else { return }
    if let deflated = deflate?.compress(payload, compression) {
      write(WebSocketWriter.Opcode(kind), deflated.span, isDeflated: true)
      sent.count(payload: payload.count)
      deflate?.savedSent += payload.count - deflated.count
      countHead(deflated.count)
    } else {
      write(WebSocketWriter.Opcode(kind), payload)
      sent.count(payload: payload.count)
      countHead(payload.count)
    }
  }

  func send(_ broadcast: Broadcast) {
    guard canSend else { return }
    guard masks == nil else {
      for item in broadcast.items {
        send(item.message.kind, item.message.bytes.span, .automatic)
      }
      return
    }
    if let deflate { return send(broadcast, deflate) }
    stream.writeThrough(broadcast.frames.span)
    sent.messages &+= UInt64(broadcast.items.count)
    sent.payload &+= UInt64(broadcast.payloadBytes)
    sent.framing &+= UInt64(broadcast.frames.count - broadcast.payloadBytes)
  }

  /// A message is compressed once for all sessions that compress alike and keep no context; each
  /// of the others has to do it with its own.
  private func send(_ broadcast: Broadcast, _ deflate: DeflateSession) {
    guard deflate.sharedWindowBits != nil else {
      for item in broadcast.items {
        send(item.message.kind, item.message.bytes.span, .automatic)
      }
      return
    }
    let frames = broadcast.deflatedFrames(deflate)
    stream.writeThrough(frames.bytes.span)
    sent.messages &+= UInt64(broadcast.items.count)
    sent.payload &+= UInt64(broadcast.payloadBytes)
    deflate.savedSent += broadcast.payloadBytes - frames.bodyBytes
    sent.framing &+= UInt64(frames.bytes.count - frames.bodyBytes)
  }

  private func countHead(_ body: Int) {
    sent.framing &+= UInt64(WebSocketWriter.headBytes(payload: body, masked: masks != nil))
  }

  private func write(
    _ opcode: WebSocketWriter.Opcode, _ payload: Span<UInt8>, isDeflated: Bool = false
  ) {
    let mask = masks?.next()
    if mask == nil, payload.count >= ByteStream.longPart {
      return stream.write(payload, after: WebSocketWriter.maximumHead) { output in
        WebSocketWriter.appendHead(
          opcode, payload.count, mask: nil, isDeflated: isDeflated, to: &output)
      }
    }
    stream.write(capacity: payload.count + WebSocketWriter.maximumHead) { output in
      WebSocketWriter.append(opcode, payload, mask: mask, isDeflated: isDeflated, to: &output)
    }
  }

  func writeControl(_ opcode: WebSocketWriter.Opcode, _ payload: Span<UInt8>) {
    write(opcode, payload)
    sent.control &+= UInt64(
      payload.count
        + WebSocketWriter.headBytes(payload: payload.count, masked: masks != nil))
  }

  func resumeDelivery() {
    guard isPaused else { return }
    isPaused = false
    awaitsPong = false
    stream.resumeReading()
    stream.replaySoon()
  }

  func drained(_ stream: ByteStream) {
    if let ping = pings?.unanswered {
      pings?.unanswered = nil
      if isOpen { writeControl(.pong, ping.span) }
    }
    for line in pings?.takeLines() ?? [] { sendControl(line) }
    session?.drained(stream.queuedBytes)
  }

  func close(_ code: CloseCode, _ reason: String) {
    guard isOpen else { return }
    writeClose(code, reason)
    let deadline = stream.loop.now + limits.value.closeSeconds.nanoseconds
    let end = SessionEnd(code: code, reason: reason, isLocal: true)
    state = .closing(Closing(end: end, deadline: deadline))
    if let timer { stream.loop.wheel.move(timer, to: deadline) }
    // The peer's answer has to be read even if nobody reads messages any more.
    if isPaused { resumeDelivery() }
  }

  private func writeClose(_ code: CloseCode, _ reason: String) {
    let payload = code.isSendable ? WebSocketWriter.closePayload(code, reason) : []
    writeControl(.close, payload.span)
  }

  func closedByPeer(_ code: CloseCode?, _ reason: Span<UInt8>) {
    let words = unsafe reason.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    if case .closing(let closing) = state { return end(closing.end) }
    // RFC 6455 §5.5.1: a close is answered with a close that usually echoes the code.
    endSoon(
      SessionEnd(code: code ?? .noStatus, reason: words), answer: code ?? .noStatus)
  }

  func violated(_ violation: WebSocketViolation) {
    let end = SessionEnd(code: violation.closeCode, reason: violation.message, isLocal: true)
    endSoon(end, answer: isOpen ? violation.closeCode : nil)
  }

  private func endSoon(_ end: SessionEnd, answer: CloseCode?) {
    state = .ending(Closing(end: end, answer: answer))
    stream.loop.atEndOfTurn(self)
  }

  func turnEnded() {
    guard case .ending(let closing) = state else { return }
    let reason = closing.end.isLocal ? closing.end.reason : ""
    if let answer = closing.answer { writeClose(answer, reason) }
    end(closing.end)
  }

  func inputEnded(_ stream: ByteStream) {
    if case .ending = state { return turnEnded() }
    if case .closing(let closing) = state { return end(closing.end) }
    end(SessionEnd(code: .abnormal, reason: "the connection ended without a close frame"))
  }

  func failed(_ stream: ByteStream, _ error: IOError) {
    switch state {
    // What was said about the end before holds.
    case .ending(let closing), .closing(let closing): end(closing.end)
    case .open, .ended: end(SessionEnd(code: .abnormal, reason: error.description))
    }
  }

  func abort() {
    stream.abort()
    end(SessionEnd(code: .abnormal, reason: "aborted", isLocal: true))
  }

  private func end(_ end: SessionEnd) {
    if hasEnded { return }
    state = .ended
    if let timer { stream.loop.wheel.cancel(timer) }
    timer = nil
    let session = session
    self.session = nil
    pings?.end()
    session?.ended(end)
    // RFC 6455 §7.1.1: the server closes TCP first; a client that was answered just lets go.
    stream.close()
  }

  func timerFired(now: UInt64) -> UInt64 {
    switch state {
    case .ended, .ending: return 0
    case .closing(let closing):
      if now < closing.deadline { return closing.deadline }
      timer = nil
      stream.flush()
      end(closing.end)
      return 0
    case .open: return heartbeat(now)
    }
  }

  /// The last round trip that a pong measured, in nanoseconds.
  var roundTrip: UInt64? { pings?.roundTrip }

  /// Sends a ping; `done` gets the round trip, or nil when the session ends first.
  func ping(_ done: ((UInt64?) -> Void)? = nil) {
    writeControl(.ping, needPings().next(done).span)
  }

  func needPings() -> Pings {
    if let pings { return pings }
    let pings = Pings()
    self.pings = pings
    return pings
  }

  /// Any byte counts as life; a peer that was silent for the interval is asked for one.
  private func heartbeat(_ now: UInt64) -> UInt64 {
    let interval = limits.value.heartbeatSeconds.nanoseconds
    if isPaused {
      // Nothing arrives while nothing is read, so the peer is not asked; nor is it answered, so
      // that it is told that we live (RFC 6455 §5.5.3: a pong may come unsolicited).
      writeControl(.pong, Span())
      stream.flush()
      return now + interval
    }
    let quiet = stream.lastArrival + interval
    if now < quiet { return quiet }
    let grace = limits.value.heartbeatGraceSeconds.nanoseconds
    if awaitsPong {
      let deadline = (pings?.asked ?? 0) + grace
      if now < deadline { return deadline }
      timer = nil
      end(SessionEnd(code: .abnormal, reason: "no answer to a ping", isLocal: true))
      return 0
    }
    (session?.link as? ServerLink)?.tidy(into: nil)
    awaitsPong = true
    ping()
    pings?.asked = now
    stream.flush()
    // If it answers at once, the next ping is due after the interval, however long the grace is.
    return now + min(interval, grace)
  }
}

extension WebSocketTransport: LinkCarrier {
  func sendControl(_ line: ControlLine) {
    guard canSend else { return }
    if line.isOvertaken, stream.queuedBytes >= limits.value.queuedBytes {
      // As with the pings of the protocol itself: the last one is answered when there is room.
      return needPings().keep(line)
    }
    let text: [UInt8] = [0] + line.text.utf8
    writeControl(.text, text.span)
  }

  /// A message that was counted as one was a control line.
  func countControl(_ bytes: Int) {
    received.messages &-= 1
    received.payload &-= UInt64(bytes)
    received.control &+= UInt64(bytes)
  }

  func move(to session: Session) { self.session = session }

  var lastArrival: UInt64? { stream.lastArrival }

  func letGo() {
    guard !hasEnded else { return }
    state = .ended
    if let timer { stream.loop.wheel.cancel(timer) }
    timer = nil
    session = nil
    pings?.end()
    stream.close()
  }
}
