/// What became of the messages of a trial: each one is accounted for.
public struct Delivery: Sendable, Equatable, Codable {
  /// How many messages had to arrive, a broadcast counted once for each receiver.
  public var expected: UInt64
  /// How many of them arrived, each counted once.
  public var delivered: UInt64
  /// How many had not arrived at the end of the drain.
  public var lost: UInt64
  /// How many arrivals repeated a message that was there already.
  public var duplicated: UInt64
  /// How many arrived after a later one of the same sender.
  public var reordered: UInt64

  /// An account with these figures, nothing of anything unless given.
  public init(
    expected: UInt64 = 0, delivered: UInt64 = 0, lost: UInt64 = 0, duplicated: UInt64 = 0,
    reordered: UInt64 = 0
  ) {
    self.expected = expected
    self.delivered = delivered
    self.lost = lost
    self.duplicated = duplicated
    self.reordered = reordered
  }

  /// Adds the figures of another account.
  public static func += (sum: inout Delivery, other: Delivery) {
    sum.expected += other.expected
    sum.delivered += other.delivered
    sum.lost += other.lost
    sum.duplicated += other.duplicated
    sum.reordered += other.reordered
  }

  /// The sum of several accounts.
  public static func sum(_ deliveries: some Sequence<Delivery>) -> Delivery {
    deliveries.reduce(into: Delivery()) { $0 += $1 }
  }
}

/// Durations of one kind in a trial: the figures people read, and the histogram they come from.
///
/// In JSON the figures are in microseconds; a percentile that has fewer than ten durations above
/// it is `null`, since it would say more about chance than about the system. `hdrHistogram` holds
/// the buckets in the form that HdrHistogram's own tools read, in nanoseconds.
public struct Durations: Sendable, Equatable {
  /// All durations, in nanoseconds.
  public var histogram: Histogram

  /// The durations a histogram counted.
  public init(_ histogram: Histogram = Histogram()) { self.histogram = histogram }

  /// The percentiles that are reported, by their names in JSON.
  public static let percentiles: [(name: String, percent: Double)] = [
    ("p50", 50), ("p90", 90), ("p99", 99), ("p999", 99.9),
  ]
}

extension Durations: Codable {
  private enum Key: String, CodingKey {
    case count, mean, standardDeviation, p50, p90, p99, p999, min, max, histogram
    case hdrHistogram
  }

  /// Writes the figures in microseconds, and the histogram in both its forms.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(histogram.count, forKey: .count)
    try container.encode(microseconds(histogram.mean), forKey: .mean)
    try container.encode(microseconds(histogram.standardDeviation), forKey: .standardDeviation)
    for (name, percent) in Durations.percentiles {
      guard let key = Key(rawValue: name) else { continue }
      let value = histogram.soundPercentile(percent).map { microseconds(Double($0)) }
      if let value {
        try container.encode(value, forKey: key)
      } else {
        try container.encodeNil(forKey: key)
      }
    }
    try container.encode(microseconds(Double(histogram.minimum)), forKey: .min)
    try container.encode(microseconds(Double(histogram.maximum)), forKey: .max)
    try container.encode(histogram, forKey: .histogram)
    try container.encode(histogram.hdrEncoded, forKey: .hdrHistogram)
  }

  /// Reads the histogram; the figures follow from it.
  ///
  /// - Throws: `DecodingError` when there is no valid histogram, or its other form differs.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    histogram = try container.decode(Histogram.self, forKey: .histogram)
    // Reports of before have it in one form alone.
    guard let text = try container.decodeIfPresent(String.self, forKey: .hdrHistogram) else {
      return
    }
    let other: Histogram
    do throws(HistogramFormError) {
      other = try Histogram(hdrEncoded: text)
    } catch {
      throw DecodingError.dataCorruptedError(
        forKey: .hdrHistogram, in: container, debugDescription: error.description)
    }
    guard other.buckets.elementsEqual(histogram.buckets, by: ==) else {
      throw DecodingError.dataCorruptedError(
        forKey: .hdrHistogram, in: container,
        debugDescription: "hdrHistogram and histogram hold different durations")
    }
  }

  /// Nanoseconds as microseconds, to the nanosecond.
  private func microseconds(_ nanoseconds: Double) -> Double { nanoseconds.rounded() / 1000 }
}
