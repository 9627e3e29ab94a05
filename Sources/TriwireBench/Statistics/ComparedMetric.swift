/// What contenders are compared by: less of each is better.
public enum ComparedMetric: String, Sendable, CaseIterable, Codable {
  /// The median of latency.
  case latencyP50
  /// The latency that one message in a hundred exceeds.
  case latencyP99
  /// Bytes of IP packets per message, both directions.
  case wireBytesPerMessage
  /// CPU time of the server per message.
  case serverCPUPerMessage

  /// The name in reports.
  var name: String { row.name }
  /// The smallest difference of interest.
  var tolerance: Tolerance { row.tolerance }

  /// The one table of what is compared, in which unit, and how small a difference nobody minds.
  ///
  /// Bytes are counted and hardly scatter; times do. A difference in CPU time is to be found when
  /// it is 10 %, so that what is tolerated has to be less.
  private var row: (name: String, unit: String, tolerance: Tolerance) {
    switch self {
    case .latencyP50: ("latency p50", "µs", Tolerance(part: 0.05, amount: 50))
    case .latencyP99: ("latency p99", "µs", Tolerance(part: 0.05, amount: 50))
    case .wireBytesPerMessage: ("wire/message", "B", Tolerance(part: 0.01, amount: 0))
    case .serverCPUPerMessage: ("server CPU/message", "µs", Tolerance(part: 0.05, amount: 0))
    }
  }

  /// The unit of its figures.
  var unit: String { row.unit }
}

/// The smallest difference of interest: what is within counts as equal.
struct Tolerance: Equatable {
  /// As a part of the smaller figure.
  let part: Double
  /// In the metric's unit, where that is more; 0 where only the part counts.
  let amount: Double

  /// The tolerance as a part, beside some figure: 0.05 is 5 %.
  func part(of figure: Double) -> Double {
    figure > 0 ? max(part, amount / figure) : part
  }
}
