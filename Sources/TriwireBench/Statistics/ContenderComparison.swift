import Glibc
import Triwire

/// How one contender of a scenario compares to another in one metric, over its repetitions.
public struct ContenderComparison: Sendable, Equatable {
  /// The name of the scenario.
  public let scenario: String
  /// What is compared.
  public let metric: ComparedMetric
  /// Whose figures are divided, by name.
  public let contender: String
  /// Whose figures they are divided by.
  public let against: String
  /// What the runs say.
  public let result: RunComparison
}

extension ContenderComparison: Encodable {
  private enum Key: String, CodingKey {
    case scenario, metric, contender, against, runs, ratio, low, high, confidence, tolerance
    case verdict, furtherRuns
  }

  /// Writes names and figures side by side; `furtherRuns` is `null` where nobody needs them, or
  /// where more than ``RunComparison/mostFurtherRuns`` would be.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(scenario, forKey: .scenario)
    try container.encode(metric, forKey: .metric)
    try container.encode(contender, forKey: .contender)
    try container.encode(against, forKey: .against)
    try container.encode(result.runs, forKey: .runs)
    try container.encode(result.ratio, forKey: .ratio)
    try container.encode(result.low, forKey: .low)
    try container.encode(result.high, forKey: .high)
    try container.encode(MeanInterval.confidence, forKey: .confidence)
    try container.encode(result.tolerance, forKey: .tolerance)
    try container.encode(result.verdict, forKey: .verdict)
    if let runs = result.furtherRuns {
      try container.encode(runs, forKey: .furtherRuns)
    } else {
      try container.encodeNil(forKey: .furtherRuns)
    }
  }
}

extension Report {
  /// What the trials so far say about any two contenders that differ in transport or in TLS alone.
  ///
  /// Only repetitions in which neither trial failed count, and a comparison takes three of them.
  public var comparisons: [ContenderComparison] { scenarios.flatMap { comparisons(of: $0) } }

  /// The same of one scenario, by metric.
  func comparisons(of scenario: Scenario) -> [ContenderComparison] {
    let contenders = scenario.contenders.map { contender in
      (contender, trials(of: scenario, for: contender).filter(\.failures.isEmpty))
    }
    return ComparedMetric.allCases.flatMap { metric in
      contenders.indices.flatMap { first in
        contenders.indices.dropFirst(first + 1).compactMap { second in
          compare(contenders[second], with: contenders[first], by: metric, in: scenario)
        }
      }
    }
  }

  private func compare(
    _ one: (Contender, [Measurement]), with other: (Contender, [Measurement]),
    by metric: ComparedMetric, in scenario: Scenario
  ) -> ContenderComparison? {
    guard one.0.transport == other.0.transport || one.0.tls == other.0.tls else { return nil }
    let others = Dictionary(
      other.1.compactMap { trial in metric.figure(of: trial).map { (trial.repetition, $0) } },
      uniquingKeysWith: { first, _ in first })
    let pairs = one.1.compactMap { trial -> (Double, Double)? in
      guard let figure = metric.figure(of: trial), let twin = others[trial.repetition] else {
        return nil
      }
      return (figure, twin)
    }
    let (name, against) = (scenario.name(of: one.0), scenario.name(of: other.0))
    let smaller = min(geometricMean(pairs.map(\.0)), geometricMean(pairs.map(\.1)))
    let result = RunComparison(
      pairs.map(\.0), against: pairs.map(\.1), tolerance: metric.tolerance.part(of: smaller),
      seed: scenario.seed.derived(for: "\(metric.rawValue) \(name) \(against)"))
    return result.map {
      ContenderComparison(
        scenario: scenario.name, metric: metric, contender: name, against: against, result: $0)
    }
  }
}

extension ComparedMetric {
  /// The figure of one trial, as the tables have it for all; `nil` where it is not known.
  func figure(of trial: Measurement) -> Double? {
    let pool = Pool([trial], "")
    return switch self {
    case .latencyP50: pool.latency.soundPercentile(50).map { Double($0) / 1000 }
    case .latencyP99: pool.latency.soundPercentile(99).map { Double($0) / 1000 }
    case .wireBytesPerMessage: pool.perMessage(\.wire)
    case .serverCPUPerMessage: pool.serverPerMessage
    }
  }
}

/// The mean of logarithms as a number again; 0 of no numbers.
private func geometricMean(_ numbers: [Double]) -> Double {
  numbers.isEmpty ? 0 : exp(numbers.reduce(0) { $0 + log($1) } / Double(numbers.count))
}
