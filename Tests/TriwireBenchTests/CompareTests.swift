import Testing
import Triwire

@testable import TriwireBench

@Suite("Comparing two results")
struct CompareTests {
  @Test("Of 100 noisy pairs of the same build at most 2 are called worse")
  func sameBuild() throws {
    var worse = 0
    for (seed, base) in zip(UInt64(1)..., try CompareTests.bases.get()) {
      let new = try CompareTests.noisy(seed: 2 * seed + 1)
      if try ResultComparison(of: new, against: base, choosing: fivePercent).outcome == .worse {
        worse += 1
      }
    }
    #expect(worse <= 2, "\(worse) of 100")
  }

  @Test("A build that is 15 % slower is called worse in at least 95 of 100 pairs")
  func slower() throws {
    var worse = 0
    for (seed, base) in zip(UInt64(1)..., try CompareTests.bases.get()) {
      let new = try CompareTests.noisy(seed: 2 * seed + 1, times: 1.15)
      if try ResultComparison(of: new, against: base, choosing: fivePercent).outcome == .worse {
        worse += 1
      }
    }
    #expect(worse >= 95, "\(worse) of 100")
  }

  @Test("What is cheaper is better, what hardly differs is equal, what scatters is inconclusive")
  func outcomes() throws {
    let base = try Sample(repetitions: 6, seed: 1).report()
    let outcome = { (sample: Sample) in
      try ResultComparison(of: sample.report(), against: base).outcome
    }
    #expect(try outcome(Sample(repetitions: 6, seed: 2)) == .equal)
    #expect(try outcome(Sample(repetitions: 6, cpu: [.serverSentEvents: 0.7], seed: 2)) == .better)
    #expect(try outcome(Sample(repetitions: 6, scatter: 0.6, seed: 2)) == .inconclusive)
    #expect(try outcome(Sample(repetitions: 2, seed: 2)) == .inconclusive)
    // One that is better does not make good another that is worse.
    let mixed = Sample(repetitions: 6, cpu: [.serverSentEvents: 0.7, .webSocket: 1.5], seed: 2)
    #expect(try outcome(mixed) == .worse)
  }

  @Test("In pairs what both results share drops out")
  func pairs() throws {
    let base = try Sample(repetitions: 6, scatter: 0.5).report()
    let new = try Sample(
      repetitions: 6, cpu: [.webSocket: 1.2, .serverSentEvents: 1.2, .longPolling: 1.2],
      scatter: 0.5
    ).report()
    let choices = ResultComparison.Choices(metrics: ["serverCPUPerMessage"], isPaired: true)
    #expect(try ResultComparison(of: new, against: base, choosing: choices).outcome == .worse)
    let apart = ResultComparison.Choices(metrics: ["serverCPUPerMessage"])
    #expect(
      try ResultComparison(of: new, against: base, choosing: apart).outcome == .inconclusive)
  }

  @Test("A trial that fails only in the new result is worse, whatever the figures say")
  func failures() throws {
    let base = try Sample(repetitions: 6, seed: 1).report()
    var new = try Sample(repetitions: 6, seed: 2).report()
    new.trials[3].failures = ["lost 1 of 1,000 messages"]
    let comparison = try ResultComparison(of: new, against: base)
    #expect(comparison.outcome == .worse)
    #expect(comparison.lines.first?.name.hasSuffix(" failed trials") == true)
  }

  @Test("Results of unlike settings are refused, with all that differs")
  func unlike() throws {
    let base = try Sample().report()
    var new = try Sample().report()
    new.environment.cores = 8
    new.scenarios[0].clients = 5
    let error = #expect(throws: UnlikeSettings.self) {
      try ResultComparison(of: new, against: base)
    }
    #expect(error?.differences == ["cores: 2 and 8", "x, clients: 4 and 5"])
    new = base
    new.scenarios[0].name = "y"
    let none = #expect(throws: UnlikeSettings.self) {
      try ResultComparison(of: new, against: base)
    }
    #expect(none?.differences == ["scenarios: they have none in common"])
  }

  @Test("What only one of the results has is told, and the rest is compared")
  func omissions() throws {
    let base = try Sample(repetitions: 6).report()
    let new = try Sample(repetitions: 6, transports: [.webSocket]).report()
    let comparison = try ResultComparison(of: new, against: base)
    #expect(
      comparison.omissions == ["x sse is in the base alone", "x long-polling is in the base alone"])
    #expect(comparison.lines.count == 4)
    let text = comparison.text(on: Page())
    #expect(text.contains("\n  x websocket latency p50 "))
    // The same contender has another name among several modes of TLS.
    let modes = try Sample(repetitions: 6, tls: [.off, .v1_3]).report()
    let other = try ResultComparison(of: modes, against: base)
    #expect(
      other.omissions
        == TransportKind.allCases.map { "x \($0.rawValue) TLS 1.3 is in the new result alone" })
    #expect(other.lines.count == 12)
  }

  // Latencies are short here, which makes the test quick, so that 50 µs would be all of them.
  private let fivePercent = ResultComparison.Choices(tolerance: 0.05)

  /// What two tests compare 100 others with, made once.
  private static let bases = Result { try (UInt64(1)...100).map { try noisy(seed: 2 * $0) } }

  /// Six repetitions whose figures scatter by up to 6 %, evenly, each for itself.
  private static func noisy(seed: UInt64, times: Double = 1) throws -> Report {
    let factors = Dictionary(
      uniqueKeysWithValues: TransportKind.allCases.map { ($0, times) })
    return try Sample(
      repetitions: 6, latency: factors.mapValues { $0 / 1000 }, cpu: factors,
      scatter: 0.06, seed: seed, isComparedAlone: true
    ).report()
  }
}
