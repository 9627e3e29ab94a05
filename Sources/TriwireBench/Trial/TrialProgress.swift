/// How far a trial is, for whoever watches it.
public struct TrialProgress: Sendable, Equatable {
  /// The parts of a trial, in order.
  public enum Phase: String, Sendable {
    /// The server starts and clients connect.
    case connecting
    /// Clients are connected and do nothing.
    case idling
    /// Messages flow and are not measured yet.
    case warmingUp = "warming up"
    /// Messages flow and are measured.
    case measuring
  }

  /// Which part it is in.
  public var phase: Phase
  /// How many clients are connected.
  public var connected: Int
  /// How much of its part is over, from 0 to 1; `nil` is not known.
  public var part: Double?
  /// Messages that arrived in the last while, per second.
  public var messagesPerSecond: Double
  /// The median of latency so far in nanoseconds, when enough messages arrived.
  public var p50: UInt64?
  /// The 99th percentile of latency so far in nanoseconds, when enough messages arrived.
  public var p99: UInt64?
  /// Sessions that ended before they should.
  public var errors: Int

  /// Progress with these figures.
  public init(
    phase: Phase, connected: Int = 0, part: Double? = nil, messagesPerSecond: Double = 0,
    p50: UInt64? = nil, p99: UInt64? = nil, errors: Int = 0
  ) {
    self.phase = phase
    self.connected = connected
    self.part = part
    self.messagesPerSecond = messagesPerSecond
    self.p50 = p50
    self.p99 = p99
    self.errors = errors
  }
}
