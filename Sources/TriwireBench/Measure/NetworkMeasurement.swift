/// What the imitated network of a trial did, and how well it was imitated.
public struct NetworkMeasurement: Sendable, Equatable, Codable {
  /// Segments that travelled, in both directions.
  public var segments: UInt64
  /// Segments of these that were lost at first.
  public var lostSegments: UInt64
  /// How much later than it should the relay let go of bytes, while messages were measured: what it adds
  /// by itself.
  public var lateMicroseconds: Durations
}
