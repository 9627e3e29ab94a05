import TriwireIO

/// The subscribers of a topic on one loop, and what was published to them in this turn.
final class TopicShard: TurnEnd, @unchecked Sendable {
  let loop: EventLoop
  private let pending = Guarded(Pending())
  // Touched on the loop alone.
  private var members: [Subscription] = []
  private var hasPublishedHere = false

  private struct Pending {
    var items: [Broadcast.Item] = []
    var isScheduled = false
    var hasMembers = false
  }

  init(loop: EventLoop) { self.loop = loop }

  /// Takes a message for the subscribers here; from any thread.
  func append(_ item: Broadcast.Item) {
    let mustSchedule = pending.withLock { pending in
      guard pending.hasMembers else { return false }
      pending.items.append(item)
      defer { pending.isScheduled = true }
      return !pending.isScheduled
    }
    if loop.isCurrent {
      hasPublishedHere = true
      if mustSchedule { loop.atEndOfTurn(self) }
    } else if mustSchedule {
      loop.post { [self] in loop.atEndOfTurn(self) }
    }
  }

  func takePending() -> [Broadcast.Item] {
    pending.withLock { pending in
      defer { pending.items = [] }
      return pending.items
    }
  }

  /// The same, and from now on what is published waits for one who is about to be added.
  func takePendingBeforeMember() -> [Broadcast.Item] {
    pending.withLock { pending in
      pending.hasMembers = true
      defer { pending.items = [] }
      return pending.items
    }
  }

  func turnEnded() {
    let items = pending.withLock { pending in
      defer {
        pending.items = []
        pending.isScheduled = false
      }
      return pending.items
    }
    deliver(items)
  }

  /// Delivers what was published from this loop and waits for the end of the turn, so that it
  /// keeps its place before what is sent to a subscriber directly.
  func flushOwn() {
    guard hasPublishedHere else { return }
    deliver(takePending())
  }

  private func deliver(_ items: [Broadcast.Item]) { deliver(items, to: members) }

  private func deliver(_ items: [Broadcast.Item], to members: [Subscription]) {
    hasPublishedHere = false
    guard !items.isEmpty else { return }
    let broadcast = Broadcast(items)
    let exceptions = items.compactMap { $0.exception == 0 ? nil : $0.exception }
    // A member that ends meanwhile leaves the array, not this copy; it ignores what it gets then.
    for member in members {
      let session = member.session
      if exceptions.isEmpty || !exceptions.contains(session.id) {
        session.send(broadcast)
      } else {
        let others = items.filter { $0.exception != session.id }
        if !others.isEmpty { session.send(Broadcast(others)) }
      }
    }
  }

  /// Adds a member, and delivers to those before it what `takePendingBeforeMember` gave.
  func add(_ session: Session, to topic: Topic, waiting: [Broadcast.Item]) -> Subscription {
    let subscription = Subscription(session: session, topic: topic, shard: self)
    let others = members
    subscription.index = others.count
    // First, so that the shard has a member even if the delivery ends all others.
    members.append(subscription)
    deliver(waiting, to: others)
    return subscription
  }

  func remove(_ subscription: Subscription) {
    let index = subscription.index
    guard index < members.count, members[index] === subscription else { return }
    let last = members.removeLast()
    if last !== subscription {
      members[index] = last
      last.index = index
    }
    if members.isEmpty { pending.withLock { $0.hasMembers = false } }
  }

  /// Whether anybody subscribes here; from any thread.
  var hasMembers: Bool { pending.withLock { $0.hasMembers } }
}

/// One session's place in a topic; belongs to the session's loop.
final class Subscription {
  let session: Session
  let topic: Topic
  let shard: TopicShard
  var index = 0

  init(session: Session, topic: Topic, shard: TopicShard) {
    self.session = session
    self.topic = topic
    self.shard = shard
  }
}

extension Session {
  /// Subscribes to a topic, from the next message on or after a position.
  ///
  /// On the loop, where server handlers run. Subscribing twice changes nothing.
  ///
  /// A position of another life of the topic, as before a restart of the server, and one that is
  /// older than what the topic keeps, leave a gap: the session gets all that is kept, and the
  /// application has to send it the state anew. The client of a plain event stream is told by an
  /// event of type "gap" before what follows.
  /// - Parameters:
  ///   - topic: The topic.
  ///   - position: The last message the client has seen, such as `lastEventPosition`; it gets what
  ///     came after it and is still kept. nil begins with the next message.
  /// - Returns: Whether nothing is missing: it gets, or has, all that came after the position.
  @discardableResult
  public func subscribe(to topic: Topic, after position: TopicPosition? = nil) -> Bool {
    precondition(loop.isCurrent, "subscribe on the session's loop")
    guard isOpen else { return false }
    guard !subscriptions.contains(where: { $0.topic === topic }) else { return true }
    let (subscription, isComplete) = topic.add(self, after: position)
    subscriptions.append(subscription)
    return isComplete
  }

  /// Leaves a topic.
  ///
  /// On the loop.
  public func unsubscribe(from topic: Topic) {
    guard let subscription = subscriptions.first(where: { $0.topic === topic }) else { return }
    // What was published before on this loop is still for it.
    subscription.shard.flushOwn()
    subscriptions.removeAll { $0 === subscription }
    subscription.shard.remove(subscription)
  }

  /// The position that a returning event-stream client names in `Last-Event-ID`
  /// (WHATWG HTML §9.2.4), or nil.
  ///
  /// Always nil in a resumable session, whose events have positions of their own.
  public var lastEventPosition: TopicPosition? {
    // An empty one says that no event had an id.
    guard !isResumable, let id = request.headers["Last-Event-ID"], !id.isEmpty else { return nil }
    return TopicPosition(id)
  }

  /// Tells the client of a plain event stream that messages before a position are missing.
  func tellGap(in topic: String, at start: TopicPosition) {
    guard isOpen, !isResumable else { return }
    (carrier as? EventStreamTransport)?.sendGap(in: topic, at: start)
  }

  func unsubscribeAll() {
    for subscription in subscriptions { subscription.shard.remove(subscription) }
    subscriptions = []
  }

  func flushTopics() {
    for subscription in subscriptions { subscription.shard.flushOwn() }
  }
}
