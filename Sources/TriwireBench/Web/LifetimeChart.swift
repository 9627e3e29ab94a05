import Glibc

/// Bytes of a session by how many messages it carries: what opening costs and each message adds, with
/// the number from which on another transport takes fewer.
struct LifetimeChart {
  private struct Course {
    let pool: Pool
    let open: Double
    let each: Double

    func bytes(of messages: Double) -> Double { open + each * messages }
  }

  /// Two contenders that take equally much with so many messages.
  private struct Crossing {
    let messages: Double
    /// Which takes less with fewer messages, and which with more.
    let fewer: Course
    let more: Course
  }

  private let courses: [Course]

  init(_ pools: [Pool]) {
    courses = pools.compactMap { pool in
      guard let open = pool.openBytes, let each = pool.perMessage(\.wire), open > 0, each > 0 else {
        return nil
      }
      return Course(pool: pool, open: open, each: each)
    }
  }

  private static let most = 10_000.0

  /// Where lines cross, with one message at least and within the chart.
  private var crossings: [Crossing] {
    courses.indices.flatMap { first in
      courses.indices.dropFirst(first + 1).compactMap { second -> Crossing? in
        let (one, other) = (courses[first], courses[second])
        let messages = (other.open - one.open) / (one.each - other.each)
        guard messages.isFinite, messages >= 1, messages <= LifetimeChart.most else { return nil }
        let isOne = one.open < other.open
        return Crossing(
          messages: messages, fewer: isOne ? one : other, more: isOne ? other : one)
      }
    }.sorted { $0.messages < $1.messages }
  }

  /// The chart with its table; nothing where opening or messages were not measured.
  var html: String {
    guard !courses.isEmpty else { return "" }
    let counts = (0...40).map { pow(10, Double($0) / 10) }
    let all = courses.flatMap { [$0.bytes(of: 1), $0.bytes(of: LifetimeChart.most)] }
    var plane = Plane(
      x: .log(LogAxis(holding: [1, LifetimeChart.most], from: Plane.left, to: Plane.right)),
      "messages of a session", { Figures.decimal($0, places: 0) },
      y: .log(LogAxis(holding: all, from: Plane.bottom, to: Plane.top)), { Figures.size($0) })
    for course in courses {
      plane.line(counts.map { (x: $0, y: course.bytes(of: $0)) }, of: course.pool)
    }
    for course in courses {
      for count in [1.0, 10, 100, 1000, 10_000] {
        plane.mark(
          (count, course.bytes(of: count)), of: course.pool,
          hint: "\(Figures.decimal(count, places: 0)): \(Figures.bytes(course.bytes(of: count)))")
      }
    }
    return ChartFrame(
      title: "Bytes of a session by its messages",
      note: "computed: the bytes of opening and those of each message, as measured here"
    ).html(
      plane.drawing, legend: WebCharts.legend(of: courses.map(\.pool)),
      fold: "Bytes of a session as a table", table)
  }

  private var table: String {
    let counts = [0.0, 1, 10, 100, 1000, 10_000]
    let rows = counts.map { count in
      [Figures.decimal(count, places: 0)]
        + courses.map { Figures.bytes($0.bytes(of: count)) }
    }
    let even = crossings.map { crossing in
      "<li>\(HTML.escaped(LifetimeChart.sentence(crossing)))</li>"
    }
    let sentences =
      even.isEmpty
      ? "<p class=\"soft\">No two of them take equally much with 1 to 10,000 messages.</p>"
      : "<ul>\(even.joined(separator: "\n"))</ul>"
    return HTML.table(
      "Bytes of IP packets, both directions", ["messages"] + courses.map(\.pool.name), rows)
      + "\n" + sentences
  }

  private static func sentence(_ crossing: Crossing) -> String {
    let count = Figures.decimal(crossing.messages, places: crossing.messages < 10 ? 1 : 0)
    return "\(crossing.fewer.pool.name) takes fewer up to \(count) messages, "
      + "\(crossing.more.pool.name) beyond"
  }
}
