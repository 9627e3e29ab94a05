/// What happens to messages for a peer that reads too slowly; the same on every transport, on both
/// sides, and for topics as for what is sent directly.
///
/// A peer is behind while `SessionLimits.queuedBytes` wait for it; that of a resumable session while
/// `ResumeOptions.windowBytes` or `windowMessages` do. What was handed on before is always delivered.
///
/// The policies that drop keep what comes then in a queue of its own, bounded by
/// `SessionLimits.slowConsumerMessages` and `slowConsumerBytes`. It moves on, in order, as the peer
/// reads; when it is full, the policy says which message is dropped. Messages are dropped whole and
/// before they are encoded or numbered, so that the peer gets a whole stream, in order, without them.
/// None of them ever waits for the peer or ends the session.
public enum SlowConsumerPolicy: Sendable, Hashable, CaseIterable {
  /// The producer waits: `Session.send` suspends until the peer has caught up.
  ///
  /// Who cannot be made to wait, `Session.sendNow` and topics, may go on up to
  /// `SessionLimits.queuedBytesHard` (`ResumeOptions.windowBytesHard`), and then the session is
  /// closed with 1013.
  case suspend
  /// The message that waits longest gives way to the new one.
  case dropOldest
  /// The new message is dropped.
  case dropNewest
  /// A new message drops the one of the same key that waits.
  ///
  /// The new one goes to the end, as the order of messages is never changed. A key that changes so
  /// often that it would never have its turn gets it all the same: a message that has seen as many
  /// others leave as wait is not dropped for a newer one.
  ///
  /// A message without a key replaces none and is replaced by none. When the queue is full of
  /// messages that the new one does not replace, the oldest gives way.
  case latestPerKey
  /// The session is closed with 1013 when `SessionLimits.queuedBytesHard`
  /// (`ResumeOptions.windowBytesHard`) wait for its peer; nobody waits for it, `Session.send`
  /// neither.
  case close

  /// Whether the session goes on and does without some messages.
  var drops: Bool {
    switch self {
    case .dropOldest, .dropNewest, .latestPerKey: true
    case .suspend, .close: false
    }
  }
}

/// What a slow peer has led to so far.
public struct SlowConsumerCounters: Sendable, Equatable, Codable {
  /// Messages that were dropped since newer ones came, without regard to their keys.
  public var droppedOldest: UInt64 = 0
  /// Messages that were dropped when they came.
  public var droppedNewest: UInt64 = 0
  /// Messages that were dropped for a newer one of the same key.
  public var replaced: UInt64 = 0
  /// How often somebody who sent was made to wait, by `Session.send` or `Session.drained()`.
  public var suspended: UInt64 = 0
  /// Sessions that were closed with 1013: of one session, 0 or 1.
  public var closed: UInt64 = 0

  /// Counts nothing yet.
  public init() {}

  /// Messages that were sent and never handed on.
  public var dropped: UInt64 { droppedOldest + droppedNewest + replaced }

  /// The sum of two counts.
  public static func + (
    left: SlowConsumerCounters, right: SlowConsumerCounters
  ) -> SlowConsumerCounters {
    var sum = left
    sum.droppedOldest += right.droppedOldest
    sum.droppedNewest += right.droppedNewest
    sum.replaced += right.replaced
    sum.suspended += right.suspended
    sum.closed += right.closed
    return sum
  }

  /// What was added since an earlier reading.
  public static func - (
    left: SlowConsumerCounters, right: SlowConsumerCounters
  ) -> SlowConsumerCounters {
    var difference = left
    difference.droppedOldest -= right.droppedOldest
    difference.droppedNewest -= right.droppedNewest
    difference.replaced -= right.replaced
    difference.suspended -= right.suspended
    difference.closed -= right.closed
    return difference
  }
}
