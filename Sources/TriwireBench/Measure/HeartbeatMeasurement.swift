/// What it costs to keep an idle session alive, heartbeat by heartbeat.
///
/// It was measured on one session whose server keeps it alive at a shorter interval: the bytes of a
/// heartbeat do not depend on how often there is one.
public struct HeartbeatMeasurement: Sendable, Equatable, Codable {
  /// How many heartbeats were measured.
  public var beats: UInt64
  /// Bytes of IP packets from client to server, per heartbeat.
  public var wireBytesUp: Double
  /// Bytes of IP packets from server to client, per heartbeat.
  public var wireBytesDown: Double
  /// Packets of both sides, pure acknowledgements included, per heartbeat.
  public var packets: Double
  /// How often there is one in the sessions of the trial, in seconds.
  public var secondsBetween: Double

  /// Heartbeats in an hour.
  var perHour: Double { secondsBetween > 0 ? 3600 / secondsBetween : 0 }
}

extension Pool {
  /// A figure of heartbeats per hour, the mean over repetitions; `nil` where none were measured.
  func heartbeatsPerHour(_ part: (HeartbeatMeasurement) -> Double) -> Double? {
    let known = trials.compactMap(\.heartbeat)
    guard !known.isEmpty else { return nil }
    return known.reduce(0) { $0 + part($1) * $1.perHour } / Double(known.count)
  }
}
