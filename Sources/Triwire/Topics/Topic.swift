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
  private let history: History
  private let state: Guarded<State>

  private struct State {
    var position: UInt64 = 0
    var past: [Broadcast.Item] = []
    var forgotten = 0
    var pastBytes = 0
    var shards: [TopicShard] = []
  }

  init(name: String, history: History) {
    self.name = name
    self.history = history
    state = Guarded(State())
  }

  /// The position of the newest message; 0 before the first.
  public var position: UInt64 { state.withLock { $0.position } }

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
  /// - Returns: The message's position in the topic: 1 for the first.
  @discardableResult
  public func publish(
    _ message: Message, key: String? = nil, except sender: Session? = nil
  ) -> UInt64 {
    state.withLock { state in
      state.position += 1
      let item = Broadcast.Item(
        message: message, position: state.position, exception: sender?.id ?? 0, key: key)
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
  /// The position is what the session has seen: it gets what came later and is still kept. nil
  /// begins with the next message.
  func add(_ session: Session, after position: UInt64?) -> Subscription {
    let shard = state.withLock { state in
      if let shard = state.shards.first(where: { $0.loop === session.loop }) { return shard }
      let shard = TopicShard(loop: session.loop)
      state.shards.append(shard)
      return shard
    }
    let (waiting, missed) = state.withLock { state -> ([Broadcast.Item], [Broadcast.Item]) in
      let waiting = shard.takePendingBeforeMember()
      guard let position else { return (waiting, []) }
      // A position that was never given out belongs to another life of the topic: all is new.
      let seen = position > state.position ? 0 : position
      return (waiting, state.past[state.forgotten...].filter { $0.position > seen })
    }
    // What was published before goes to those who were there before, and from the lock on all
    // waits until this turn ends, so that the new subscriber misses nothing and gets nothing twice.
    let subscription = shard.add(session, to: self, waiting: waiting)
    if !missed.isEmpty { session.send(Broadcast(missed)) }
    return subscription
  }
}
