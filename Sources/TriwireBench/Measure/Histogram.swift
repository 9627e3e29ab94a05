/// Counts durations in buckets no wider than 0.1 % of the durations they hold.
///
/// The layout is that of an HDR histogram with 3 significant digits and a unit of one nanosecond:
/// durations below 2,048 ns are counted exactly, and each power of two above is cut into 1,024
/// buckets, up to 60 s. Longer durations are counted in the last bucket and in ``overflow``, and
/// ``maximum`` keeps their true value, so a clamp is never silent.
///
/// Recording is a shift and an increment; a full histogram takes 219 KB and grows only as far as
/// its longest duration. Histograms of several runs are added with ``merge(_:)``: percentiles are
/// read from the sum and never averaged.
public struct Histogram: Sendable, Equatable {
  /// The longest duration that is told apart from longer ones, in nanoseconds.
  public static var highest: UInt64 { 60_000_000_000 }

  /// How many durations were recorded.
  public private(set) var count: UInt64 = 0
  /// How many of them were longer than ``highest``.
  public private(set) var overflow: UInt64 = 0
  /// The shortest recorded duration in nanoseconds, exact; 0 when nothing was recorded.
  public private(set) var minimum: UInt64 = 0
  /// The longest recorded duration in nanoseconds, exact; 0 when nothing was recorded.
  public private(set) var maximum: UInt64 = 0
  /// The sum of all recorded durations in nanoseconds, exact.
  public private(set) var sum: UInt64 = 0

  /// How many durations each bucket holds; buckets beyond its end hold none.
  private(set) var counts: [UInt64] = []

  /// An empty histogram.
  public init() {}

  /// A histogram of which only the buckets are known.
  ///
  /// Extremes are the edges of the outermost buckets, the sum is that of the centres.
  ///
  /// - Throws: ``HistogramFormError`` when the sum is beyond 2⁶³ ns, some 292 years.
  init(bucketCounts: [UInt64]) throws(HistogramFormError) {
    counts = bucketCounts
    let filled = Array(buckets)
    guard let first = filled.first, let last = filled.last else { return }
    count = filled.reduce(0) { $0 + $1.count }
    minimum = Bucket.lowest(of: first.index)
    maximum = min(Histogram.highest, Bucket.highest(of: last.index))
    let total = filled.reduce(0.0) { $0 + Bucket.centre(of: $1.index) * Double($1.count) }
    guard total < 0x1p63 else {
      throw HistogramFormError("all durations together are longer than 2⁶³ ns")
    }
    sum = UInt64(total.rounded())
  }

  /// Counts one duration, given in nanoseconds.
  public mutating func record(_ nanoseconds: UInt64) {
    let index = Bucket.index(of: min(nanoseconds, Histogram.highest))
    if index >= counts.count { grow(toHold: index) }
    counts[index] += 1
    if nanoseconds > Histogram.highest { overflow += 1 }
    minimum = count == 0 ? nanoseconds : min(minimum, nanoseconds)
    maximum = max(maximum, nanoseconds)
    count += 1
    sum += nanoseconds
  }

  /// Adds all durations of another histogram; the order of merging does not matter.
  public mutating func merge(_ other: Histogram) {
    guard other.count > 0 else { return }
    guard count > 0 else {
      self = other
      return
    }
    if other.counts.count > counts.count { grow(toHold: other.counts.count - 1) }
    var index = 0
    while let filled = other.firstFilled(from: index) {
      counts[filled] += other.counts[filled]
      index = filled + 1
    }
    minimum = count == 0 ? other.minimum : min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
    count += other.count
    overflow += other.overflow
    sum += other.sum
  }

  /// Two histograms are equal when they count the same durations, whatever room they hold.
  public static func == (one: Histogram, other: Histogram) -> Bool {
    one.count == other.count && one.overflow == other.overflow && one.sum == other.sum
      && one.minimum == other.minimum && one.maximum == other.maximum
      && one.buckets.elementsEqual(other.buckets, by: ==)
  }

  private mutating func grow(toHold index: Int) {
    let room = min(Bucket.limit, max(index + 1, Bucket.exact, counts.count * 2))
    counts += Array(repeating: 0, count: room - counts.count)
  }
}

// Reading.
extension Histogram {
  /// The duration in nanoseconds that `percent` of the recorded ones do not exceed; 0 when empty.
  ///
  /// It is the upper edge of the bucket, never above the true maximum: at most 0.1 % too long,
  /// never too short.
  public func percentile(_ percent: Double) -> UInt64 {
    guard count > 0 else { return 0 }
    let rank = rank(of: percent)
    var passed: UInt64 = 0
    var next = 0
    while let filled = firstFilled(from: next) {
      passed += counts[filled]
      if passed >= rank { return max(minimum, min(maximum, Bucket.highest(of: filled))) }
      next = filled + 1
    }
    return maximum
  }

  /// The percentile, or `nil` when fewer than ten durations lie above it.
  ///
  /// With fewer, the figure says more about chance than about the system: p99 needs 1,000
  /// durations, p99.9 needs 10,000.
  public func soundPercentile(_ percent: Double) -> UInt64? {
    guard count > 0, count - rank(of: percent) >= 10 else { return nil }
    return percentile(percent)
  }

