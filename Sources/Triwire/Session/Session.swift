import Synchronization
public import TriwireCodec
public import TriwireIO

/// A lasting two-way conversation with one client, whatever transport carries it.
///
/// A session belongs to a loop. What is `async`, `close`, and the constants may be used from any
/// thread; what says "on the loop" must be called there, which is where server handlers run.
/// Messages keep their order. At most one task may read them at a time.
@safe public final class Session: @unchecked Sendable {
  // State is touched on the loop alone, which is what makes `@unchecked Sendable` hold.

  /// A number that no other session of this process has.
  public let id: UInt64
  /// The request that opened it.
  public let request: RequestHead
  // The small ones stand together, so that they share a word.
  /// Which transport carries it; on the loop, as a resumable session may change it.
  ///
  /// While such a session has no connection it is the last one.
  public private(set) var transport: TransportKind
  private let hasParameter: Bool
  private var state = State.open
  private var isBlocked = false
  /// Whether `rare` has a link, somebody who waits for control lines, or messages that wait.
  private var hasDetour = false
  var homeIndex: Int32 = 0
  /// The part of the path that the route's `{name}` stood for; empty when it has none.
  public var parameter: String {
    guard hasParameter, let slash = request.path.lastIndex(of: "/") else { return "" }
    return String(request.path[slash...].dropFirst())
  }

  /// The loop it belongs to.
  public let loop: EventLoop
  /// Its limits.
  public var limits: SessionLimits { shared.value }
  private let shared: SharedLimits
  var sharedLimits: SharedLimits { shared }

  private(set) var carrier: (any Transport)?
  private var inbox = Inbox()
  private var reader: UnsafeContinuation<Delivery, Never>?
  /// Which wait the reader is in, so that a late cancellation ends its own wait and no other.
  private var readerWait: UInt64 = 0
  private var onMessage: ((MessageKind, Span<UInt8>) -> Void)?
  /// The server's list of sessions that this one is in; `homeIndex` is its place there.
  var home: ServerLoop?
  private var handlerTask: UInt = 0
  private(set) var rare: Rare?
  var subscriptions: [Subscription] = []

  private enum State {
    case open
    /// We said that it ends.
    case closing
    /// How is in `rare`.
    case ended
  }

  /// What few of many sessions need, so that an idle one does without.
  @safe final class Rare {
    /// Known when it has ended.
    var past: Past?
    /// Known on the client's side.
    var opening: OpeningTimes?
    /// What the WebSocket handshake agreed on.
    var subprotocol: String?
    /// Known on the server's side.
    var peerCertificateSubject: String?
    var expiry: SessionExpiry?
    /// What keeps a resumable session exact.
    var link: SessionLink?
    /// What its peer cannot keep up with.
    var slowConsumer: SlowConsumer?
    /// Who hears the control lines before a link does.
    var onControl: ((ControlLine) -> Void)?
    var onRecovery: ((SessionRecovery) -> Void)?
    var onClose: ((SessionEnd) -> Void)?
    var drainWaiters: [UnsafeContinuation<Void, Never>] = unsafe []
    var endWaiters: [UnsafeContinuation<SessionEnd, Never>] = unsafe []
  }

  /// What outlives the session.
  final class Past {
    let end: SessionEnd
    let traffic: Traffic
    var link: SessionLink.History?

    init(_ end: SessionEnd, _ traffic: Traffic) {
      self.end = end
      self.traffic = traffic
    }
  }

  /// Apart, as a server's sessions have none.
  final class OpeningTimes {
    var times: Opening

    init(_ times: Opening) { self.times = times }
  }

  enum Delivery {
    case message(Message)
    case end(SessionEnd)
  }

  private static let lastID = Atomic<UInt64>(0)
  private static let lastWait = Atomic<UInt64>(0)

  /// Makes a session that `carrier` carries.
  ///
  /// For transports; call it on `loop`.
  public convenience init(
    carrier: any Transport, request: RequestHead, hasParameter: Bool = false, loop: EventLoop,
    limits: SessionLimits
  ) {
    self.init(
      carrier: carrier, request: request, hasParameter: hasParameter, loop: loop,
      shared: SharedLimits(limits))
  }

  init(
    carrier: any Transport, request: RequestHead, hasParameter: Bool, loop: EventLoop,
    shared: SharedLimits
  ) {
    id = Self.lastID.wrappingAdd(1, ordering: .relaxed).newValue
    transport = carrier.kind
    self.carrier = carrier
    self.request = request
    self.hasParameter = hasParameter
    self.loop = loop
    self.shared = shared
    if let expiry = SessionExpiry(self) { needRare().expiry = expiry }
  }

