import Glibc
import Triwire

/// Who takes least at each rate and size: the mark of the winner in each cell, hollow where another is
/// about as good.
struct CrossoverChart {
  private static let keys = ["bytesPerMessage", "serverCPUPerMessage", "latency.p99"]
  /// What is no further from the best than by this factor is about as good.
  private static let near = 1.05

  private let family: SweepFamily
  private let metrics: [Metric]

  init(_ family: SweepFamily) {
    self.family = family
    metrics = CrossoverChart.keys.compactMap { Metric.named($0) }.filter { metric in
      family.points.contains { $0.comparison.pools.contains { metric.value($0) != nil } }
    }
  }

  /// Who wins in a cell, and by how much.
  private struct Cell {
    let winner: Pool
    /// How many times as much the next takes; `nil` where there is no other.
    let lead: Double?
    let value: Double

    var isClear: Bool { lead.map { $0 > CrossoverChart.near } ?? true }
  }

  private func cell(_ metric: Metric, _ rate: Double, _ payload: Int) -> Cell? {
    let point = family.points.first { $0.rate == rate && $0.payload == payload }
    // A control is no transport to take.
    let known = (point?.comparison.pools ?? []).filter { $0.contender.poll == nil }
      .compactMap { pool in metric.value(pool).map { (pool, $0) } }.sorted { $0.1 < $1.1 }
    guard let first = known.first else { return nil }
    let lead = known.count > 1 && first.1 > 0 ? known[1].1 / first.1 : nil
    return Cell(winner: first.0, lead: lead, value: first.1)
  }

  /// The chart with its table; nothing where neither rate nor size varies with another to win.
  var html: String {
    guard !metrics.isEmpty, family.points.contains(where: { $0.comparison.pools.count > 1 }) else {
      return ""
    }
    return ChartFrame(
      title: "Who takes least, by rate and size",
      note: "how many times as much the next takes is written below; a hollow mark: within 5 % of "
        + "the next"
    ).html(drawing, legend: legend, fold: "Who takes least as a table", table)
  }

  private var legend: String {
    let pools = family.names.compactMap { name in
      family.points.lazy.flatMap(\.comparison.pools).first { $0.name == name }
    }.filter { $0.contender.poll == nil }
    return WebCharts.legend(of: pools)
  }

  private var drawing: Drawing {
    let (rates, payloads) = (family.rates, family.payloads)
    let left = 66.0
    let width = (448 - left) / Double(rates.count)
    let (row, head) = (40.0, 26.0)
    let panel = head + row * Double(payloads.count) + 14
    var drawing = Drawing(width: 460, height: panel * Double(metrics.count) + 36)
    for (index, metric) in metrics.enumerated() {
      let top = panel * Double(index)
      drawing.text(metric.name, 0, top + 17, .start, "b")
      for (line, payload) in payloads.reversed().enumerated() {
        let y = top + head + row * Double(line)
        drawing.text(Figures.size(Double(payload)), left - 8, y + row / 2 + 4, .end, "s")
        for (column, rate) in rates.enumerated() {
          let x = left + width * Double(column)
          drawing.box(x, y, width - 2, row - 2, "cell")
          if let cell = cell(metric, rate, payload) {
            draw(cell, metric, at: (x + width / 2 - 1, y), &drawing)
          }
        }
      }
    }
    let bottom = panel * Double(metrics.count)
    for (column, rate) in rates.enumerated() {
      drawing.text(
        SweepCharts.plain(rate), left + width * (Double(column) + 0.5), bottom + 4, .middle, "s")
    }
    drawing.text("messages/s of a client", 448, bottom + 22, .end, "s")
    return drawing
  }

  private func draw(
    _ cell: Cell, _ metric: Metric, at place: (x: Double, y: Double), _ drawing: inout Drawing
  ) {
    let transport = cell.winner.contender.transport
    drawing.mark(
      transport, place.x, place.y + 12,
      "\(cell.isClear ? "dot" : "open") \(Drawing.style(of: transport))",
      hint: "\(cell.winner.name) \(metric.unit.text(cell.value))")
    if let lead = cell.lead {
      drawing.text(Figures.ratio(lead), place.x, place.y + 32, .middle, "s")
    }
  }

  private var table: String {
    let rows = metrics.flatMap { metric in
      family.points.map { point -> [String] in
        let cell = cell(metric, point.rate, point.payload)
        return [
          metric.name, SweepCharts.plain(point.rate), Figures.size(Double(point.payload)),
          cell.map { $0.isClear ? $0.winner.name : "\($0.winner.name), about equal" }
            ?? Figures.none,
          metric.unit.text(cell?.value), cell?.lead.map { Figures.ratio($0) } ?? Figures.none,
        ]
      }
    }
    return HTML.table(
      "Who takes least, and how many times as much the next takes",
      ["figure", "messages/s", "payload", "least", "takes", "next"], rows, flushRight: false)
  }
}
