/// Latency over the time that was measured: the median of each contender, and up to its longest.
struct TimelineChart {
  private struct Course {
    let pool: Pool
    let points: [(seconds: Double, median: Double, longest: Double)]
  }

  private let courses: [Course]
  private let seconds: Double
  /// When something was broken, in seconds.
  private let faults: [Double]

  init(_ comparison: Comparison) {
    courses = comparison.pools.map(TimelineChart.course).filter { $0.points.count > 2 }
    let duration = comparison.scenario.duration
    seconds = max(duration.seconds, courses.flatMap(\.points).map(\.seconds).max() ?? 0, 1)
    faults = (comparison.scenario.faults ?? []).flatMap { fault in
      // More than a few dozen would be a wall and no marks.
      (0..<min(fault.count(within: duration), 40)).map { number in
        fault.at.seconds + Double(number) * (fault.every?.seconds ?? 0)
      }
    }
  }

  /// The chart with its table; nothing where the time was too short for three points.
  var html: String {
    guard !courses.isEmpty else { return "" }
    let names = courses.map(\.pool.name).joined(separator: ", ")
    let marks = faults.isEmpty ? "" : "; broken lines mark faults"
    return """
      <figure><figcaption>Latency over time<small>by when messages were due; the line is the median, \
      the area reaches to the longest of all runs\(marks)</small></figcaption>
      \(WebCharts.legend(of: courses.map(\.pool)))
      \(drawing.svg(named: "Latency over time of \(names); the figures are in the table below"))
      \(HTML.details("Latency over time as a table", table))
      </figure>
      """
  }

  /// The medians of all runs' medians, and the longest of all runs.
  private static func course(_ pool: Pool) -> Course {
    let lines = pool.trials.map(\.timeline)
    let width = Double(lines.map(\.secondsPerPoint).max() ?? 1)
    let count = lines.map(\.points.count).max() ?? 0
    let points = (0..<count).compactMap { index -> (Double, Double, Double)? in
      let known = lines.compactMap { $0.points.indices.contains(index) ? $0.points[index] : nil }
      let medians = known.compactMap(\.p50)
      guard !medians.isEmpty, let longest = known.compactMap(\.maximum).max() else { return nil }
      return ((Double(index) + 0.5) * width, median(medians), longest)
    }
    return Course(pool: pool, points: points)
  }

  private var drawing: Drawing {
    var drawing = Drawing(width: 460, height: 300)
    let (left, right, top, bottom) = (62.0, 448.0, 10.0, 262.0)
    let axis = LogAxis(
      holding: courses.flatMap { $0.points.flatMap { [$0.median, $0.longest] } }, from: bottom,
      to: top)
    for tick in axis.ticks(apart: 24) {
      let y = axis.place(tick)
      drawing.line(left, y, right, y, "grid")
      drawing.text(Figures.short(tick), left - 6, y + 4, .end, "s")
    }
    let x = { (time: Double) in left + (right - left) * min(1, time / seconds) }
    let steps = [1.0, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600]
    let step = steps.first { seconds / $0 <= 6 } ?? seconds / 6
    for time in stride(from: 0, through: seconds, by: step) {
      drawing.text(Figures.decimal(time, places: 0), x(time), bottom + 18, .middle, "s")
    }
    for fault in faults { drawing.line(x(fault), top, x(fault), bottom, "axis d1") }
    drawing.line(left, bottom, right, bottom, "axis")
    drawing.text("seconds", right, bottom + 35, .end, "s")
    for course in courses {
      let style = Drawing.style(of: course.pool.contender.transport)
      let medians = course.points.map { (x: x($0.seconds), y: axis.place($0.median)) }
      let longest = course.points.map { (x: x($0.seconds), y: axis.place($0.longest)) }
      drawing.path(longest + medians.reversed(), "area \(style)", isClosed: true)
      drawing.path(medians, "line \(style) \(WebCharts.dash(of: course.pool))")
    }
    for course in courses {
      let transport = course.pool.contender.transport
      // One mark in eight tells the lines apart without hiding them.
      let step = max(1, course.points.count / 8)
      for point in course.points.enumerated() where point.offset.isMultiple(of: step) {
        drawing.mark(
          transport, x(point.element.seconds), axis.place(point.element.median),
          "dot \(Drawing.style(of: transport))",
          hint: "\(course.pool.name) \(Figures.duration(point.element.median)), up to "
            + Figures.duration(point.element.longest))
      }
    }
    return drawing
  }

  private var table: String {
    let times = Set(courses.flatMap { $0.points.map(\.seconds) }).sorted()
    let rows = times.map { time in
      [Figures.decimal(time, places: 1)]
        + courses.map { course in
          course.points.first { $0.seconds == time }.map {
            "\(Figures.duration($0.median)), up to \(Figures.duration($0.longest))"
          } ?? Figures.none
        }
    }
    return HTML.table(
      "Median and longest, by the second in the middle of each point",
      ["second"] + courses.map(\.pool.name), rows)
  }
}