  /// Sends a message, and suspends while more waits than `limits.queuedBytes`.
  ///
  /// When `limits.slowConsumer` is not `.suspend`, it does not wait for the peer, but for a turn of
  /// the loop at most.
  /// - Parameters:
  ///   - message: The message.
  ///   - key: What it is the newest state of; see `SlowConsumerPolicy.latestPerKey`.
  ///   - compression: Whether it is compressed.
  /// - Returns: What became of it; `.queued` and `.dropped` only when `limits.slowConsumer` drops.
  /// - Throws: `SessionError.closed` when the session has ended.
  @inlinable
  @discardableResult
  public func send(
    _ message: Message, key: String? = nil, compression: MessageCompression = .automatic
  ) async throws(SessionError) -> SendResult {
    let result =
      loop.isCurrent ? offer(message.kind, message.bytes.span, key, compression) : nil
    if result == .sent { return .sent }
    return try await sendSlowly(message, key, compression, result)
  }

  /// Sends a text message, like `send(_:)`.
  @discardableResult
  public func send(_ text: String, key: String? = nil) async throws(SessionError) -> SendResult {
    try await send(Message(text), key: key)
  }

  /// Sends a message without suspending.
  ///
  /// On the loop only.
  ///
  /// The bytes are copied before it returns; text must be UTF-8. The key is what the message is the
  /// newest state of, see `SlowConsumerPolicy.latestPerKey`.
  /// - Returns: `.queued` when the caller should wait for `drained()` before it sends more. A
  ///   caller that does not wait is cut off at `limits.queuedBytesHard`, or loses messages when
  ///   `limits.slowConsumer` says so.
  @discardableResult
  public func sendNow(
    _ kind: MessageKind, _ bytes: Span<UInt8>, key: String? = nil,
    compression: MessageCompression = .automatic
  ) -> SendResult {
    if let result = offer(kind, bytes, key, compression) { return result }
    return tooSlow()
  }

  /// Sends a message unless so much waits already that it has no room; nil then.
  @usableFromInline
  func offer(
    _ kind: MessageKind, _ bytes: Span<UInt8>, _ key: String?, _ compression: MessageCompression
  ) -> SendResult? {
    guard case .open = state else { return .closed }
    if !subscriptions.isEmpty { flushTopics() }
    guard !hasDetour, let carrier, carrier.queuedBytes < shared.fullBytes else {
      return offer(WaitingMessages.Entry(Message(kind, copying: bytes), compression, key: key))
    }
    carrier.send(kind, bytes, compression)
    rare?.expiry?.lastMessage = loop.now
    return carrier.queuedBytes < shared.value.queuedBytes ? .sent : .queued
  }

  /// Sends messages of a topic.
  ///
  /// On the loop.
  func send(_ broadcast: Broadcast) {
    guard case .open = state else { return }
    guard !hasDetour, let carrier, carrier.queuedBytes < shared.fullBytes,
      // What drops messages has to look at each when they are many.
      !shared.value.slowConsumer.drops || broadcast.items.count == 1
        || broadcast.payloadBytes < shared.fullBytes - carrier.queuedBytes
    else { return sendEach(broadcast) }
    carrier.send(broadcast)
    rare?.expiry?.lastMessage = loop.now
  }

