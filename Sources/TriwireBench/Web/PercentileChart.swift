import Glibc
import Triwire

/// Latency by percentile on an axis of nines, a line for each contender and a band over its runs.
struct PercentileChart {
  private static let named: [(name: String, percent: Double)] = [
    ("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9), ("p99.99", 99.99),
    ("p99.999", 99.999),
  ]

  private struct Curve {
    let pool: Pool
    /// Milliseconds over nines.
    let points: [(nines: Double, value: Double)]
    let marks: [(nines: Double, value: Double, name: String)]
    let lowest: [(nines: Double, value: Double)]
    let highest: [(nines: Double, value: Double)]
  }

  private let curves: [Curve]
  /// What the mean of long polling ought to be, where that is known.
  private let theory: LatencyTheory?

  init(_ pools: [Pool], _ theory: LatencyTheory? = nil) {
    self.theory = pools.contains { $0.contender.transport == .longPolling } ? theory : nil
    curves = pools.map(PercentileChart.curve).filter { $0.points.count > 1 }
  }

  /// The chart with its table; nothing where too few messages were measured for a line.
  var html: String {
    guard !curves.isEmpty else { return "" }
    let names = curves.map(\.pool.name).joined(separator: ", ")
    let hasBands = curves.contains { $0.lowest.count > 1 }
    let note =
      "each further nine has the same room"
      + (hasBands ? "; bands reach from the lowest to the highest run" : "")
    return """
      <figure><figcaption>Latency by percentile<small>\(note)</small></figcaption>
      \(WebCharts.legend(of: curves.map(\.pool)))
      \(drawing.svg(named: "Latency by percentile of \(names); the figures are in the table below"))
      \(HTML.details("Percentiles as a table", table))
      </figure>
      """
  }

  private static func curve(_ pool: Pool) -> Curve {
    let count = Double(pool.latency.count)
    let most = count > 20 ? log10(count / 10) : 0
    let steps = Array(stride(from: 0, through: most, by: 0.05))
    let percents = steps.map { 100 * (1 - pow(10, -$0)) }
    let values = pool.latency.soundPercentiles(percents)
    let runs =
      pool.trials.count > 1
      ? pool.trials.map { $0.latencyMicroseconds.histogram.soundPercentiles(percents) } : []
    var (lowest, highest): ([(nines: Double, value: Double)], [(nines: Double, value: Double)]) =
      ([], [])
    for index in steps.indices {
      let known = runs.compactMap { $0[index] }
      guard known.count > 1, let low = known.min(), let high = known.max() else { continue }
      lowest.append((steps[index], Double(low) / 1000))
      highest.append((steps[index], Double(high) / 1000))
    }
    let marks = named.compactMap { name, percent in
      pool.latency.soundPercentile(percent).map {
        (nines: -log10(1 - percent / 100), value: Double($0) / 1000, name: name)
      }
    }
    let points = zip(steps, values).compactMap { step, value in
      value.map { (nines: step, value: Double($0) / 1000) }
    }
    return Curve(pool: pool, points: points, marks: marks, lowest: lowest, highest: highest)
  }

  private var drawing: Drawing {
    var drawing = Drawing(width: 460, height: 300)
    let (left, right, top, bottom) = (62.0, 448.0, 10.0, 262.0)
    let all = curves.flatMap { curve in
      (curve.points + curve.lowest + curve.highest).map(\.value)
    }
    let axis = LogAxis(
      holding: all + (theory.map { [$0.polled * 1000] } ?? []), from: bottom, to: top)
    for tick in axis.ticks(apart: 24) {
      let y = axis.place(tick)
      drawing.line(left, y, right, y, "grid")
      drawing.text(Figures.short(tick), left - 6, y + 4, .end, "s")
    }
    let most = max(0.5, curves.flatMap(\.points).map(\.nines).max() ?? 1)
    let x = { (nines: Double) in left + (right - left) * nines / most }
    for (name, percent) in PercentileChart.named {
      let nines = -log10(1 - percent / 100)
      guard nines <= most + 1e-9 else { continue }
      drawing.line(x(nines), top, x(nines), bottom, "grid")
      let half = Drawing.width(of: name) / 2
      drawing.text(name, min(x(nines), right + 10 - half), bottom + 18, .middle, "s")
    }
    drawing.line(left, bottom, right, bottom, "axis")
    drawing.text("percentile", right, bottom + 35, .end, "s")
    if let theory {
      let y = axis.place(theory.polled * 1000)
      drawing.line(left, y, right, y, "axis")
      drawing.text("long polling's mean in theory", right, y - 4, .end, "s")
    }
    for curve in curves {
      let style = Drawing.style(of: curve.pool.contender.transport)
      let place = { (point: (nines: Double, value: Double)) in
        (x: x(point.nines), y: axis.place(point.value))
      }
      if curve.lowest.count > 1 {
        drawing.path(
          curve.highest.map(place) + curve.lowest.reversed().map(place), "area \(style)",
          isClosed: true)
      }
      drawing.path(curve.points.map(place), "line \(style) \(WebCharts.dash(of: curve.pool))")
    }
    for curve in curves {
      for mark in curve.marks {
        drawing.mark(
          curve.pool.contender.transport, x(mark.nines), axis.place(mark.value),
          "dot \(Drawing.style(of: curve.pool.contender.transport))",
          hint: "\(curve.pool.name) \(mark.name) \(Figures.duration(mark.value))")
      }
    }
    return drawing
  }

  private var table: String {
    let rows = PercentileChart.named.compactMap { name, percent -> [String]? in
      let cells = curves.map { curve -> String in
        guard let value = curve.pool.latency.soundPercentile(percent) else { return Figures.none }
        let runs = curve.pool.trials.compactMap {
          $0.latencyMicroseconds.histogram.soundPercentile(percent)
        }
        let text = Figures.duration(Double(value) / 1000)
        guard runs.count > 1, let low = runs.min(), let high = runs.max() else { return text }
        return "\(text) (\(Figures.duration(Double(low) / 1000)) to "
          + "\(Figures.duration(Double(high) / 1000)))"
      }
      return cells.contains { $0 != Figures.none } ? [name] + cells : nil
    }
    return HTML.table(
      "All runs together, and from the lowest to the highest run",
      ["percentile"] + curves.map(\.pool.name), rows)
  }
}
