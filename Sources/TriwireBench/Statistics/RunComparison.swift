import Glibc

/// How one thing compares to another in some metric, over runs in pairs.
///
/// Less is better. Runs of the same repetition make a pair: what the machine did at that time is in
/// both, and drops out of their ratio. All is reckoned in logarithms of ratios, so that the answer
/// is the same whichever of the two is named first.
public struct RunComparison: Sendable, Equatable {
  /// What runs say about two things.
  public enum Verdict: String, Sendable, Codable {
    /// The thing takes less than the other, by more than anybody would overlook.
    case better
    /// The thing takes more than the other, by more than anybody would overlook.
    case worse
    /// They differ by less than the smallest difference of interest, if at all.
    case equal
    /// The runs do not tell.
    case inconclusive
  }

  /// How many pairs of runs it is made of.
  public let runs: Int
  /// How many times as much the thing takes as the other: the geometric mean over pairs.
  public let ratio: Double
  /// The lower end of the interval that holds the true ratio with 95 % confidence.
  public let low: Double
  /// The upper end.
  public let high: Double
  /// How large a difference counts as equal, as a part: 0.05 is up to 1.05 times, either way.
  public let tolerance: Double
  /// What the runs say.
  public let verdict: Verdict
  /// How many more runs are likely to tell, where these do not; `nil` is more than
  /// ``mostFurtherRuns``, or that these tell.
  public let furtherRuns: Int?

  /// The most runs that are ever asked for.
  public static let mostFurtherRuns = 1000

  /// Compares figures of a thing with those of another, in pairs.
  ///
  /// It is `nil` with fewer than three pairs, or a figure that is not above 0.
  ///
  /// - Parameters:
  ///   - figures: Of the thing, one for each run; above 0.
  ///   - others: Of the other, in the same order.
  ///   - tolerance: The smallest difference of interest, as a part.
  ///   - noiseFloor: What a control that compared a thing with itself came to; widens the tolerance.
  ///   - seed: Where the bootstrap of many runs starts from.
  init?(
    _ figures: [Double], against others: [Double], tolerance: Double, noiseFloor: Double = 0,
    seed: UInt64
  ) {
    guard figures.count == others.count, (figures + others).allSatisfy({ $0 > 0 && $0.isFinite }),
      let interval = MeanInterval(zip(figures, others).map { log($0 / $1) }, seed: seed)
    else { return nil }
    let widened = max(tolerance, noiseFloor)
    let band = log1p(widened)
    runs = interval.count
    ratio = exp(interval.mean)
    (low, high) = (exp(interval.low), exp(interval.high))
    self.tolerance = widened
    verdict = RunComparison.verdict(on: interval, band: band)
    furtherRuns = verdict == .inconclusive ? RunComparison.further(interval, band: band) : nil
  }

  /// Compares figures of a thing with those of another, as one of several comparisons.
  ///
  /// The chance that any of them calls a difference better or worse where there is none is held
  /// to 5 % (Bonferroni); the interval shown is that of one comparison alone. It is `nil` with
  /// fewer than three runs, or a figure that is not above 0.
  ///
  /// - Parameters:
  ///   - figures: Of the thing, one for each run; above 0.
  ///   - others: Of the other.
  ///   - isPaired: Whether figures at the same place were measured at about the same time.
  ///   - tolerance: The smallest difference of interest, as a part.
  ///   - decisions: How many comparisons there are in all, 1 or more.
  ///   - seed: Where the bootstrap of many pairs starts from.
  init?(
    _ figures: [Double], against others: [Double], isPaired: Bool, tolerance: Double,
    decisions: Int, seed: UInt64
  ) {
    guard (figures + others).allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    let logs = (figures.map { log($0) }, others.map { log($0) })
    let interval: MeanInterval
    var degrees = figures.count - 1
    if isPaired {
      guard figures.count == others.count,
        let pairs = MeanInterval(zip(logs.0, logs.1).map { $0 - $1 }, seed: seed)
      else { return nil }
      interval = pairs
    } else {
      guard let welch = MeanInterval.welch(logs.0, logs.1) else { return nil }
      (interval, degrees) = welch
    }
    // What is called better or worse has to be so on an interval that is wider by this.
    let wider =
      StudentT.quantile(1 - (1 - MeanInterval.confidence) / 2 / Double(decisions), degrees: degrees)
      / StudentT.quantile((1 + MeanInterval.confidence) / 2, degrees: degrees)
    let band = log1p(tolerance)
    runs = interval.count
    ratio = exp(interval.mean)
    (low, high) = (exp(interval.low), exp(interval.high))
    self.tolerance = tolerance
    let isEqual = interval.low >= -band && interval.high <= band
    if interval.mean - (interval.mean - interval.low) * wider > band {
      verdict = .worse
    } else if interval.mean + (interval.high - interval.mean) * wider < -band {
      verdict = .better
    } else {
      verdict = isEqual ? .equal : .inconclusive
    }
    furtherRuns = verdict == .inconclusive ? RunComparison.further(interval, band: band) : nil
  }

  /// What a control has to be beaten by: the end of its interval that is further from one, as a part.
  var noiseFloor: Double { max(high, 1 / low) - 1 }

  private static func verdict(on interval: MeanInterval, band: Double) -> Verdict {
    if interval.low > band { return .worse }
    if interval.high < -band { return .better }
    return interval.low >= -band && interval.high <= band ? .equal : .inconclusive
  }

  /// The number of runs beyond these with which the interval is likely to lie on one side of the
  /// band's edge.
  ///
  /// Both the scatter and the mean of few runs are guesses. So the quantiles are those of these few
  /// runs (C. Stein's two-stage procedure, 1945), and no gap between mean and edge is taken to be
  /// wider than the band: a mean that is far off by luck would promise too much.
  private static func further(_ interval: MeanInterval, band: Double) -> Int? {
    let degrees = interval.count - 1
    let reach =
      StudentT.quantile((1 + MeanInterval.confidence) / 2, degrees: degrees)
      + StudentT.quantile(power, degrees: degrees)
    let gap = min(abs(abs(interval.mean) - band), band)
    let needed = reach * interval.deviation / gap
    guard needed.isFinite, needed * needed < Double(interval.count + mostFurtherRuns) else {
      return nil
    }
    return max(1, Int((needed * needed).rounded(.up)) - interval.count)
  }

  /// How likely the runs that are asked for tell, if the mean stays where it is.
  private static let power = 0.8
}
