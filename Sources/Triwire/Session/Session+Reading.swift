import Synchronization
public import TriwireCodec
import TriwireIO

/// How the messages of the peer reach whoever reads them.
extension Session {
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
    try await endedCleanly()
  }

  /// Calls `body` for each message on the loop until the session ends, and lets the peer wait
  /// while it reads too slowly what `body` sends.
  ///
  /// For handlers that answer messages with messages: `body` gives back what `sendNow` said. After
  /// `.queued` no message is delivered until the session has `drained()`, unless
  /// `limits.slowConsumer` is not `.suspend`, as for `send(_:)`. The bytes are void after the call.
  /// `body` must not block.
  /// - Throws: `SessionError.lost` when the session was lost.
  public func forEach(
    _ body: @escaping @Sendable (MessageKind, Span<UInt8>) -> SendResult
  ) async throws(SessionError) {
    loop.execute { [self] in receive(body) }
    try await endedCleanly()
  }

  private func endedCleanly() async throws(SessionError) {
    let end = await ended()
    if !end.isClean { throw .lost(end) }
  }

  /// Calls `body` for each message from now on.
  ///
  /// On the loop; what already waits comes first.
  public func receive(_ body: @escaping (MessageKind, Span<UInt8>) -> Void) {
    read { kind, bytes in
      body(kind, bytes)
      return true
    }
  }

  /// Calls `body` for each message from now on, and waits with the next one after `.queued`, as
  /// `forEach` does.
  ///
  /// On the loop; what already waits comes first.
  public func receive(_ body: @escaping (MessageKind, Span<UInt8>) -> SendResult) {
    let waits = limits.slowConsumer == .suspend
    read { kind, bytes in body(kind, bytes) != .queued || !waits }
  }

  private func read(_ body: @escaping (MessageKind, Span<UInt8>) -> Bool) {
    onMessage = body
    readOn()
    // Nothing comes any more, and what is kept here would keep the session.
    if hasEnded { onMessage = nil }
  }

  /// Delivers what waits for `onMessage`, until that wants to wait for the peer.
  func readOn() {
    while let onMessage, let message = inbox.popFirst() {
      if !onMessage(message.kind, message.bytes.span), waitsToReadOn() { return }
    }
    if isOpen { unblock() } else { isBlocked = false }
  }

  /// Delivers no more until the peer has caught up; false if there is nothing to wait for.
  func waitsToReadOn() -> Bool {
    guard isOpen, isCongested else { return false }
    isBlocked = true
    needRare().readsOnWhenDrained = true
    link?.senderWaits()
    return true
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

  func unblock() {
    guard isBlocked, isOpen else { return }
    isBlocked = false
    carrier?.resumeDelivery()
    rare?.link?.resumeDelivery()
  }
}
