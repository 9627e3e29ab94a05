import TriwireIO

/// A named feed that many sessions may subscribe to.
///
/// Every method may be called from any thread. All subscribers get the messages in the same
/// order, each encoded once per transport and loop. The newest messages are kept, so that a
/// subscriber that was away gets what it missed.
public final class Topic: Sendable {
  /// How much of the past a topic keeps; what exceeds either bound is forgotten, oldest first.
  public struct History: Sendable, Equatable {
    /// Messages kept; 1,000 by default.
    public var messages = 1000
    /// Bytes of their payloads kept; 1 MiB by default.
    public var bytes = 1 << 20

    /// The default bounds.
    public init() {}
  }

  /// The name.
  public let name: String
  /// This life of the topic.
  private let epoch = SessionToken.newEpoch()
  private let history: History
  private let state: Guarded<State>

  private struct State {
    var last: UInt64 = 0
    var past: [Broadcast.Item] = []
    var forgotten = 0
    var pastBytes = 0
    var shards: [TopicShard] = []
  }

  /// A topic that no server knows by its name.
  package init(name: String, history: History = History()) {
    self.name = name
    self.history = history
    state = Guarded(State())
  }

  /// The position of the newest message; `beginning` before the first.
  ///
  /// Who reads some state and then subscribes after the position of before misses nothing.
  public var position: TopicPosition { state.withLock { position($0.last) } }

  /// The position before the first message.
  public var beginning: TopicPosition { position(0) }

  private func position(_ number: UInt64) -> TopicPosition {
    TopicPosition(epoch: epoch, number: number)
  }

  /// Whether any session is subscribed.
  public var hasSubscribers: Bool { state.withLock { $0.shards.contains { $0.hasMembers } } }

  /// Sends a message to all subscribers.
  ///
  /// A subscriber that reads too slowly disturbs no other: what happens to its messages is up to its
  /// session's `SessionLimits.slowConsumer`.
  /// - Parameters:
  ///   - message: The message.
  ///   - key: What it is the newest state of; see `SlowConsumerPolicy.latestPerKey`.
  ///   - sender: A subscriber that does not get it, as it said it itself.
  /// - Returns: The message's position in the topic.
  @discardableResult
  public func publish(
    _ message: Message, key: String? = nil, except sender: Session? = nil
  ) -> TopicPosition {
    state.withLock { state in
      state.last += 1
      let item = Broadcast.Item(
        message: message, position: position(state.last), exception: sender?.id ?? 0, key: key)
      remember(item, in: &state)
      // Under the lock, so that every loop sees the same order.
      for shard in state.shards { shard.append(item) }
      return item.position
    }
  }

  private func remember(_ item: Broadcast.Item, in state: inout State) {
    state.past.append(item)
    state.pastBytes += item.message.bytes.count
    while state.past.count - state.forgotten > history.messages || state.pastBytes > history.bytes {
      state.pastBytes -= state.past[state.forgotten].message.bytes.count
      state.forgotten += 1
    }
    if state.forgotten > 64, state.forgotten * 2 > state.past.count {
      state.past.removeFirst(state.forgotten)
      state.forgotten = 0
    }
  }

  /// Adds a session; on its loop.
  ///
  /// The position is what the session has seen: it gets what came later and is still kept, or all
  /// that is kept when it has seen another life of the topic. nil begins with the next message.
  func add(_ session: Session, after position: TopicPosition?) -> (Subscription, isComplete: Bool) {
    let shard = state.withLock { state in
      if let shard = state.shards.first(where: { $0.loop === session.loop }) { return shard }
      let shard = TopicShard(loop: session.loop)
      state.shards.append(shard)
      return shard
    }
    let (waiting, start, missed) = state.withLock {
      (state: inout State) -> ([Broadcast.Item], TopicPosition, [Broadcast.Item]) in
      let start = place(after: position, state)
      let missed = state.past.suffix(Int(state.last - start.number))
      return (shard.takePendingBeforeMember(), start, Array(missed))
    }
    // What was published before goes to those who were there before, and from the lock on all
    // waits until this turn ends, so that the new subscriber misses nothing and gets nothing twice.
    let subscription = shard.add(session, to: self, waiting: waiting)
    let isComplete = position.map { $0 == start } ?? true
    if !isComplete { session.tellGap(in: name, at: start) }
    if !missed.isEmpty { session.send(Broadcast(missed)) }
    return (subscription, isComplete)
  }

  /// The position after which all that came is kept, from the one that was seen on if there is no gap.
  private func place(after position: TopicPosition?, _ state: State) -> TopicPosition {
    let forgotten = state.last - UInt64(state.past.count - state.forgotten)
    guard let position else { return self.position(state.last) }
    let isKnown = position.epoch == epoch && position.number <= state.last
    return isKnown && position.number >= forgotten ? position : self.position(forgotten)
  }
}
