import Foundation
import Testing

@testable import TriwireBench

@Suite("Statistics")
struct StatisticsTests {
  @Test(
    "Quantiles of Student's distribution are those of the tables",
    arguments: [
      (0.975, 1, 12.706205), (0.975, 2, 4.302653), (0.975, 5, 2.570582), (0.975, 10, 2.228139),
      (0.975, 30, 2.042272), (0.975, 100, 1.983972), (0.95, 4, 2.131847), (0.995, 9, 3.249836),
      (0.75, 3, 0.764892), (0.5, 7, 0), (0.025, 5, -2.570582), (0.9995, 2, 31.599055),
      (0.975, 100_000, 1.959988),
    ])
  func quantiles(probability: Double, degrees: Int, value: Double) {
    #expect(abs(StudentT.quantile(probability, degrees: degrees) - value) < 1e-6 * max(1, value))
  }

  @Test("The incomplete beta function and the gamma function have their known values")
  func functions() {
    #expect(abs(incompleteBeta(0.5, 2, 3) - 0.6875) < 1e-14)
    #expect(abs(incompleteBeta(0.3, 1, 1) - 0.3) < 1e-14)
    #expect(abs(incompleteBeta(0.2, 0.5, 0.5) - 2 / .pi * asin(0.2.squareRoot())) < 1e-13)
    #expect(incompleteBeta(0, 2, 3) == 0)
    #expect(incompleteBeta(1, 2, 3) == 1)
    #expect(abs(logGamma(0.5) - log(Double.pi.squareRoot())) < 1e-13)
    #expect(abs(logGamma(1)) < 1e-13)
    #expect(abs(logGamma(21) - log(2_432_902_008_176_640_000)) < 1e-12)
    #expect(abs(Normal.distribution(-1.959963985) - 0.025) < 1e-10)
  }

  @Test("Few runs have Student's interval of the textbook")
  func student() throws {
    // R: t.test(c(1, 2, 4)) says 2.333333, and -1.461250 to 6.127916.
    let interval = try #require(MeanInterval([1, 2, 4], seed: 1))
    #expect(abs(interval.mean - 7.0 / 3) < 1e-12)
    #expect(abs(interval.low + 1.461250) < 1e-5)
    #expect(abs(interval.high - 6.127916) < 1e-5)
    #expect(MeanInterval([1, 2], seed: 1) == nil)
  }

  @Test("Many runs have a bootstrap interval, about as wide as Student's when they are normal")
  func bootstrap() throws {
    var noise = Noise(seed: 3)
    let values = (0..<24).map { _ in noise.normal() }
    let interval = try #require(MeanInterval(values, seed: 1))
    #expect(interval == MeanInterval(values, seed: 1))
    #expect(interval != MeanInterval(values, seed: 2))
    let reach = StudentT.quantile(0.975, degrees: 23) * interval.deviation / 24.0.squareRoot()
    #expect(abs((interval.high - interval.low) / (2 * reach) - 1) < 0.1)
  }

  @Test(
    "Of 100 comparisons of a thing with itself at least 95 find no difference",
    arguments: [(0.01, 3), (0.01, 6), (0.02, 6), (0.03, 6), (0.05, 3), (0.05, 6), (0.05, 12)])
  func same(deviation: Double, runs: Int) throws {
    var noise = Noise(seed: UInt64(runs) * 1000 + UInt64(deviation * 100))
    let verdicts = try (0..<100).map { _ in
      try compare(noise.runs(runs, deviation), noise.runs(runs, deviation)).verdict
    }
    #expect(verdicts.count { $0 == .equal || $0 == .inconclusive } >= 95)
  }

  @Test("With little noise a thing is found equal to itself, and not merely left open")
  func equal() throws {
    var noise = Noise(seed: 11)
    let verdicts = try (0..<100).map { _ in
      try compare(noise.runs(6, 0.01), noise.runs(6, 0.01)).verdict
    }
    #expect(verdicts.count { $0 == .equal } >= 95)
  }

  @Test(
    "With enough runs 10 % more are found worse in at least 95 of 100 comparisons",
    arguments: [(0.01, 6), (0.02, 10), (0.05, 45)])
  func worse(deviation: Double, runs: Int) throws {
    var noise = Noise(seed: UInt64(runs) + 5)
    let verdicts = try (0..<100).map { _ in
      try compare(noise.runs(runs, deviation, factor: 1.1), noise.runs(runs, deviation)).verdict
    }
    #expect(verdicts.count { $0 == .worse } >= 95)
  }

  @Test(
    "200 µs more latency are found worse in at least 95 of 100 comparisons, and no more in at most 5",
    arguments: [(100.0, 0.03, 6), (400, 0.05, 6), (1000, 0.02, 6), (1000, 0.05, 10)])
  func injected(median: Double, deviation: Double, runs: Int) throws {
    var noise = Noise(seed: UInt64(median) + UInt64(runs))
    let tolerance = ComparedMetric.latencyP50.tolerance.part(of: median)
    let verdict = { (figures: [Double], others: [Double]) in
      RunComparison(figures, against: others, tolerance: tolerance, seed: 1)?.verdict
    }
    let factor = (median + 200) / median
    let found = (0..<100).count { _ in
      verdict(noise.runs(runs, deviation, factor: factor), noise.runs(runs, deviation)) == .worse
    }
    #expect(found >= 95, "\(found) of 100")
    let quiet = (0..<100).count { _ in
      [.equal, .inconclusive].contains(
        verdict(noise.runs(runs, deviation), noise.runs(runs, deviation)))
    }
    #expect(quiet >= 95, "\(quiet) of 100")
  }

