import TriwireCodec

/// Messages that a slow peer has to get before what comes later, and the rule for their number.
///
/// A queue that gives up messages in its middle: their places stay empty until half of all are.
struct WaitingMessages {
  struct Entry {
    let message: Message
    let compression: MessageCompression
    let key: String?
    /// Its position in its topic; nil when it is of none.
    let position: TopicPosition?
    /// How many messages had left the queue when its key began to wait.
    fileprivate var since: UInt64 = 0

    init(
      _ message: Message, _ compression: MessageCompression = .automatic, key: String? = nil,
      position: TopicPosition? = nil
    ) {
      self.message = message
      self.compression = compression
      self.key = key
      self.position = position
    }

    fileprivate var cost: Int { message.bytes.count + (key?.utf8.count ?? 0) }
  }

  private var places: [Entry?] = []
  private var head = 0
  private var count = 0
  private var bytes = 0
  /// How many have left.
  private var left: UInt64 = 0
  /// Where the message is that a newer one of its key replaces.
  private var newest: [String: Int] = [:]

  var isEmpty: Bool { count == 0 }

  /// Takes a message, and drops what the policy says when it has no room.
  ///
  /// One message always has room, unless none may wait.
  /// - Returns: Whether the new one waits.
  mutating func add(
    _ entry: Entry, _ limits: SessionLimits, _ counters: inout SlowConsumerCounters
  ) -> Bool {
    var entry = entry
    let keepsKeys = limits.slowConsumer == .latestPerKey
    entry.since = left
    if keepsKeys, let key = entry.key, let since = replace(key) {
      entry.since = since
      counters.replaced += 1
    }
    while count > 0, !hasRoom(for: entry.cost, limits) {
      if limits.slowConsumer == .dropNewest { break }
      dropFirst()
      counters.droppedOldest += 1
    }
    guard count == 0 ? limits.slowConsumerMessages > 0 : hasRoom(for: entry.cost, limits) else {
      counters.droppedNewest += 1
      return false
    }
    if keepsKeys, let key = entry.key { newest[key] = places.count }
    places.append(entry)
    count += 1
    bytes += entry.cost
    return true
  }

  private func hasRoom(for cost: Int, _ limits: SessionLimits) -> Bool {
    count < limits.slowConsumerMessages && cost <= limits.slowConsumerBytes - bytes
  }

  /// Drops the message of a key, unless its turn would have come by now.
  ///
  /// - Returns: Since when the key has waited; nil when nothing was dropped.
  private mutating func replace(_ key: String) -> UInt64? {
    // Else the key that changes most often would be the one that is never heard of.
    guard let index = newest[key], let older = places[index], left - older.since <= UInt64(count)
    else { return nil }
    places[index] = nil
    forget(older)
    skipEmpty()
    return older.since
  }

  /// Takes out the message that waits longest.
  mutating func popFirst() -> Entry? {
    guard count > 0, let first = places[head] else { return nil }
    dropFirst()
    left += 1
    return first
  }

  private mutating func dropFirst() {
    guard count > 0, let first = places[head] else { return }
    if let key = first.key, newest[key] == head { newest[key] = nil }
    places[head] = nil
    forget(first)
    skipEmpty()
  }

  private mutating func forget(_ entry: Entry) {
    count -= 1
    bytes -= entry.cost
  }

  /// Keeps the first place taken, and the empty ones fewer than the others.
  private mutating func skipEmpty() {
    if count == 0 {
      places.removeAll(keepingCapacity: places.count < 64)
      newest.removeAll(keepingCapacity: newest.capacity < 64)
      head = 0
      return
    }
    while places[head] == nil { head += 1 }
    guard places.count > 64, places.count > 2 * count else { return }
    places.removeAll { $0 == nil }
    head = 0
    for (index, entry) in places.enumerated() {
      // A key may have an older message before the one that can be replaced.
      if let key = entry?.key, newest[key] != nil { newest[key] = index }
    }
  }
}
