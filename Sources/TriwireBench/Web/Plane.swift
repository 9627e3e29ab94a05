import Glibc

/// An axis of equal steps from one place to another.
struct LinearAxis {
  private let low: Double
  private let high: Double
  private let start: Double
  private let end: Double

  /// An axis from one value to another; a step more where they are one.
  init(_ low: Double, _ high: Double, from start: Double, to end: Double) {
    self.low = low
    self.high = high > low ? high : low + 1
    (self.start, self.end) = (start, end)
  }

  /// Where a value is; the nearer end for one that is beyond.
  func place(_ value: Double) -> Double {
    let part = (value - low) / (high - low)
    return start + (end - start) * min(1, max(0, part))
  }

  /// Round values on the axis, no nearer to each other than some distance.
  func ticks(apart distance: Double) -> [Double] {
    let most = max(1, abs(end - start) / distance)
    let least = (high - low) / most
    let decade = pow(10, log10(least).rounded(.down))
    let step = [1, 2, 5, 10].map { $0 * decade }.first { $0 >= least * 0.999_999 } ?? 10 * decade
    let first = (low / step).rounded(.up)
    return (0...Int(most) + 1).map { (first + Double($0)) * step }.filter { $0 <= high * 1.000_001 }
  }
}

/// An axis of either kind.
enum Axis {
  case log(LogAxis)
  case linear(LinearAxis)

  func place(_ value: Double) -> Double {
    switch self {
    case .log(let axis): axis.place(value)
    case .linear(let axis): axis.place(value)
    }
  }

  func ticks(apart distance: Double) -> [Double] {
    switch self {
    case .log(let axis): axis.ticks(apart: distance)
    case .linear(let axis): axis.ticks(apart: distance)
    }
  }
}

/// A plane with a grid, which lines and marks of contenders are drawn on.
struct Plane {
  /// Where the plane is on the picture.
  static let (left, right, top, bottom) = (66.0, 448.0, 10.0, 262.0)

  private(set) var drawing = Drawing(width: 460, height: 300)
  private let x: Axis
  private let y: Axis

  /// A plane with its grid and the names of its axes.
  ///
  /// - Parameters:
  ///   - x: The axis to the right.
  ///   - xName: What stands below its end.
  ///   - xText: How its values are written.
  ///   - y: The axis upwards.
  ///   - yText: How its values are written.
  init(
    x: Axis, _ xName: String, _ xText: (Double) -> String, y: Axis, _ yText: (Double) -> String
  ) {
    (self.x, self.y) = (x, y)
    for tick in y.ticks(apart: 24) {
      drawing.line(Plane.left, y.place(tick), Plane.right, y.place(tick), "grid")
      drawing.text(yText(tick), Plane.left - 6, y.place(tick) + 4, .end, "s")
    }
    for tick in x.ticks(apart: 62) {
      let text = xText(tick)
      drawing.line(x.place(tick), Plane.top, x.place(tick), Plane.bottom, "grid")
      let half = Drawing.width(of: text) / 2
      drawing.text(
        text, min(x.place(tick), Plane.right + 10 - half), Plane.bottom + 18, .middle, "s")
    }
    drawing.line(Plane.left, Plane.bottom, Plane.right, Plane.bottom, "axis")
    drawing.text(xName, Plane.right, Plane.bottom + 35, .end, "s")
  }

  /// Where a point is on the picture.
  func place(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
    (x: x.place(point.x), y: y.place(point.y))
  }

  /// A contender's line through points.
  mutating func line(_ points: [(x: Double, y: Double)], of pool: Pool, _ more: String? = nil) {
    let style = Drawing.style(of: pool.contender.transport)
    drawing.path(points.map(place), "line \(style) \(more ?? WebCharts.dash(of: pool))")
  }

  /// A line of no contender, with a name at its upper end.
  mutating func guide(_ points: [(x: Double, y: Double)]) {
    drawing.path(points.map(place), "guide d1")
  }

  /// The area between two lines of a contender.
  mutating func area(
    _ lower: [(x: Double, y: Double)], _ upper: [(x: Double, y: Double)], of pool: Pool
  ) {
    drawing.path(
      upper.map(place) + lower.reversed().map(place),
      "area \(Drawing.style(of: pool.contender.transport))", isClosed: true)
  }

  /// A contender's mark at a point, which says what it is.
  mutating func mark(_ point: (x: Double, y: Double), of pool: Pool, hint: String) {
    let spot = place(point)
    drawing.mark(
      pool.contender.transport, spot.x, spot.y,
      "dot \(Drawing.style(of: pool.contender.transport))", hint: "\(pool.name) \(hint)")
  }
}

/// A chart with its heading, its contenders and its table.
struct ChartFrame {
  let title: String
  let note: String

  /// All of it as HTML.
  ///
  /// - Parameters:
  ///   - drawing: The picture.
  ///   - legend: What its marks mean, as HTML.
  ///   - fold: What the table is called.
  ///   - table: The figures, as HTML.
  /// - Returns: A figure that is named for those who do not see it.
  func html(_ drawing: Drawing, legend: String, fold: String, _ table: String) -> String {
    """
    <figure><figcaption>\(HTML.escaped(title))<small>\(HTML.escaped(note))</small></figcaption>
    \(legend)
    \(drawing.svg(named: "\(title); the figures are in the table below"))
    \(HTML.details(fold, table))
    </figure>
    """
  }
}
