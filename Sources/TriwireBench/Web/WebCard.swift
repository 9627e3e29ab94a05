/// One scenario on the page: its table and its charts.
struct WebCard {
  private let comparison: Comparison
  private let report: Report
  private let prefix: String
  /// Whether it is a point of a family, whose curves say more than its own charts.
  private let isPoint: Bool

  init(_ comparison: Comparison, of report: Report, prefix: String, isPoint: Bool = false) {
    self.comparison = comparison
    self.isPoint = isPoint
    self.report = report
    self.prefix = prefix
  }

  var html: String {
    let scenario = comparison.scenario
    let name = HTML.escaped(scenario.name)
    let summary = scenario.summary.isEmpty ? "" : "<p>\(HTML.escaped(scenario.summary)).</p>"
    let failures = comparison.failures.map {
      "<p class=\"bad\"><strong>\(HTML.escaped($0))</strong></p>"
    }
    let content = comparison.pools.isEmpty ? ["<p>No trial of it has run.</p>"] : parts
    return """
      <section id="\(prefix)\(name)"><h2>\(name)</h2>
      \(([summary] + failures + content).filter { !$0.isEmpty }.joined(separator: "\n"))
      </section>
      """
  }

  private var parts: [String] {
    let title =
      comparison.scenario.search == nil
      ? "All figures; the ratio to the best of a line is in brackets" : "What the search found"
    let figures = table(title, "", comparison.lines)
    guard !isPoint else {
      return [
        HTML.details(
          "Figures and charts of this point",
          [figures, notes, grid(charts + costs)].joined(separator: "\n"))
      ]
    }
    return [
      figures, grid(charts),
      costs.isEmpty ? "" : "<h3>What a connection costs</h3>\n" + grid(costs),
      outcomes, published, notes,
    ]
  }

  private var charts: [String] {
    let charts =
      comparison.scenario.search.map { [CapacityChart(comparison, $0).html] }
      ?? [
        PercentileChart(comparison.pools, LatencyTheory(comparison.scenario)).html,
        TimelineChart(comparison).html,
        ByteChart(comparison.pools).html,
        ForestChart(comparison).html, RecoveryChart(comparison.pools).html,
      ]
    return charts.filter { !$0.isEmpty }
  }

  private var costs: [String] {
    guard comparison.scenario.search == nil else { return [] }
    return [
      OpeningChart(comparison.pools).html, LifetimeChart(comparison.pools).html,
      MemoryChart(comparison.pools).html, HeartbeatChart(comparison.pools).html,
    ].filter { !$0.isEmpty }
  }

  private var outcomes: String {
    guard !comparison.outcomes.isEmpty else { return "" }
    return "<h3>What the clients did about each fault</h3>\n"
      + table("How often it struck, and the longest waits", "fault", comparison.outcomes, style: "")
  }

  private var published: String {
    guard !comparison.publishedRows.isEmpty else { return "" }
    return "<h3>Beside published figures</h3>\n"
      + HTML.table(
        "Theirs, ours, and ours counted as they did", Comparison.publishedHeads,
        comparison.publishedRows)
  }

  private var notes: String {
    let few = comparison.verdicts.isEmpty ? report.verdicts(of: comparison.scenario) : nil
    let sentences =
      [comparison.latencyNote] + [comparison.omission, few].compactMap { $0 }
      + comparison.settings + comparison.publishedNotes + comparison.cautions
    return sentences.map {
      "<p class=\"soft\">\(HTML.escaped($0.replacing("`", with: "")))</p>"
    }.joined(separator: "\n")
  }

  private func grid(_ charts: [String]) -> String {
    charts.isEmpty ? "" : "<div class=\"charts\">\n\(charts.joined(separator: "\n"))\n</div>"
  }

  private func table(
    _ caption: String, _ corner: String, _ lines: [Comparison.Line], style: String = "n"
  ) -> String {
    let heads = comparison.pools.map {
      "<th scope=\"col\" class=\"\(style)\">\(WebCharts.named($0))</th>"
    }
    let rows = lines.map { line in
      "<tr><th scope=\"row\">\(HTML.escaped(line.metric))</th>"
        + line.cells.map { "<td class=\"\(style)\">\(HTML.escaped($0))</td>" }.joined() + "</tr>"
    }
    let first = corner.isEmpty ? "figure" : corner
    return HTML.table(
      caption, head: "<th scope=\"col\">\(first)</th>" + heads.joined(), body: rows)
  }
}
