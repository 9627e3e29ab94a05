import Glibc

/// How soon sessions were back: the part of those that lost their connection, over time.
struct RecoveryChart {
  private struct Course {
    let pool: Pool
    let times: Histogram
    /// How many lost their connection, back or not.
    let lost: Double

    /// The part that is back after so many microseconds.
    func part(within microseconds: Double) -> Double {
      // A hair more, so that the longest is within its own time.
      let limit = UInt64(min(microseconds * 1000.000_001, 1e18))
      let back = times.buckets.reduce(UInt64(0)) { sum, bucket in
        min(times.maximum, Bucket.highest(of: bucket.index)) <= limit ? sum + bucket.count : sum
      }
      return Double(back) / lost
    }
  }

  private let courses: [Course]

  init(_ pools: [Pool]) {
    courses = pools.compactMap { pool in
      let times = pool.faults.reduce(into: Histogram()) {
        $0.merge($1.recoverMicroseconds.histogram)
      }
      guard times.count > 0 else { return nil }
      // Whoever did not come back was never found to be back after anything.
      let away = pool.faults.reduce(0.0) { sum, fault in
        sum + max(0, Double(fault.lost) - Double(fault.returnMicroseconds.histogram.count))
      }
      return Course(pool: pool, times: times, lost: Double(times.count) + away)
    }
  }

  /// The chart with its table; nothing where no connection was lost to a fault.
  var html: String {
    guard !courses.isEmpty else { return "" }
    let ends = courses.flatMap { [$0.times.minimum, $0.times.maximum] }.map { Double($0) / 1000 }
    let x = LogAxis(holding: ends.map { max(1, $0) }, from: Plane.left, to: Plane.right)
    var plane = Plane(
      x: .log(x), "since the fault", { Figures.short($0) },
      y: .linear(LinearAxis(0, 1, from: Plane.bottom, to: Plane.top)),
      { "\(Figures.decimal($0 * 100, places: 0)) %" })
    for course in courses {
      var height = 0.0
      let stairs = RecoveryChart.steps(ends).flatMap { time -> [(x: Double, y: Double)] in
        defer { height = course.part(within: time) }
        return [(time, height), (time, course.part(within: time))]
      }
      plane.line(stairs, of: course.pool)
    }
    for course in courses {
      for percent in RecoveryChart.parts {
        guard let time = RecoveryChart.time(percent, of: course) else { continue }
        plane.mark(
          (time, percent / 100), of: course.pool,
          hint: "\(Figures.decimal(percent, places: 0)) % within \(Figures.duration(time))")
      }
    }
    return ChartFrame(
      title: "Sessions that are back, over time",
      note: "of those whose connection a fault cost, from the fault to the next connection"
    ).html(
      plane.drawing, legend: WebCharts.legend(of: courses.map(\.pool)),
      fold: "Recovery as a table", table)
  }

  private static let parts = [50.0, 90, 95, 100]

  /// Times from the shortest to the longest, in equal ratios.
  private static func steps(_ ends: [Double]) -> [Double] {
    let (low, high) = (max(1, ends.min() ?? 1), max(1, ends.max() ?? 1))
    return (0...100).map { low * pow(high / low, Double($0) / 100) }
  }

  /// After how many microseconds such a part of all that were lost was back; `nil` is never.
  private static func time(_ percent: Double, of course: Course) -> Double? {
    let needed = course.lost * percent / 100
    guard needed <= Double(course.times.count) + 1e-6 else { return nil }
    let share = min(100, 100 * needed / Double(course.times.count))
    return Double(share >= 100 ? course.times.maximum : course.times.percentile(share)) / 1000
  }

  private var table: String {
    let rows = RecoveryChart.parts.map { percent in
      ["\(Figures.decimal(percent, places: 0)) % back"]
        + courses.map { Figures.duration(RecoveryChart.time(percent, of: $0)) }
    }
    let counts =
      ["connections lost to faults"] + courses.map { Figures.decimal($0.lost, places: 0) }
    return HTML.table(
      "From the fault to the next connection", ["sessions"] + courses.map(\.pool.name),
      rows + [counts])
  }
}