  /// Several such percentiles, given in ascending order, in one walk through the buckets.
  func soundPercentiles(_ percents: [Double]) -> [UInt64?] {
    var passed: UInt64 = 0
    var next = 0
    return percents.map { percent in
      let rank = rank(of: percent)
      guard count > 0, count - rank >= 10 else { return nil }
      while passed < rank, next < counts.count {
        passed += counts[next]
        next += 1
      }
      return max(minimum, min(maximum, Bucket.highest(of: max(0, next - 1))))
    }
  }

  /// The exact mean in nanoseconds; 0 when empty.
  public var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }

  /// The standard deviation in nanoseconds, from bucket centres; 0 when empty.
  public var standardDeviation: Double {
    guard count > 0 else { return 0 }
    let mean = mean
    let squares = buckets.reduce(0.0) { sum, bucket in
      let distance = Bucket.centre(of: bucket.index) - mean
      return sum + distance * distance * Double(bucket.count)
    }
    return (squares / Double(count)).squareRoot()
  }

  /// The buckets that hold something, from short to long.
  public var buckets: some Sequence<(index: Int, count: UInt64)> {
    var filled: [(index: Int, count: UInt64)] = []
    var next = 0
    while let index = firstFilled(from: next) {
      filled.append((index: index, count: counts[index]))
      next = index + 1
    }
    return filled
  }

  /// The first bucket from an index on that holds something.
  ///
  /// Thousands of empty ones lie between those that do. All that reads a histogram walks by this
  /// loop, whose plain index is quick in builds without optimisation as well, those of the tests.
  private func firstFilled(from start: Int) -> Int? {
    var index = start
    let end = counts.count
    while index < end {
      if counts[index] > 0 { return index }
      index += 1
    }
    return nil
  }

  /// Which of the durations, counted from the shortest, stands for the percentile.
  private func rank(of percent: Double) -> UInt64 {
    let exact = Double(count) * percent / 100
    let whole = exact.rounded()
    // 99.9 % of 10,000 is 9,990, though binary fractions make it a hair more.
    let rank = abs(exact - whole) < 1e-9 * max(1, whole) ? whole : exact.rounded(.up)
    return min(count, max(1, UInt64(rank)))
  }
}

/// The arithmetic of bucket numbers.
///
/// It runs for each message: its constants are computed, since a stored one is guarded by a lock at
/// each use where nothing is optimised.
enum Bucket {
  /// Durations below this many nanoseconds have a bucket each.
  static var exact: Int { 2048 }
  /// Buckets per power of two above that.
  static var perOctave: Int { 1024 }
  /// The number of buckets up to ``Histogram/highest``.
  static let limit = index(of: Histogram.highest) + 1

  static func index(of value: UInt64) -> Int {
    guard value >= UInt64(exact) else { return Int(value) }
    let shift = 53 - value.leadingZeroBitCount
    return shift * perOctave + Int(value &>> UInt64(shift))
  }

  static func lowest(of index: Int) -> UInt64 {
    guard index >= exact else { return UInt64(index) }
    let shift = index / perOctave - 1
    return UInt64(index % perOctave + perOctave) << UInt64(shift)
  }

  static func width(of index: Int) -> UInt64 {
    index < exact ? 1 : 1 << UInt64(index / perOctave - 1)
  }

  static func highest(of index: Int) -> UInt64 { lowest(of: index) + width(of: index) - 1 }

  static func centre(of index: Int) -> Double {
    Double(lowest(of: index)) + Double(width(of: index) - 1) / 2
  }
}

// Writing and reading as JSON.
extension Histogram: Codable {
  private enum Key: String, CodingKey {
    case unit, significantDigits, minimum, maximum, sum, overflow, buckets
  }

  /// Writes the exact figures and the filled buckets as `[bucket, count]` pairs.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode("ns", forKey: .unit)
    try container.encode(3, forKey: .significantDigits)
    try container.encode(minimum, forKey: .minimum)
    try container.encode(maximum, forKey: .maximum)
    try container.encode(sum, forKey: .sum)
    try container.encode(overflow, forKey: .overflow)
    try container.encode(buckets.map { [UInt64($0.index), $0.count] }, forKey: .buckets)
  }

  /// Reads what ``encode(to:)`` wrote.
  ///
  /// - Throws: `DecodingError` when the unit differs or a bucket does not exist.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let unit = try container.decode(String.self, forKey: .unit)
    guard unit == "ns" else {
      throw DecodingError.dataCorruptedError(
        forKey: .unit, in: container, debugDescription: "unit is \(unit), known is ns")
    }
    for pair in try container.decode([[UInt64]].self, forKey: .buckets) {
      guard pair.count == 2, pair[0] < UInt64(Bucket.limit), pair[1] < 1 << 48 else {
        throw DecodingError.dataCorruptedError(
          forKey: .buckets, in: container, debugDescription: "\(pair) is no bucket and count")
      }
      let index = Int(pair[0])
      if index >= counts.count { grow(toHold: index) }
      counts[index] += pair[1]
      count += pair[1]
    }
    minimum = try container.decode(UInt64.self, forKey: .minimum)
    maximum = try container.decode(UInt64.self, forKey: .maximum)
    sum = try container.decode(UInt64.self, forKey: .sum)
    overflow = try container.decode(UInt64.self, forKey: .overflow)
  }
}
