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
  /// Messages that arrived in the last while, per second.
  public var messagesPerSecond: Double
  /// The 99th percentile of latency so far in nanoseconds, when enough messages arrived.
  public var p99: UInt64?

  /// Progress with these figures.
  public init(
    phase: Phase, connected: Int = 0, messagesPerSecond: Double = 0, p99: UInt64? = nil
  ) {
    self.phase = phase
    self.connected = connected
    self.messagesPerSecond = messagesPerSecond
    self.p99 = p99
  }
}