  /// Waits until less waits to be sent than `limits.queuedBytes`, or the session has ended.
  public func drained() async {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        if isCongested {
          changeSlowConsumer { $0.counters.suspended += 1 }
          unsafe needRare().drainWaiters.append(continuation)
        } else {
          unsafe continuation.resume()
        }
      }
    }
  }

  /// The messages of the peer, in order.
  ///
  /// The sequence ends when the session was closed by either side, and throws
  /// `SessionError.lost` when it was lost. Unread messages are delivered first. A reader that
  /// falls behind slows the peer down.
  @inlinable
  public var messages: Messages { Messages(session: self) }

  /// Calls `body` for each message on the loop, without a copy and without waking a task, until
  /// the session ends.
  ///
  /// The bytes are void after the call. `body` must not block.
  /// - Throws: `SessionError.lost` when the session was lost.
  public func forEach(
    _ body: @escaping @Sendable (MessageKind, Span<UInt8>) -> Void
  ) async throws(SessionError) {
    loop.execute { [self] in receive(body) }
    let end = await ended()
    if !end.isClean { throw .lost(end) }
  }

  /// Calls `body` for each message from now on.
  ///
  /// On the loop; what already waits comes first.
  public func receive(_ body: @escaping (MessageKind, Span<UInt8>) -> Void) {
    while let message = inbox.popFirst() { body(message.kind, message.bytes.span) }
    if hasEnded { return }
    onMessage = body
    unblock()
  }

  /// Calls `body` when the session has ended.
  ///
  /// On the loop; at once if it has.
  public func whenEnded(_ body: @escaping (SessionEnd) -> Void) {
    if hasEnded { return body(endSoFar) }
    needRare().onClose = body
  }

  /// The next message if one waits.
  ///
  /// On the loop.
  @usableFromInline
  func takeNow() -> Message? {
    guard loop.isCurrent, let message = inbox.popFirst() else { return nil }
    if isBlocked, inbox.isEmpty { unblock() }
    return message
  }

  @usableFromInline
  func waitForMessage() async throws(SessionError) -> Message? {
    let delivery: Delivery
    if loop.isCurrent, isHandlerTask {
      // Nobody can cancel the task that the server itself runs the handler in.
      delivery = unsafe await withUnsafeContinuation { unsafe park($0, wait: 0) }
    } else {
      let wait = Self.lastWait.wrappingAdd(1, ordering: .relaxed).newValue
      delivery = await withTaskCancellationHandler {
        unsafe await withUnsafeContinuation { continuation in
          loop.execute { [self] in unsafe park(continuation, wait: wait) }
          // A task that was cancelled before this called the handler too early to end anything.
          if Task.isCancelled { giveUp(wait) }
        }
      } onCancel: {
        giveUp(wait)
      }
    }
    switch delivery {
    case .message(let message): return message
    case .end(let end) where end.isClean || end.isLocal: return nil
    case .end(let end): throw .lost(end)
    }
  }

  /// Whether the caller runs in the very task of the session's handler, and not in a child of it.
  private var isHandlerTask: Bool { handlerTask != 0 && Self.currentTask == handlerTask }

  /// What tells the present task from all others that live; 0 outside of one.
  private static var currentTask: UInt {
    // The handle is one reference; its own hash would go through a `Hasher` for each message.
    unsafe withUnsafeCurrentTask { unsafe unsafeBitCast($0, to: UInt.self) }
  }

  /// Notes that the present task runs the handler, and that nobody else has a handle of it.
  func adoptHandlerTask() {
    handlerTask = Self.currentTask
  }

  private func park(_ continuation: UnsafeContinuation<Delivery, Never>, wait: UInt64) {
    if let message = inbox.popFirst() {
      if isBlocked, inbox.isEmpty { unblock() }
      unsafe continuation.resume(returning: .message(message))
    } else if hasEnded {
      unsafe continuation.resume(returning: .end(endSoFar))
    } else {
      unsafe precondition(reader == nil, "two tasks read the messages of one session")
      unsafe reader = unsafe continuation
      readerWait = wait
    }
  }

  private func giveUp(_ wait: UInt64) {
    loop.post { [self] in
      guard let reader = unsafe reader, readerWait == wait else { return }
      unsafe self.reader = nil
      unsafe reader.resume(
        returning: .end(SessionEnd(code: .normal, reason: "cancelled", isLocal: true)))
    }
  }

  private func unblock() {
    guard isBlocked, isOpen else { return }
    isBlocked = false
    carrier?.resumeDelivery()
    rare?.link?.resumeDelivery()
  }

  /// Ends the session: what was sent is delivered, then the peer is told.
  ///
  /// - Parameters:
  ///   - code: Why.
  ///   - reason: For the peer's log; at most 123 bytes are sent.
  public func close(_ code: CloseCode = .normal, _ reason: String = "") {
    loop.execute { [self] in closeNow(code, reason) }
  }

  func closeNow(_ code: CloseCode, _ reason: String) {
    guard case .open = state else { return }
    if !subscriptions.isEmpty {
      flushTopics()
      unsubscribeAll()
    }
    if hasDetour { moveAllOn() }
    state = .closing
    if let link = rare?.link { link.close(code, reason) } else { carrier?.close(code, reason) }
  }

  /// Ends the session without a word to the peer.
  public func abort() {
    loop.execute { [self] in abortNow() }
  }

  /// Waits for the session's end.
  public func ended() async -> SessionEnd {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        if hasEnded {
          unsafe continuation.resume(returning: endSoFar)
        } else {
          unsafe needRare().endWaiters.append(continuation)
        }
      }
    }
  }

  /// Whether messages can be sent.
  ///
  /// On the loop.
  public var isOpen: Bool {
    if case .open = state { return true }
    return false
  }

  var hasEnded: Bool { if case .ended = state { true } else { false } }

  var endSoFar: SessionEnd {
    if let past = rare?.past { return past.end }
    return SessionEnd(code: .normal, reason: "closing", isLocal: true)
  }

  /// The messages that wait go before all others, from now on.
  func takeDetour() { hasDetour = true }

  /// No messages wait any more.
  func endDetour() { hasDetour = rare?.link != nil || rare?.onControl != nil }

  func needRare() -> Rare {
    if let rare { return rare }
    let rare = Rare()
    self.rare = rare
    return rare
  }

  /// What was moved so far.
  public func traffic() async -> Traffic {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in unsafe continuation.resume(returning: trafficNow) }
    }
  }

  /// What was moved so far.
  ///
  /// On the loop.
  public var trafficNow: Traffic {
    if let past = rare?.past { return past.traffic }
    var traffic = carrier?.traffic ?? Traffic()
    // Below HTTP, where the streams are: no transport has to know of it.
    traffic.sent.tls = traffic.streams.reduce(0) { $0 &+ $1.tlsSent }
    traffic.received.tls = traffic.streams.reduce(0) { $0 &+ $1.tlsReceived }
    if let link = rare?.link {
      traffic.sent = traffic.sent + link.beside.sent
      traffic.received = traffic.received + link.beside.received
    }
    return traffic
  }

  /// When the steps of the opening were done; all 0 on the server's side.
  ///
  /// On the loop.
  public var opening: Opening { rare?.opening?.times ?? Opening() }

  /// The WebSocket subprotocol that both sides agreed on (RFC 6455 §1.9), or nil.
  ///
  /// On the loop.
  public var subprotocol: String? { rare?.subprotocol }

  /// The subject of the client's certificate (RFC 2253 text, such as "CN=client 7"), that of the
  /// connection that opened the session; nil when it showed none, or was not asked
  /// (`TLSServerOptions.clientCertificates`), and on the client's side.
  ///
  /// On the loop.
  public var peerCertificateSubject: String? { rare?.peerCertificateSubject }

  func setPeerCertificateSubject(_ subject: String?) {
    if let subject { needRare().peerCertificateSubject = subject }
  }

  func setSubprotocol(_ name: String?) {
    if let name { needRare().subprotocol = name }
  }

  /// The last round-trip time that a ping measured, in nanoseconds; nil before the first, and on
  /// transports that have no ping.
  ///
  /// On the loop.
  public var roundTripNanoseconds: UInt64? { (carrier as? WebSocketTransport)?.roundTrip }

  /// Pings the peer of a WebSocket and waits for the answer.
  ///
  /// - Returns: The round-trip time in nanoseconds; nil when the session ends first, or is carried
  ///   by a transport that has no ping.
  public func ping() async -> UInt64? {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        guard isOpen, let socket = carrier as? WebSocketTransport else {
          return unsafe continuation.resume(returning: nil)
        }
        socket.ping { unsafe continuation.resume(returning: $0) }
      }
    }
  }

  /// Keeps the session exact from now on, whatever carries it.
  func link(by link: SessionLink) {
    needRare().link = link
    hasDetour = true
    needRare().onControl = nil
    needRare().onClose = nil
    link.session = self
  }

  /// The bytes of messages that wait for a reader.
  var unreadBytes: Int { Int(inbox.bytes) }

  /// Whether the peer has to wait for the reader.
  var isHeldBack: Bool { isBlocked }

  /// What keeps it exact, if anything does.
  var link: SessionLink? { rare?.link }
  var linkHistory: SessionLink.History? { rare?.link?.history ?? rare?.past?.link }

  /// Another connection carries the session; nil while there is none.
  func carry(by carrier: (any LinkCarrier)?) {
    self.carrier = carrier
    if let carrier { transport = carrier.kind }
  }

  /// Ends the session without a word to the peer, on the loop.
  func abortNow() {
    if let link = rare?.link { link.abort() } else { carrier?.abort() }
  }

  /// Gives its connection to another session, and is over without a word.
  func surrender() -> (any LinkCarrier)? {
    let carrier = carrier as? any LinkCarrier
    self.carrier = nil
    state = .ended
    rare?.expiry?.cancel(on: loop)
    rare?.expiry = nil
    rare?.onControl = nil
    return carrier
  }

  /// Hands control lines to `body` until the session is linked.
  func onControl(_ body: ((ControlLine) -> Void)?) {
    needRare().onControl = body
    hasDetour = true
  }

  func recovered(_ recovery: SessionRecovery) { rare?.onRecovery?(recovery) }

  func setOnRecovery(_ body: @escaping (SessionRecovery) -> Void) { needRare().onRecovery = body }

  func setOpening(_ opening: Opening) { needRare().opening = OpeningTimes(opening) }

  /// Hands a message to the reader.
  ///
  /// For transports; on the loop.
  ///
  /// - Returns: false when no more should be delivered until `Transport.resumeDelivery`.
  public func deliver(_ kind: MessageKind, _ payload: Span<UInt8>) -> Bool {
    hasDetour ? deliverLinked(kind, payload) : accept(kind, payload)
  }

  /// The same with a payload that nobody else keeps.
  func deliver(_ message: Message) -> Bool {
    hasDetour
      ? deliverLinked(message.kind, message.bytes.span)
      : accept(message.kind, message.bytes.span, message)
  }

  private func deliverLinked(_ kind: MessageKind, _ payload: Span<UInt8>) -> Bool {
    if let link = rare?.link { return link.deliver(kind, payload) }
    if rare?.onControl != nil, isControl(kind, payload) { return true }
    return accept(kind, payload)
  }

  /// Reads a control line of a WebSocket that is about to carry a resumable session.
  private func isControl(_ kind: MessageKind, _ payload: Span<UInt8>) -> Bool {
    guard transport == .webSocket, kind == .text, payload.count > 0, payload[0] == 0 else {
      return false
    }
    (carrier as? WebSocketTransport)?.countControl(payload.count)
    let text = Message(.text, copying: payload.extracting(1..<payload.count)).text
    if let line = ControlLine(text) { control(line) }
    return true
  }

  /// A control line came on the connection that carries the session.
  func control(_ line: ControlLine) {
    if let link = rare?.link { link.control(line) } else { rare?.onControl?(line) }
  }

  /// Hands a message to the reader, whatever the transport made of it: as `message`, if the
  /// transport has put one together, or as a copy of the payload.
  func accept(_ kind: MessageKind, _ payload: Span<UInt8>, _ message: Message? = nil) -> Bool {
    if hasEnded { return true }
    rare?.expiry?.lastMessage = loop.now
    if let opening = rare?.opening, opening.times.firstMessage == 0 {
      opening.times.firstMessage = EventLoop.clock()
    }
    if let onMessage {
      onMessage(kind, payload)
      return true
    }
    if let reader = unsafe reader {
      unsafe self.reader = nil
      unsafe reader.resume(returning: .message(message ?? Message(kind, copying: payload)))
      return true
    }
    if isOpen {
      inbox.append(message ?? Message(kind, copying: payload))
      isBlocked = inbox.isFull
      return !isBlocked
    }
    // After our close what the reader leaves must not hold up the peer's answer: it is kept as
    // long as there is room, and from then on thrown away.
    if !isBlocked { inbox.append(message ?? Message(kind, copying: payload)) }
    isBlocked = isBlocked || inbox.isFull
    return true
  }

  /// Less waits to be sent than before.
  ///
  /// For transports; on the loop.
  public func drained(_ queuedBytes: Int) {
    guard let rare, rare.link == nil, queuedBytes < shared.value.queuedBytes else { return }
    notCongested()
  }

  /// Whoever waits to send may go on.
  func notCongested() {
    guard let rare else { return }
    if hasWaiting {
      moveOn()
      if isCongested { return }
    }
    let waiters = unsafe rare.drainWaiters
    unsafe rare.drainWaiters = unsafe []
    for index in unsafe waiters.indices { unsafe waiters[index].resume() }
  }

  /// The session is over.
  ///
  /// For transports; on the loop, once.
  public func ended(_ end: SessionEnd) {
    if hasEnded || rare?.link?.survives(end) == true { return }
    let rare = needRare()
    let past = Past(end, trafficNow)
    rare.past = past
    rare.slowConsumer?.waiting = WaitingMessages()
    state = .ended
    carrier = nil
    unsubscribeAll()
    onMessage = nil
    if let reader = unsafe reader {
      unsafe self.reader = nil
      unsafe reader.resume(returning: .end(end))
    }
    let (drainWaiters, endWaiters, onClose) = unsafe (
      rare.drainWaiters, rare.endWaiters, rare.onClose
    )
    unsafe rare.drainWaiters = unsafe []
    unsafe rare.endWaiters = unsafe []
    rare.onClose = nil
    rare.expiry?.cancel(on: loop)
    rare.expiry = nil
    for index in unsafe drainWaiters.indices { unsafe drainWaiters[index].resume() }
    for index in unsafe endWaiters.indices { unsafe endWaiters[index].resume(returning: end) }
    let link = rare.link
    rare.link = nil
    rare.onControl = nil
    rare.onRecovery = nil
    link?.ended(end)
    past.link = link?.history
    onClose?(end)
    home?.forget(self)
    home = nil
  }
}
