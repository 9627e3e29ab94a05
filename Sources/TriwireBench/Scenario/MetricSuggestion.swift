import Triwire

extension Suggestion {
  /// `, did you mean …?` for a word that is no figure's key, with up to three keys; an empty text
  /// when none is near.
  ///
  /// - Parameters:
  ///   - word: What somebody wrote; another name of a transport may stand before it.
  ///   - withTransport: Whether a key may name a transport, as in thresholds.
  /// - Returns: The end of a sentence.
  package static func phrase(forMetric word: String, withTransport: Bool) -> String {
    guard let dot = word.firstIndex(of: "."),
      let transport = nearest(
        to: String(word[..<dot]), among: TransportKind.allCases.map(\.rawValue))
    else { return phrase(metrics(for: word), quoted: "\"") }
    let keys = metrics(for: String(word[word.index(after: dot)...]))
    return phrase(withTransport ? keys.map { "\(transport).\($0)" } : keys, quoted: "\"")
  }

  /// The keys of metrics that a word may mean, which is looked for in keys and in names.
  private static func metrics(for word: String) -> [String] {
    if let metric = Metric.named(word) { return [metric.key] }
    let keys = several(for: word, among: Metric.all.map(\.key))
    guard keys.isEmpty else { return keys }
    return several(for: word, among: Metric.all.map(\.name)).compactMap { Metric.named($0)?.key }
  }
}
