/// What a search found: latency and the server's work over the load, with the knee of each contender.
struct CapacityChart {
  private struct Course {
    let pool: Pool
    /// The median of each figure over the probes of a load.
    let points: [Point]
    let held: Double
  }

  private struct Point {
    let level: Double
    let p50: Double?
    let p99: Double?
    /// `nil` where nobody tells.
    let busy: Double?
    let isHeld: Bool
  }

  private let courses: [Course]
  private let comparison: Comparison
  private let search: CapacitySearch

  init(_ comparison: Comparison, _ search: CapacitySearch) {
    self.comparison = comparison
    self.search = search
    courses = comparison.pools.compactMap { pool in
      guard let found = PooledCapacity(pool) else { return nil }
      let points = found.curve.map { level, probes in
        Point(
          level: level, p50: CapacityChart.middle(probes.compactMap(\.p50)),
          p99: CapacityChart.middle(probes.compactMap(\.p99)),
          busy: CapacityChart.middle(probes.compactMap(\.serverBusy)),
          isHeld: probes.allSatisfy { $0.outcome == .held })
      }
      return Course(pool: pool, points: points, held: found.held)
    }
  }

  private static func middle(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : median(values)
  }

  /// The chart with its table; nothing before something was probed.
  var html: String {
    guard courses.contains(where: { !$0.points.isEmpty }) else { return "" }
    let title = search.vary == .rate ? "Latency over rate" : "Latency over clients"
    let note =
      "p99, and the area down to p50; below, how much of a core the server used; filled marks "
      + "held, hollow ones did not; upright lines are the most that held"
    return """
      <figure><figcaption>\(title)<small>\(note)</small></figcaption>
      \(WebCharts.legend(of: courses.map(\.pool)))
      \(drawing.svg(named: "\(title); the figures are in the table below"))
      \(HTML.details("Probes as a table", table))
      </figure>
      """
  }

  private static let (left, right, top, bottom, floor) = (62.0, 448.0, 10.0, 252.0, 350.0)

  private var drawing: Drawing {
    var drawing = Drawing(width: 460, height: 390)
    let (left, right) = (CapacityChart.left, CapacityChart.right)
    let points = courses.flatMap(\.points)
    let x = LogAxis(holding: points.map(\.level), from: left, to: right)
    let limit = (search.slo.p99 ?? search.slo.p50).map { $0.seconds * 1e6 }
    let y = LogAxis(
      holding: points.flatMap { [$0.p50, $0.p99].compactMap { $0 } } + [limit].compactMap { $0 },
      from: CapacityChart.bottom, to: CapacityChart.top)
    for tick in y.ticks(apart: 24) {
      drawing.line(left, y.place(tick), right, y.place(tick), "grid")
      drawing.text(Figures.short(tick), left - 6, y.place(tick) + 4, .end, "s")
    }
    if let limit {
      drawing.line(left, y.place(limit), right, y.place(limit), "axis d1")
      drawing.text("objective", left + 4, y.place(limit) - 4, .start, "s")
    }
    for tick in x.ticks(apart: 56) {
      drawing.line(x.place(tick), CapacityChart.top, x.place(tick), CapacityChart.floor, "grid")
      let digits = tick < 0.995 ? 2 : tick < 9.95 ? 1 : 0
      drawing.text(
        Figures.decimal(tick, places: digits), min(x.place(tick), right - 20),
        CapacityChart.floor + 18, .middle, "s")
    }
    drawing.text(
      search.vary == .rate ? "messages/s" : "clients", right, CapacityChart.floor + 35, .end, "s")
    drawing.line(left, CapacityChart.bottom, right, CapacityChart.bottom, "axis")
    drawing.line(left, CapacityChart.floor, right, CapacityChart.floor, "axis")
    drawing.text("of the server's core", left + 4, busyPlace(1) + 4, .start, "s")
    drawing.text("100 %", left - 6, busyPlace(1) + 4, .end, "s")
    drawing.text("0 %", left - 6, CapacityChart.floor + 4, .end, "s")
    for course in courses { draw(course, x, y, &drawing) }
    return drawing
  }

  private func busyPlace(_ busy: Double) -> Double {
    CapacityChart.floor - min(1.2, max(0, busy)) / 1.2 * (CapacityChart.floor - 272)
  }

  private func draw(_ course: Course, _ x: LogAxis, _ y: LogAxis, _ drawing: inout Drawing) {
    let transport = course.pool.contender.transport
    let style = Drawing.style(of: transport)
    let dash = WebCharts.dash(of: course.pool)
    let known = course.points.compactMap { point in
      point.p99.map { (x: x.place(point.level), high: y.place($0), low: y.place(point.p50 ?? $0)) }
    }
    drawing.path(
      known.map { (x: $0.x, y: $0.high) } + known.reversed().map { (x: $0.x, y: $0.low) },
      "area \(style)", isClosed: true)
    drawing.path(known.map { (x: $0.x, y: $0.high) }, "line \(style) \(dash)")
    let busy = course.points.compactMap { point in
      point.busy.map { (x: x.place(point.level), y: busyPlace($0)) }
    }
    drawing.path(busy, "line \(style) \(dash)")
    if course.held > 0 {
      drawing.line(
        x.place(course.held), CapacityChart.top, x.place(course.held), CapacityChart.floor,
        "line \(style) d2")
    }
    for point in course.points {
      let place = x.place(point.level)
      let form = "\(point.isHeld ? "dot" : "open") \(style)"
      let name = "\(course.pool.name) \(search.text(point.level))"
      if let p99 = point.p99 {
        drawing.mark(
          transport, place, y.place(p99), form, hint: "\(name): p99 \(Figures.duration(p99))")
      }
      guard let busy = point.busy else { continue }
      drawing.mark(
        transport, place, busyPlace(busy), form,
        hint: "\(name): server \(Figures.percent(busy)) of a core")
    }
  }

  private var table: String {
    HTML.table("All probes", Comparison.curveColumns, comparison.curveRows(search))
  }
}
