import Glibc

/// A mean over runs, and the interval that holds the true one with 95 % confidence.
///
/// The unit is the run: messages of one run depend on each other, and an interval made of them
/// would be far too narrow.
struct MeanInterval: Equatable {
  /// How many runs it is made of.
  let count: Int
  /// Their mean.
  let mean: Double
  /// The standard deviation of one run.
  let deviation: Double
  /// The lower end.
  let low: Double
  /// The upper end.
  let high: Double

  /// How sure the interval is.
  static let confidence = 0.95
  /// Fewer runs than that say nothing about how runs scatter.
  static let fewest = 3
  /// Up to so many runs are taken to scatter as a normal distribution does.
  static let few = 10
  /// How often many runs are drawn anew.
  static let resamples = 10_000

  /// The interval of some runs' values; `nil` of fewer than three.
  ///
  /// Up to ten runs it is Student's, from eleven on a bootstrap over runs.
  ///
  /// - Parameters:
  ///   - values: One for each run.
  ///   - seed: Where the bootstrap's draws start from.
  init?(_ values: [Double], seed: UInt64) {
    guard values.count >= MeanInterval.fewest else { return nil }
    count = values.count
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    self.mean = mean
    deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)).squareRoot()
    let t = StudentT.quantile((1 + MeanInterval.confidence) / 2, degrees: values.count - 1)
    if values.count <= MeanInterval.few {
      let reach = t * deviation / n.squareRoot()
      (low, high) = (mean - reach, mean + reach)
    } else {
      (low, high) = bootstrap(values, t: t, seed: seed)
    }
  }
}

extension MeanInterval {
  /// The difference of the means of runs that were not measured in pairs, after Welch (1947).
  ///
  /// Its `deviation` is what makes the interval as wide with as many pairs as the fewer runs.
  ///
  /// - Parameters:
  ///   - values: One for each run.
  ///   - others: What is subtracted; as many or not.
  /// - Returns: The interval and its degrees of freedom; `nil` with fewer than three runs of either.
  static func welch(_ values: [Double], _ others: [Double]) -> (MeanInterval, degrees: Int)? {
    guard min(values.count, others.count) >= MeanInterval.fewest else { return nil }
    let parts = [values, others].map { list -> (mean: Double, error: Double, count: Double) in
      let n = Double(list.count)
      let mean = list.reduce(0, +) / n
      let variance = list.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
      return (mean, variance / n, n)
    }
    let error = parts[0].error + parts[1].error
    let spread = parts.reduce(0) { $0 + $1.error * $1.error / ($1.count - 1) }
    // Runs that do not scatter at all leave nothing to doubt.
    let degrees =
      spread > 0 ? max(1, Int(min(error * error / spread, 1e6))) : values.count + others.count - 2
    let count = min(values.count, others.count)
    let t = StudentT.quantile((1 + MeanInterval.confidence) / 2, degrees: degrees)
    return (
      MeanInterval(
        count: count, mean: parts[0].mean - parts[1].mean,
        deviation: (error * Double(count)).squareRoot(), reach: t * error.squareRoot()), degrees
    )
  }

  private init(count: Int, mean: Double, deviation: Double, reach: Double) {
    (self.count, self.mean, self.deviation) = (count, mean, deviation)
    (low, high) = (mean - reach, mean + reach)
  }
}

/// The percentile bootstrap of a mean, widened by what it is too narrow by with few values.
///
/// T. Hesterberg, "What Teachers Should Know About the Bootstrap" (2015): percentiles are read
/// further out, so that of normal values the interval is as wide as Student's.
private func bootstrap(_ values: [Double], t: Double, seed: UInt64) -> (Double, Double) {
  var source = RandomSource(seed: seed)
  let n = values.count
  var means = [Double](repeating: 0, count: MeanInterval.resamples)
  for draw in means.indices { means[draw] = source.meanOfDraws(from: values) }
  means.sort()
  let tail = Normal.distribution(-t * (Double(n) / Double(n - 1)).squareRoot())
  let place = Int((tail * Double(MeanInterval.resamples)).rounded(.down))
  return (means[place], means[means.count - 1 - place])
}
