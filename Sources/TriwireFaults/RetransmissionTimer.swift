/// How long a sender waits for an acknowledgement before it sends a segment again, as Linux does.
///
/// Round trips that it sees set the wait (RFC 6298 §2): their smoothed mean, and a variance of 200 ms
/// at least. A segment that nothing follows is probed sooner where that is sooner (RFC 8985 §7.2).
/// Linux lets the variance grow slowly when round trips become shorter; it is done here as well. All
/// times are in nanoseconds.
struct RetransmissionTimer {
  /// Linux waits as long for an acknowledgement, beyond the round trips themselves.
  static let minimum: UInt64 = 200_000_000

  private var smoothed: Int64
  /// Four times the mean deviation.
  private var deviation: Int64 = 0
  private var variance = Int64(minimum)

  /// The timer of a connection that has seen many round trips, all alike.
  init(roundTrip: UInt64) { smoothed = Int64(roundTrip) }

  /// When a segment is sent again after it was sent again in vain; doubled each time.
  var timeout: UInt64 { UInt64(smoothed + variance) }

  /// When a segment that nothing follows is sent again first.
  var probe: UInt64 { min(UInt64(2 * smoothed) + Self.minimum, timeout) }

  /// How much later a segment leaves that was lost so often.
  func hold(_ losses: UInt64) -> UInt64 {
    losses == 0 ? 0 : probe + timeout * (1 << (losses - 1) - 1)
  }

  /// Takes a round trip into account that was seen.
  mutating func saw(_ roundTrip: UInt64) {
    let error = Int64(clamping: roundTrip) - smoothed
    smoothed += error / 8
    var change = abs(error) - deviation / 4
    if error < 0, change > 0 { change /= 8 }
    deviation += change
    let highest = max(deviation, Int64(Self.minimum))
    variance = highest > variance ? highest : variance - (variance - highest) / 4
  }
}
