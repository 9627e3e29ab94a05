import Triwire

/// The ratios of any two contenders with their intervals, beside the band that counts as equal.
struct ForestChart {
  private let comparisons: [ContenderComparison]
  private let pools: [Pool]

  init(_ comparison: Comparison) {
    comparisons = comparison.verdicts
    pools = comparison.pools
  }

  /// The chart with its table; nothing where nothing was compared.
  var html: String {
    guard !comparisons.isEmpty else { return "" }
    let title = "Ratios with their 95 % intervals"
    let note =
      "left of 1 takes less; grey counts as equal; filled marks are decided, hollow ones are not"
    return """
      <figure><figcaption>\(title)<small>\(note)</small></figcaption>
      \(drawing.svg(named: "\(title), run by run; the figures are in the table below"))
      \(HTML.details("Ratios as a table", table))
      </figure>
      """
  }

  private var drawing: Drawing {
    let metrics = ComparedMetric.allCases.filter { metric in
      comparisons.contains { $0.metric == metric }
    }
    let height = Double(metrics.count) * 26 + Double(comparisons.count) * 34 + 34
    var drawing = Drawing(width: 460, height: height)
    let (left, right) = (194.0, 450.0)
    // What reaches beyond a factor of 100 is cut at the edge; the table has it.
    let ends =
      comparisons.flatMap { [$0.result.low, $0.result.high, $0.result.ratio] } + [0.8, 1.25]
    let axis = LogAxis(
      holding: ends.map { min(100, max(0.01, $0)) }, from: left, to: right)
    let bottom = height - 24
    for tick in axis.ticks(apart: 34) {
      let x = axis.place(tick)
      drawing.line(x, 4, x, bottom, "grid")
      let places = tick < 0.0999 ? 2 : abs(tick - tick.rounded()) < 0.001 ? 0 : 1
      drawing.text(
        "\(Figures.decimal(tick, places: places))×", min(x, 446), bottom + 18, .middle, "s")
    }
    var y = 0.0
    for metric in metrics {
      drawing.text(metric.name, 0, y + 18, .start, "b")
      y += 26
      for comparison in comparisons where comparison.metric == metric {
        row(comparison, at: y, on: axis, &drawing)
        y += 34
      }
    }
    return drawing
  }

  private func row(
    _ comparison: ContenderComparison, at y: Double, on axis: LogAxis, _ drawing: inout Drawing
  ) {
    let result = comparison.result
    drawing.text(comparison.contender, 8, y + 13, .start, "s")
    drawing.text("to \(comparison.against)", 8, y + 27, .start, "s")
    let band = (axis.place(1 / (1 + result.tolerance)), axis.place(1 + result.tolerance))
    drawing.box(band.0, y + 2, band.1 - band.0, 30, "equal")
    drawing.line(axis.place(1), y, axis.place(1), y + 34, "axis")
    let pool = pools.first { $0.name == comparison.contender } ?? pools[0]
    let style = Drawing.style(of: pool.contender.transport)
    let middle = y + 17
    drawing.line(axis.place(result.low), middle, axis.place(result.high), middle, "line \(style)")
    drawing.mark(
      pool.contender.transport, axis.place(result.ratio), middle,
      result.verdict == .inconclusive ? "open \(style)" : "dot \(style)",
      hint: "\(Figures.preciseRatio(result.ratio)), \(result.verdict.rawValue)")
  }

  private var table: String {
    let rows = comparisons.map { comparison in
      [
        comparison.metric.name, "\(comparison.contender) to \(comparison.against)",
        Figures.preciseRatio(comparison.result.ratio),
        "\(Figures.preciseRatio(comparison.result.low)) to "
          + Figures.preciseRatio(comparison.result.high),
        comparison.result.verdictText.replacing("**", with: ""),
      ]
    }
    return HTML.table(
      "Run by run", ["metric", "what", "ratio", "95 % interval", "verdict"], rows,
      flushRight: false)
  }
}
