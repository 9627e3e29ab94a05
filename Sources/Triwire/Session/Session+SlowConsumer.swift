import TriwireCodec

/// What a session has that its peer cannot keep up with.
final class SlowConsumer {
  var counters = SlowConsumerCounters()
  var waiting = WaitingMessages()
}

// What happens to messages that do not simply pass to the carrier.
extension Session {
  /// What a slow peer has led to so far.
  ///
  /// On the loop; also after the end.
  public var slowConsumerCounters: SlowConsumerCounters {
    rare?.slowConsumer?.counters ?? SlowConsumerCounters()
  }

  /// Whether messages wait that were not handed on yet.
  var hasWaiting: Bool { rare?.slowConsumer?.waiting.isEmpty == false }

  /// Whether `send` had better wait, or messages wait in a queue of their own.
  var isCongested: Bool {
    guard !hasEnded else { return false }
    return hasWaiting || isBehind
  }

  /// Whether as much was handed on as should be.
  private var isBehind: Bool {
    if let link { return link.isCongested }
    return carrier.map { $0.queuedBytes >= limits.queuedBytes } ?? false
  }

  /// Sends a message that is not known to pass; nil when it has no room.
  func offer(_ entry: WaitingMessages.Entry) -> SendResult? {
    if let link { return offer(entry, to: link) }
    guard let carrier else { return .closed }
    if carrier.queuedBytes >= limits.queuedBytes || hasWaiting {
      if limits.slowConsumer.drops { return wait(entry) }
      if carrier.queuedBytes >= limits.queuedBytesHard { return nil }
    }
    pass(entry)
    return carrier.queuedBytes >= limits.queuedBytes ? .queued : .sent
  }

  private func offer(_ entry: WaitingMessages.Entry, to link: SessionLink) -> SendResult? {
    if limits.slowConsumer.drops {
      if link.isCongested || hasWaiting { return wait(entry) }
    } else if link.hasNoRoom {
      return nil
    }
    link.send(entry.message, entry.compression)
    rare?.expiry?.lastMessage = loop.now
    return link.isCongested ? .queued : .sent
  }

  /// Goes on with a message that was not simply sent; `first` says what became of it on the loop,
  /// and is nil when it had no room, or the caller is not there.
  @usableFromInline
  func sendSlowly(
    _ message: Message, _ key: String?, _ compression: MessageCompression, _ first: SendResult?
  ) async throws(SessionError) -> SendResult {
    let policy = limits.slowConsumer
    var result = first
    while result == nil {
      result = unsafe await withUnsafeContinuation { continuation in
        loop.execute { [self] in
          let result = offer(message.kind, message.bytes.span, key, compression)
          unsafe continuation.resume(returning: result ?? (policy == .close ? tooSlow() : nil))
        }
      }
      // Many tasks that each wait for their turn are no reason to cut the session off.
      if result == nil { await drained() }
    }
    switch result {
    case .sent: return .sent
    case .queued where policy == .suspend:
      await drained()
      return .sent
    case .queued:
      // A sender that never let the loop run would be ahead of a peer that reads all it gets.
      await turned()
      return policy == .close ? .sent : .queued
    case .dropped where policy.drops:
      await turned()
      return .dropped
    case .dropped, .closed, nil: throw .closed(await endKnown())
    }
  }

  /// Sends a message when the peer has caught up, so that it does not have to wait where others of
  /// its kind are dropped.
  func sendUndropped(_ message: Message) async throws(SessionError) {
    guard limits.slowConsumer.drops else {
      try await send(message)
      return
    }
    while true {
      let result: SendResult? = unsafe await withUnsafeContinuation { continuation in
        loop.execute { [self] in
          // What was published before goes before, and may leave no room.
          if isOpen { flushTopics() }
          let entry = WaitingMessages.Entry(message)
          let result = isOpen ? isCongested ? nil : offer(entry) : .closed
          unsafe continuation.resume(returning: result)
        }
      }
      switch result {
      case .sent, .queued: return
      case .closed: throw .closed(await endKnown())
      case .dropped, nil: await drained()
      }
    }
  }

  /// Sends each message of a broadcast that is not known to pass as a whole.
  func sendEach(_ broadcast: Broadcast) {
    for item in broadcast.items where isOpen {
      let entry = WaitingMessages.Entry(item.message, key: item.key, position: item.position)
      if offer(entry) == nil { _ = tooSlow() }
    }
  }

  private func wait(_ entry: WaitingMessages.Entry) -> SendResult {
    var isWaiting = false
    changeSlowConsumer { slow in
      isWaiting = slow.waiting.add(entry, limits, &slow.counters)
    }
    if hasWaiting { takeDetour() }
    return isWaiting ? .queued : .dropped
  }

  /// Hands on what waits, as much as may be.
  func moveOn() {
    guard let slow = rare?.slowConsumer else { return }
    while !isBehind, let entry = slow.waiting.popFirst() { pass(entry) }
    if slow.waiting.isEmpty { endDetour() }
  }

  /// Hands on all that waits, since nothing comes after it.
  func moveAllOn() {
    guard let slow = rare?.slowConsumer else { return }
    while let entry = slow.waiting.popFirst() { pass(entry) }
  }

  private func pass(_ entry: WaitingMessages.Entry) {
    let message = entry.message
    if let link {
      link.send(message, entry.compression)
    } else if let position = entry.position {
      let item = Broadcast.Item(message: message, position: position, exception: 0, key: entry.key)
      carrier?.send(Broadcast([item]))
    } else {
      carrier?.send(message.kind, message.bytes.span, entry.compression)
    }
    rare?.expiry?.lastMessage = loop.now
  }

  /// Closes the session, as its peer is too slow.
  func tooSlow() -> SendResult {
    let waiting = link?.backlog ?? carrier?.queuedBytes ?? 0
    let option = link == nil ? "limits.queuedBytesHard" : "resume.windowBytesHard"
    changeSlowConsumer { $0.counters.closed += 1 }
    closeNow(
      .tryAgainLater,
      "\(waiting) bytes wait unread: raise \(option) or choose another limits.slowConsumer")
    return .dropped
  }

  /// Notes something that a slow peer has led to, here and for the server.
  func changeSlowConsumer(_ change: (SlowConsumer) -> Void) {
    let rare = needRare()
    let slow = rare.slowConsumer ?? SlowConsumer()
    rare.slowConsumer = slow
    let before = slow.counters
    change(slow)
    home?.noteSlowConsumer(slow.counters - before)
  }

  /// Waits for a turn of the loop, in which what was sent goes to the kernel.
  func turned() async {
    unsafe await withUnsafeContinuation { continuation in
      loop.post { unsafe continuation.resume() }
    }
  }
}
