/// All scenarios at a glance: what matters most, relative to the best of each.
struct WebOverview {
  private static let keys = [
    "latency.p99", "bytesPerMessage", "serverCPUPerMessage", "memoryPerConnection",
  ]

  private static let caption =
    "Below each figure its ratio to the best of the scenario; blue is up to 1.5 times as much, amber up to 3, "
    + "orange more"

  private let comparisons: [Comparison]
  private let prefix: String

  init(_ comparisons: [Comparison], prefix: String) {
    self.comparisons = comparisons.filter { !$0.pools.isEmpty && $0.scenario.search == nil }
    self.prefix = prefix
  }

  /// The table; nothing before a trial has run.
  var html: String {
    let metrics = WebOverview.keys.compactMap { Metric.named($0) }.filter { metric in
      comparisons.contains { $0.pools.contains { metric.value($0) != nil } }
    }
    guard !metrics.isEmpty else { return "" }
    let head =
      "<th scope=\"col\">scenario</th><th scope=\"col\">transport</th>"
      + metrics.map { "<th scope=\"col\" class=\"n\">\(HTML.escaped($0.name))</th>" }.joined()
    let body = comparisons.flatMap { comparison in
      comparison.pools.enumerated().map { index, pool in
        let name = HTML.escaped(comparison.scenario.name)
        let first =
          index > 0
          ? ""
          : "<th scope=\"rowgroup\" rowspan=\"\(comparison.pools.count)\">"
            + "<a href=\"#\(prefix)\(name)\">\(name)</a></th>"
        return "<tr>\(first)<th scope=\"row\">\(WebCharts.named(pool))</th>"
          + metrics.map { cell($0, pool, among: comparison.pools) }.joined() + "</tr>"
      }
    }
    return """
      <section><h2>Overview</h2>
      \(HTML.table(WebOverview.caption, head: head, body: body))
      </section>
      """
  }

  private func cell(_ metric: Metric, _ pool: Pool, among pools: [Pool]) -> String {
    guard let value = metric.value(pool) else { return "<td class=\"n\">\(Figures.none)</td>" }
    let best = pools.compactMap { metric.value($0) }.min() ?? 0
    let text = HTML.escaped(metric.unit.text(value))
    guard best > 0 else { return "<td class=\"n\">\(text)</td>" }
    let ratio = value / best
    let note = ratio < 1.005 ? "best" : Figures.ratio(ratio)
    return "<td class=\"n h\(shade(ratio))\">\(text) <small>\(note)</small></td>"
  }

  /// The step of shade: equal, up to 1.5 times, up to 3 times, more.
  private func shade(_ ratio: Double) -> Int {
    switch ratio {
    case ..<1.05: 1
    case ..<1.5: 2
    case ..<3: 3
    default: 4
    }
  }
}
