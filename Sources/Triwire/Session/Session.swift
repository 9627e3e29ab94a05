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
  public internal(set) var transport: TransportKind
  private let hasParameter: Bool
  var state = State.open
  var isBlocked = false
  /// Whether `rare` has a link, somebody who waits for control lines, or messages that wait.
  var hasDetour = false
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
  let shared: SharedLimits

  var carrier: (any Transport)?
  var inbox = Inbox()
  var reader: UnsafeContinuation<Delivery, Never>?
  /// Which wait the reader is in, so that a late cancellation ends its own wait and no other.
  var readerWait: UInt64 = 0
  /// Takes each message; false is that the next one waits until the peer has caught up.
  var onMessage: ((MessageKind, Span<UInt8>) -> Bool)?
  /// The server's list of sessions that this one is in; `homeIndex` is its place there.
  var home: ServerLoop?
  var handlerTask: UInt = 0
  var rare: Rare?
  var subscriptions: [Subscription] = []

  enum State {
    case open
    /// We said that it ends.
    case closing
    /// How is in `rare`.
    case ended
  }

  private static let lastID = Atomic<UInt64>(0)
  static let lastWait = Atomic<UInt64>(0)

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
          link?.senderWaits()
        } else {
          unsafe continuation.resume()
        }
      }
    }
  }

  /// Calls `body` when the session has ended.
  ///
  /// On the loop; at once if it has.
  public func whenEnded(_ body: @escaping (SessionEnd) -> Void) {
    if hasEnded { return body(endSoFar) }
    needRare().onClose = body
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

  /// How it ended, or that it is about to; on the loop.
  var endSoFar: SessionEnd {
    if let past = rare?.past { return past.end }
    return SessionEnd(code: .normal, reason: "closing", isLocal: true)
  }

  /// The same, from anywhere.
  func endKnown() async -> SessionEnd {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in unsafe continuation.resume(returning: endSoFar) }
    }
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

  /// Hands a message to the reader, whatever the transport made of it: as `message`, if the
  /// transport has put one together, or as a copy of the payload.
  func accept(_ kind: MessageKind, _ payload: Span<UInt8>, _ message: Message? = nil) -> Bool {
    if hasEnded { return true }
    rare?.expiry?.lastMessage = loop.now
    if let opening = rare?.opening, opening.times.firstMessage == 0 {
      opening.times.firstMessage = EventLoop.clock()
    }
    if let onMessage, !isBlocked {
      // This one is read, and whoever sent it may be told so; those that follow have to wait.
      if !onMessage(kind, payload) { _ = waitsToReadOn() }
      return true
    }
    if let reader = unsafe reader {
      unsafe self.reader = nil
      unsafe reader.resume(returning: .message(message ?? Message(kind, copying: payload)))
      return true
    }
    if isOpen {
      inbox.append(message ?? Message(kind, copying: payload))
      isBlocked = isBlocked || inbox.isFull
      return !inbox.isFull
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
    guard rare.readsOnWhenDrained else { return }
    rare.readsOnWhenDrained = false
    readOn()
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
    while let onMessage, let message = inbox.popFirst() {
      _ = onMessage(message.kind, message.bytes.span)
    }
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
