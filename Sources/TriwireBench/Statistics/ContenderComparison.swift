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
  /// What the trials so far say about any two contenders that differ in transport, in TLS or in compression alone.
  ///
  /// Only repetitions in which neither trial failed count, and a comparison takes three of them.
  public var comparisons: [ContenderComparison] { scenarios.flatMap { comparisons(of: $0) } }

  /// The same of one scenario, by metric: a control first, whose noise the others have to beat.
  func comparisons(of scenario: Scenario) -> [ContenderComparison] {
    // Figures of a search are those of unlike loads.
    guard scenario.search == nil else { return [] }
    let sides = scenario.contenders.map { contender in
      Side(
        contender: contender, name: scenario.name(of: contender),
        trials: trials(of: scenario, for: contender).filter(\.failures.isEmpty))
    }
    guard let first = sides.first else { return [] }
    let control = Side(
      contender: first.contender, name: "\(first.name) again",
      trials: trials(of: scenario, for: first.contender, asControl: true)
        .filter(\.failures.isEmpty))
    return ComparedMetric.allCases.flatMap { metric in
      let noise = compare(control, with: first, by: metric, in: scenario)
      let floor = noise?.result.noiseFloor ?? 0
      let pairs = sides.indices.flatMap { first in
        sides.indices.dropFirst(first + 1).compactMap { second in
          compare(sides[second], with: sides[first], by: metric, in: scenario, beyond: floor)
        }
      }
      return (noise.map { [$0] } ?? []) + pairs
    }
  }

  /// What a comparison names on either side, and its trials.
  private struct Side {
    let contender: Contender
    let name: String
    let trials: [Measurement]
  }

  private func compare(
    _ one: Side, with other: Side, by metric: ComparedMetric, in scenario: Scenario,
    beyond noiseFloor: Double = 0
  ) -> ContenderComparison? {
    guard one.contender.differences(from: other.contender) <= 1 else { return nil }
    let others = Dictionary(
      other.trials.compactMap { trial in metric.figure(of: trial).map { (trial.repetition, $0) } },
      uniquingKeysWith: { first, _ in first })
    let pairs = one.trials.compactMap { trial -> (Double, Double)? in
      guard let figure = metric.figure(of: trial), let twin = others[trial.repetition] else {
        return nil
      }
      return (figure, twin)
    }
    let smaller = min(geometricMean(pairs.map(\.0)), geometricMean(pairs.map(\.1)))
    let result = RunComparison(
      pairs.map(\.0), against: pairs.map(\.1), tolerance: metric.tolerance.part(of: smaller),
      noiseFloor: noiseFloor,
      seed: scenario.seed.derived(for: "\(metric.rawValue) \(one.name) \(other.name)"))
    return result.map {
      ContenderComparison(
        scenario: scenario.name, metric: metric, contender: one.name, against: other.name,
        result: $0)
    }
  }
}

extension ComparedMetric {
  /// The figure of one trial, as the tables have it for all; `nil` where it is not known.
  func figure(of trial: Measurement) -> Double? {
    let latency = trial.latencyMicroseconds.histogram
    let perMessage = { (sum: Double) in
      trial.bytes.flatMap { $0.messages > 0 ? sum / Double($0.messages) : nil }
    }
    return switch self {
    case .latencyP50: latency.soundPercentile(50).map { Double($0) / 1000 }
    case .latencyP99: latency.soundPercentile(99).map { Double($0) / 1000 }
    case .wireBytesPerMessage:
      trial.bytes.flatMap { perMessage(Double($0.up.wire) + Double($0.down.wire)) }
    case .serverCPUPerMessage: trial.cpu.serverMicroseconds.flatMap(perMessage)
    }
  }
}

/// The mean of logarithms as a number again; 0 of no numbers.
private func geometricMean(_ numbers: [Double]) -> Double {
  numbers.isEmpty ? 0 : exp(numbers.reduce(0) { $0 + log($1) } / Double(numbers.count))
}
