import TriwireBench

extension Command {
  /// `triwire explain`: what a figure is, and how it is counted.
  static let explainCommand = Command(
    name: "explain", summary: "say what a figure of the reports is and how it is counted",
    usage: "[METRIC …]",
    explanation: """
      Shows each figure by its key, as thresholds and data have it, and by its name in tables, and
      says how it is counted. Without a METRIC it lists the keys of all.
      """,
    options: []
  ) { arguments in
    guard !arguments.operands.isEmpty else {
      let width = MetricGuide.all.map(\.key.count).max() ?? 0
      let lines = MetricGuide.all.map { guide in
        "\(guide.key)\(String(repeating: " ", count: width - guide.key.count))  \(guide.name)"
      }
      Output.print(lines.joined(separator: "\n"))
      return .done
    }
    var texts: [String] = []
    for word in arguments.operands {
      guard let guide = MetricGuide.named(word) else {
        let hint = Suggestion.phrase(forMetric: word, withTransport: false)
        throw UsageError(
          message:
            "there is no figure \"\(word)\"\(hint.isEmpty ? "; triwire explain lists all" : hint)"
        )
      }
      let page = Page.current(1).narrowed(to: 95)
      texts.append(
        page.bold(guide.key) + "  \(guide.name), in \(guide.unit)\n"
          + page.wrapped("  \(guide.explanation)", hanging: 2))
    }
    Output.print(texts.joined(separator: "\n").trimmedEnd)
    return .done
  }
}

extension String {
  /// Without the line end that printing adds.
  fileprivate var trimmedEnd: String { hasSuffix("\n") ? String(dropLast()) : self }
}
