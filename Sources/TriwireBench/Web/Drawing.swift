import Glibc
import Triwire

/// A picture in the making: marks on a plane whose units are those of its text.
struct Drawing {
  let width: Double
  let height: Double
  private var marks: [String] = []

  init(width: Double, height: Double) {
    (self.width, self.height) = (width, height)
  }

  /// The picture as an element, named for those who do not see it.
  func svg(named title: String) -> String {
    "<svg viewBox=\"0 0 \(Drawing.number(width)) \(Drawing.number(height))\" role=\"img\">"
      + "<title>\(HTML.escaped(title))</title>\n\(marks.joined(separator: "\n"))\n</svg>"
  }

  /// A coordinate with one place after the point at most: the same on every machine.
  static func number(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e7 else { return "0" }
    let tenths = Int((value * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let (whole, rest) = abs(tenths).quotientAndRemainder(dividingBy: 10)
    return rest == 0 ? "\(sign)\(whole)" : "\(sign)\(whole).\(rest)"
  }

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    let ends = [("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2)]
      .map { "\($0.0)=\"\(Drawing.number($0.1))\"" }
    marks.append("<line \(ends.joined(separator: " ")) class=\"\(style)\"/>")
  }

  mutating func box(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String,
    hint: String = ""
  ) {
    let sides = [("x", x), ("y", y), ("width", max(0, width)), ("height", max(0, height))]
      .map { "\($0.0)=\"\(Drawing.number($0.1))\"" }
    let start = "<rect \(sides.joined(separator: " ")) class=\"\(style)\""
    marks.append(hint.isEmpty ? "\(start)/>" : "\(start)>\(Drawing.title(hint))</rect>")
  }

  /// A line through points, or the area they surround.
  mutating func path(_ points: [(x: Double, y: Double)], _ style: String, isClosed: Bool = false) {
    guard !points.isEmpty else { return }
    let steps = points.map { "\(Drawing.number($0.x)) \(Drawing.number($0.y))" }
    marks.append(
      "<path d=\"M\(steps.joined(separator: "L"))\(isClosed ? "Z" : "")\" class=\"\(style)\"/>")
  }

  enum Anchor: String { case start, middle, end }

  mutating func text(
    _ text: String, _ x: Double, _ y: Double, _ anchor: Anchor = .start, _ style: String = ""
  ) {
    let place = anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\""
    let kind = style.isEmpty ? "" : " class=\"\(style)\""
    marks.append(
      "<text x=\"\(Drawing.number(x))\" y=\"\(Drawing.number(y))\"\(place)\(kind)>"
        + "\(HTML.escaped(text))</text>")
  }

  /// The mark of a transport: a circle, a square or a triangle.
  mutating func mark(
    _ transport: TransportKind, _ x: Double, _ y: Double, _ style: String, hint: String = ""
  ) {
    marks.append(Drawing.shape(transport, x, y, radius: 5, style: style, hint: hint))
  }

  private static func shape(
    _ transport: TransportKind, _ x: Double, _ y: Double, radius: Double, style: String,
    hint: String
  ) -> String {
    let n = { Drawing.number($0) }
    let (name, form) =
      switch transport {
      case .webSocket: ("circle", "cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(radius))\"")
      case .serverSentEvents:
        (
          "rect",
          "x=\"\(n(x - radius * 0.9))\" y=\"\(n(y - radius * 0.9))\" "
            + "width=\"\(n(radius * 1.8))\" height=\"\(n(radius * 1.8))\""
        )
      case .longPolling:
        (
          "path",
          "d=\"M\(n(x)) \(n(y - radius * 1.1))L\(n(x + radius * 1.1)) \(n(y + radius * 0.9))"
            + "L\(n(x - radius * 1.1)) \(n(y + radius * 0.9))Z\""
        )
      }
    let start = "<\(name) \(form) class=\"\(style)\""
    return hint.isEmpty ? "\(start)/>" : "\(start)>\(title(hint))</\(name)>"
  }

  private static func title(_ text: String) -> String { "<title>\(HTML.escaped(text))</title>" }

  /// The mark of a transport beside its name, in text.
  static func inlineMark(_ transport: TransportKind) -> String {
    "<svg class=\"mark \(style(of: transport))\" viewBox=\"0 0 12 12\" aria-hidden=\"true\">"
      + shape(transport, 6, 6, radius: 5, style: "dot", hint: "") + "</svg>"
  }

  /// The mark of a transport on its line, in a legend.
  static func inlineLine(_ transport: TransportKind, _ dash: String) -> String {
    "<svg class=\"mark wide\" viewBox=\"0 0 30 12\" aria-hidden=\"true\">"
      + "<path d=\"M0 6L30 6\" class=\"line \(style(of: transport)) \(dash)\"/>"
      + shape(transport, 15, 6, radius: 5, style: "dot \(style(of: transport))", hint: "")
      + "</svg>"
  }

  /// The class that colours what belongs to a transport.
  static func style(of transport: TransportKind) -> String {
    switch transport {
    case .webSocket: "c0"
    case .serverSentEvents: "c1"
    case .longPolling: "c2"
    }
  }

  /// About how wide a text is.
  static func width(of text: String) -> Double { Double(text.count) * 7.2 }
}

/// A logarithmic axis from one place to another.
struct LogAxis {
  private let low: Double
  private let high: Double
  private let start: Double
  private let end: Double

  /// An axis that holds some values above 0, and a step more where they are one.
  init(holding values: [Double], from start: Double, to end: Double) {
    let sound = values.filter { $0 > 0 && $0.isFinite }
    let (least, most) = (sound.min() ?? 1, sound.max() ?? 1)
    // A little air, so that no mark is cut.
    let air = max(0.03, log10(most / least) * 0.04)
    low = log10(least) - (most / least < 1.2 ? 0.15 : air)
    high = log10(most) + (most / least < 1.2 ? 0.15 : air)
    (self.start, self.end) = (start, end)
  }

  /// Where a value is; the nearer end for one that is beyond.
  func place(_ value: Double) -> Double {
    guard value > 0 else { return start }
    let part = (log10(value) - low) / (high - low)
    return start + (end - start) * min(1, max(0, part))
  }

  func holds(_ value: Double) -> Bool { value > 0 && (low...high).contains(log10(value)) }

  /// Round values on the axis, no nearer to each other than some distance.
  func ticks(apart distance: Double) -> [Double] {
    let decades = Int(low.rounded(.down))...Int(high.rounded(.up))
    for digits in [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]] as [[Double]] {
      let ticks = decades.flatMap { decade in digits.map { $0 * pow(10, Double(decade)) } }
        .filter(holds)
      let places = ticks.map(place)
      if zip(places, places.dropFirst()).allSatisfy({ abs($0 - $1) >= distance }) { return ticks }
    }
    // A hundred and more decades would take wider steps; no figure here has so many.
    let ones = decades.map { pow(10, Double($0)) }.filter(holds)
    let step = max(1, Int((distance * Double(ones.count) / abs(end - start)).rounded(.up)))
    return ones.enumerated().filter { $0.offset.isMultiple(of: step) }.map(\.element)
  }
}