  @Test("With too few runs 10 % more are left open, and the runs asked for then tell")
  func further() throws {
    var noise = Noise(seed: 17)
    var (open, told) = (0, 0)
    while open < 100 {
      let slower = noise.runs(3, 0.02, factor: 1.1)
      let others = noise.runs(3, 0.02)
      let first = try compare(slower, others)
      // What is not left open is found as it is.
      guard first.verdict == .inconclusive else {
        #expect(first.verdict == .worse)
        #expect(first.furtherRuns == nil)
        continue
      }
      open += 1
      let more = first.furtherRuns ?? RunComparison.mostFurtherRuns
      let second = try compare(
        slower + noise.runs(more, 0.02, factor: 1.1), others + noise.runs(more, 0.02))
      if second.verdict == .worse { told += 1 }
    }
    #expect(told >= 95)
  }

  @Test("With 5 % noise three runs hardly ever tell 10 % more, and never the wrong way")
  func tooFew() throws {
    var noise = Noise(seed: 23)
    let verdicts = try (0..<100).map { _ in
      try compare(noise.runs(3, 0.05, factor: 1.1), noise.runs(3, 0.05)).verdict
    }
    #expect(verdicts.count { $0 == .inconclusive } >= 80)
    #expect(!verdicts.contains(.better))
  }

  @Test("What the machine did to both runs of a pair drops out")
  func pairs() throws {
    let moods = [1.0, 1.4, 0.8, 2, 1.1]
    let comparison = try compare(moods.map { 120 * $0 }, moods.map { 100 * $0 })
    #expect(abs(comparison.ratio - 1.2) < 1e-12)
    #expect(comparison.high - comparison.low < 1e-9)
    #expect(comparison.verdict == .worse)
  }

  @Test("Naming the other first turns ratio and verdict round")
  func reversed() throws {
    let slower = [120.0, 118, 121, 125]
    let others = [100.0, 99, 103, 101]
    let (one, other) = (try compare(slower, others), try compare(others, slower))
    #expect(one.verdict == .worse)
    #expect(other.verdict == .better)
    #expect(abs(one.ratio * other.ratio - 1) < 1e-12)
    #expect(abs(one.low * other.high - 1) < 1e-12)
  }

  @Test("A control whose noise is as large as a difference takes the verdict away")
  func noiseFloor() throws {
    let control = try compare([100.0, 114, 93, 104], [104.0, 95, 106, 98])
    #expect(control.noiseFloor > 0.2)
    let slower = [120.0, 118, 121, 119]
    let others = [100.0, 99, 103, 101]
    let judged = try #require(
      RunComparison(
        slower, against: others, tolerance: 0.05, noiseFloor: control.noiseFloor, seed: 1))
    #expect(judged.tolerance == control.noiseFloor)
    #expect(try compare(slower, others).verdict == .worse)
    #expect(judged.verdict != .worse)
  }

  @Test("Two runs, unequal numbers of them, and figures of zero are not compared")
  func refusals() {
    func compared(_ figures: [Double], _ others: [Double]) -> RunComparison? {
      RunComparison(figures, against: others, tolerance: 0.05, seed: 1)
    }
    #expect(compared([1, 2], [1, 2]) == nil)
    #expect(compared([1, 2, 3], [1, 2]) == nil)
    #expect(compared([1, 2, 0], [1, 2, 3]) == nil)
    #expect(compared([1, 2, .nan], [1, 2, 3]) == nil)
    #expect(compared([1, 2, 3], [1, 2, 3])?.verdict == .equal)
  }

  @Test("A tolerance in µs counts where it is more than the part")
  func tolerance() {
    let tolerance = ComparedMetric.latencyP50.tolerance
    #expect(tolerance.part(of: 100) == 0.5)
    #expect(tolerance.part(of: 10_000) == 0.05)
    #expect(ComparedMetric.wireBytesPerMessage.tolerance.part(of: 3) == 0.01)
  }

  private func compare(_ figures: [Double], _ others: [Double]) throws -> RunComparison {
    try #require(RunComparison(figures, against: others, tolerance: 0.05, seed: 1))
  }
}

/// Runs that scatter as a log-normal distribution does.
private struct Noise {
  private var source: RandomSource

  init(seed: UInt64) { source = RandomSource(seed: seed) }

  mutating func normal() -> Double {
    (-2 * log(1 - source.fraction())).squareRoot() * cos(2 * .pi * source.fraction())
  }

  mutating func runs(_ count: Int, _ deviation: Double, factor: Double = 1) -> [Double] {
    (0..<count).map { _ in 100 * factor * exp(deviation * normal()) }
  }
}
