import Triwire

extension Report {
  /// The tables of the report for a terminal or a pipe: aligned columns, one table per scenario.
  ///
  /// - Parameter isColoured: Whether to set off headings and failures with ANSI colours.
  /// - Returns: Lines with a line end each.
  public func terminalText(isColoured: Bool) -> String {
    let style = TerminalStyle(isOn: isColoured)
    return scenarios.map { text(of: Comparison($0, in: self), style) }.joined(separator: "\n")
  }

  private func text(of comparison: Comparison, _ style: TerminalStyle) -> String {
    let scenario = comparison.scenario
    let head = "\(style.bold(scenario.name))  \(scenario.description)\n"
    let failures = comparison.failures.map { "  \(style.red($0))\n" }.joined()
    guard !comparison.transports.isEmpty else { return head + "  no trial of it has run\n" }
    let header = Comparison.Line(metric: "", cells: comparison.transports.map(\.rawValue))
    let rows = [header] + comparison.lines
    let first = rows.map(\.metric.count).max() ?? 0
    let widths = comparison.transports.indices.map { column in
      rows.map { $0.cells[column].count }.max() ?? 0
    }
    let lines = rows.enumerated().map { index, row in
      let cells = zip(row.cells, widths).map { pad($0, to: $1, atStart: true) }
      let line =
        "  \(pad(row.metric, to: first, atStart: false))  \(cells.joined(separator: "  "))\n"
      return index == 0 ? style.bold(line) : line
    }
    return head + failures + lines.joined()
  }

  private func pad(_ text: String, to width: Int, atStart: Bool) -> String {
    let blanks = String(repeating: " ", count: max(0, width - text.count))
    return atStart ? blanks + text : text + blanks
  }
}

/// Sets off text on a terminal, or leaves it as it is.
package struct TerminalStyle: Sendable {
  private let isOn: Bool

  /// A style that colours, or one that does not.
  package init(isOn: Bool) { self.isOn = isOn }

  /// Text that stands out.
  package func bold(_ text: String) -> String { wrap(text, "1") }
  /// Text that says something went wrong.
  package func red(_ text: String) -> String { wrap(text, "31") }

  private func wrap(_ text: String, _ code: String) -> String {
    isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
