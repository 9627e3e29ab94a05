import Triwire

/// How latency went while messages were measured: a point for each second, or for each few seconds
/// of a long trial, so that there are never more than ``mostPoints``.
///
/// A message belongs to the point in which it was due, not to that of its arrival: a stall shows as
/// latency that falls from its length to nothing, and nobody who had to wait is left out.
public struct Timeline: Sendable, Equatable {
  /// What became of the messages that were due within one point.
  public struct Point: Sendable, Equatable {
    /// How many there were.
    public var count: UInt64
    /// Half of them took no longer, in microseconds; `nil` without any.
    public var p50: Double?
    /// 99 % of them took no longer, in microseconds; `nil` with fewer than ten above.
    public var p99: Double?
    /// The longest one took, in microseconds; `nil` without any.
    public var maximum: Double?
  }

  /// The most points there are.
  public static let mostPoints = 120

  /// How long each point is, in seconds.
  public var secondsPerPoint: Int
  /// The points, in the order of time.
  public var points: [Point]

  /// What was recorded within each point.
  init(_ histograms: [Histogram], secondsPerPoint: Int) {
    self.secondsPerPoint = secondsPerPoint
    points = histograms.map { histogram in
      let microseconds = { (duration: UInt64) in Double(duration) / 1000 }
      return Point(
        count: histogram.count,
        p50: histogram.count > 0 ? microseconds(histogram.percentile(50)) : nil,
        p99: histogram.soundPercentile(99).map(microseconds),
        maximum: histogram.count > 0 ? microseconds(histogram.maximum) : nil)
    }
  }

  /// How long each point of a time is: whole seconds, and as few as there may be.
  static func secondsPerPoint(of duration: UInt64) -> Int {
    let second: UInt64 = 1_000_000_000
    return max(1, Int((duration + second * UInt64(mostPoints) - 1) / second) / mostPoints)
  }

  /// How many times as long the last third's median took as the first third's, where latency rose all
  /// along; `nil` with fewer than six points, or where it did not rise.
  ///
  /// It rose when the slope between two points is upwards in the median of all pairs (Theil and
  /// Sen), which a burst does not change.
  public var growth: Double? {
    let medians = points.compactMap(\.p50)
    guard medians.count >= 6 else { return nil }
    let slopes = medians.indices.flatMap { one in
      medians.indices.dropFirst(one + 1).map { other in
        (medians[other] - medians[one]) / Double(other - one)
      }
    }
    let third = medians.count / 3
    let first = median(Array(medians.prefix(third)))
    guard median(slopes) > 0, first > 0 else { return nil }
    return median(Array(medians.suffix(third))) / first
  }
}

extension Timeline: Codable {
  private enum Key: String, CodingKey { case secondsPerPoint, points }

  /// Writes each point as a list of count, p50, p99 and maximum, `null` where there is none.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(secondsPerPoint, forKey: .secondsPerPoint)
    try container.encode(
      points.map { [Double($0.count), $0.p50, $0.p99, $0.maximum] }, forKey: .points)
  }

  /// Reads what was written; points of another shape are refused.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    secondsPerPoint = try container.decode(Int.self, forKey: .secondsPerPoint)
    points = try container.decode([[Double?]].self, forKey: .points).map { figures in
      guard figures.count == 4, let count = figures[0], count >= 0, count < 0x1p53 else {
        throw DecodingError.dataCorruptedError(
          forKey: .points, in: container, debugDescription: "a point has four figures")
      }
      return Point(
        count: UInt64(count), p50: figures[1], p99: figures[2], maximum: figures[3])
    }
  }
}

/// The middle of some numbers, or the mean of the two in the middle; 0 of none.
func median(_ numbers: [Double]) -> Double {
  guard !numbers.isEmpty else { return 0 }
  let sorted = numbers.sorted()
  let half = sorted.count / 2
  return sorted.count.isMultiple(of: 2) ? (sorted[half - 1] + sorted[half]) / 2 : sorted[half]
}
