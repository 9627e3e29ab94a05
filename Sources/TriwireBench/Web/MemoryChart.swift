/// What the server's memory grows by with its connections: what was read, and the line through it.
struct MemoryChart {
  private struct Course {
    let pool: Pool
    let growth: Growth
    /// The mean of what was read at each number of clients, above what the server takes for itself.
    let points: [(clients: Double, bytes: Double)]
  }

  private let courses: [Course]

  init(_ pools: [Pool]) {
    courses = pools.compactMap { pool in
      guard let growth = pool.memoryGrowth else { return nil }
      return Course(pool: pool, growth: growth, points: MemoryChart.points(of: pool))
    }
  }

  private static func points(of pool: Pool) -> [(clients: Double, bytes: Double)] {
    let above = pool.trials.flatMap { trial -> [(clients: Int, bytes: Double)] in
      guard let slope = trial.memory.privateDirtyPerConnection else { return [] }
      let steps = trial.memory.steps
      let count = Double(steps.count)
      let clients = steps.reduce(0) { $0 + Double($1.clients) } / count
      let bytes = steps.reduce(0) { $0 + Double($1.privateDirty) } / count
      let own = bytes - slope.value * clients
      return steps.map { ($0.clients, Double($0.privateDirty) - own) }
    }
    return Dictionary(grouping: above, by: \.clients).sorted { $0.key < $1.key }
      .map { (Double($0.key), $0.value.reduce(0) { $0 + $1.bytes } / Double($0.value.count)) }
  }

  /// The chart with its table; nothing where no growth stands clearly above chance.
  var html: String {
    guard !courses.isEmpty else { return "" }
    let clients = courses.flatMap(\.points).map(\.clients).max() ?? 1
    let highest = courses.flatMap { [$0.growth.high * clients] + $0.points.map(\.bytes) }
    var plane = Plane(
      x: .linear(LinearAxis(0, clients, from: Plane.left, to: Plane.right)), "connections",
      { Figures.decimal($0, places: clients < 10 ? 1 : 0) },
      y: .linear(LinearAxis(0, highest.max() ?? 1, from: Plane.bottom, to: Plane.top)),
      { Figures.size($0) })
    for course in courses {
      let end = { (slope: Double) in [(x: 0.0, y: 0.0), (x: clients, y: slope * clients)] }
      plane.area(end(max(0, course.growth.low)), end(course.growth.high), of: course.pool)
      plane.line(end(course.growth.value), of: course.pool)
    }
    for course in courses {
      for point in course.points {
        plane.mark(
          (point.clients, point.bytes), of: course.pool,
          hint: "\(Figures.decimal(point.clients, places: 0)): \(Figures.bytes(point.bytes))")
      }
    }
    return ChartFrame(
      title: "Memory of the server by connections",
      note: "private memory above what the server takes for itself; lines are fits, areas their "
        + "95 % intervals"
    ).html(
      plane.drawing, legend: WebCharts.legend(of: courses.map(\.pool)), fold: "Memory as a table",
      table)
  }

  private var table: String {
    let counts = Set(courses.flatMap { $0.points.map(\.clients) }).sorted()
    let rows = counts.map { count in
      [Figures.decimal(count, places: 0)]
        + courses.map { course in
          Figures.bytes(course.points.first { $0.clients == count }?.bytes)
        }
    }
    let slopes = ["each, with its interval"] + courses.map(\.growth.text)
    return HTML.table(
      "Private memory above what the server takes for itself",
      ["connections"] + courses.map(\.pool.name), rows + [slopes])
  }
}

/// What memory grows by with each connection, and the interval that holds it with 95 % confidence.
struct Growth: Equatable {
  let value: Double
  let low: Double
  let high: Double

  /// The growth of several runs by how they scatter, of one or two by how points lie off their lines.
  init?(_ slopes: [(slope: Slope, points: Int)]) {
    guard !slopes.isEmpty, slopes.allSatisfy(\.slope.isSound) else { return nil }
    let values = slopes.map(\.slope.value)
    if let interval = MeanInterval(values, seed: 1) {
      (value, low, high) = (interval.mean, interval.low, interval.high)
      return
    }
    let count = Double(values.count)
    value = values.reduce(0, +) / count
    let error =
      slopes.reduce(0) { $0 + $1.slope.standardError * $1.slope.standardError }.squareRoot() / count
    let degrees = slopes.reduce(0) { $0 + $1.points - 2 }
    let reach =
      error * StudentT.quantile((1 + MeanInterval.confidence) / 2, degrees: max(1, degrees))
    (low, high) = (value - reach, value + reach)
  }

  /// The growth in words: `2,345 B (2,300 B to 2,390 B)`.
  var text: String {
    "\(Figures.bytes(value)) (\(Figures.bytes(max(0, low))) to \(Figures.bytes(high)))"
  }
}

extension Pool {
  /// The growth of the server's private memory, where it stands clearly above chance in all runs.
  var memoryGrowth: Growth? {
    Growth(
      trials.compactMap { trial in
        trial.memory.privateDirtyPerConnection.map { ($0, trial.memory.steps.count) }
      })
  }
}
