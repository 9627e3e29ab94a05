/// What somebody who reads a report wants to know about one of its figures.
package struct MetricGuide: Sendable {
  /// What data, thresholds and the command line call it.
  package let key: String
  /// What tables call it.
  package let name: String
  /// What its figures count in data: microseconds, say.
  package let unit: String
  /// What it is and how it is counted, as sentences.
  package let explanation: String

  /// All figures, in the order of the tables.
  package static let all = Metric.all.map { metric in
    MetricGuide(
      key: metric.key, name: metric.name, unit: metric.unit.words,
      explanation: metric.explanation)
  }

  /// The figure with that key or name; `nil` when there is none.
  package static func named(_ word: String) -> MetricGuide? {
    all.first { $0.key == word || $0.name == word }
  }
}

extension Metric.Unit {
  fileprivate var words: String {
    switch self {
    case .time: "microseconds"
    case .bytes: "bytes"
    case .part: "parts of one"
    case .count: "numbers"
    }
  }
}
