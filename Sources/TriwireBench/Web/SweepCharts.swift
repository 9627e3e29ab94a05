import Glibc
import Triwire
import TriwireFaults

/// The curves over a family of scenarios: by payload, by rate, and who wins where.
struct SweepCharts {
  private let family: SweepFamily

  init(_ family: SweepFamily) { self.family = family }

  /// All charts that the family's points bear, as HTML.
  var html: String {
    let charts = [bytesByPayload, bytesByRate, latencyByRate, CrossoverChart(family).html]
      .filter { !$0.isEmpty }
    guard !charts.isEmpty else { return "" }
    let name = HTML.escaped(family.name)
    return """
      <section><h2>Curves: \(name)</h2>
      <p>\(grouped(family.points.count)) scenarios that differ in rate and payload alone.</p>
      <div class="charts">
      \(charts.joined(separator: "\n"))
      </div>
      </section>
      """
  }

  /// The points of each contender, by name.
  private func courses(
    _ points: [SweepFamily.Point], _ x: (SweepFamily.Point) -> Double, _ y: (Pool) -> Double?
  ) -> [(pool: Pool, points: [(x: Double, y: Double)])] {
    family.names.compactMap { name in
      let known = points.compactMap { point -> (Pool, (x: Double, y: Double))? in
        guard let pool = point.comparison.pools.first(where: { $0.name == name }),
          let value = y(pool), value > 0
        else { return nil }
        return (pool, (x(point), value))
      }
      return known.count > 1 ? (known[0].0, known.map(\.1)) : nil
    }
  }

  /// Bytes of a message by its payload, at the lowest rate, where each travels alone.
  private var bytesByPayload: String {
    guard let rate = family.rates.first else { return "" }
    let points = family.points.filter { $0.rate == rate }
    return chart(
      ChartFrame(
        title: "Bytes by payload",
        note: "on the wire per message, at \(SweepCharts.rate(rate)); the broken line is the "
          + "payload alone"),
      courses(points, { Double($0.payload) }) { $0.perMessage(\.wire) },
      x: ("payload", Figures.size), y: Figures.size, text: { Figures.bytes($0) },
      guides: [points.map { (x: Double($0.payload), y: Double($0.payload)) }])
  }

  /// Bytes of a message by rate, at the smallest payload: what comes together shares its costs.
  private var bytesByRate: String {
    guard let payload = family.payloads.first else { return "" }
    return chart(
      ChartFrame(
        title: "Bytes by rate",
        note: "on the wire per message of \(Figures.size(Double(payload)))"),
      courses(family.points.filter { $0.payload == payload }, \.rate) { $0.perMessage(\.wire) },
      x: ("messages/s of a client", SweepCharts.plain), y: Figures.size,
      text: { Figures.bytes($0) }, guides: [])
  }

  /// The mean of latency by how many messages come in a round trip, beside theory.
  private var latencyByRate: String {
    guard let payload = family.payloads.first else { return "" }
    let points = family.points.filter { $0.payload == payload }
    let scenario = points.first?.comparison.scenario
    guard let scenario, let roundTrip = scenario.network?.conditions.roundTrip,
      LatencyTheory(scenario) != nil
    else { return "" }
    let seconds = roundTrip / .seconds(1)
    let (low, high) = (points.map(\.rate).min() ?? 1, points.map(\.rate).max() ?? 1)
    let theory = (0...40).compactMap { step -> (x: Double, theory: LatencyTheory)? in
      let rate = low * pow(high / low, Double(step) / 40)
      var between = scenario
      between.traffic[0].rate = Rate(scenario.traffic[0].rate.count * rate / low, scenario)
      return LatencyTheory(between).map { (rate * seconds, $0) }
    }
    return chart(
      ChartFrame(
        title: "Latency of long polls by messages in a round trip",
        note: "means; the broken lines are theory, the lower one of pushed messages, the upper one "
          + "of long polls"),
      courses(points, { $0.rate * seconds }) { pool in
        pool.latency.count > 0 ? pool.latency.mean / 1000 : nil
      },
      x: ("λ · R", SweepCharts.plain), y: Figures.short, text: { Figures.duration($0) },
      guides: [
        theory.map { (x: $0.x, y: $0.theory.pushed * 1000) },
        theory.map { (x: $0.x, y: $0.theory.polled * 1000) },
      ])
  }

  /// A chart on two logarithmic axes; nothing where no contender has two points.
  private func chart(
    _ frame: ChartFrame, _ courses: [(pool: Pool, points: [(x: Double, y: Double)])],
    x: (name: String, text: (Double) -> String), y: (Double) -> String,
    text: (Double) -> String, guides: [[(x: Double, y: Double)]]
  ) -> String {
    guard !courses.isEmpty else { return "" }
    let all = courses.flatMap(\.points) + guides.flatMap { $0 }
    var plane = Plane(
      x: .log(LogAxis(holding: all.map(\.x), from: Plane.left, to: Plane.right)), x.name, x.text,
      y: .log(LogAxis(holding: all.map(\.y), from: Plane.bottom, to: Plane.top)), y)
    for guide in guides { plane.guide(guide) }
    for course in courses { plane.line(course.points, of: course.pool) }
    for course in courses {
      for point in course.points {
        plane.mark(point, of: course.pool, hint: "\(x.text(point.x)): \(text(point.y))")
      }
    }
    let places = Set(courses.flatMap { $0.points.map(\.x) }).sorted()
    let rows = places.map { place in
      [x.text(place)]
        + courses.map { course in
          course.points.first { $0.x == place }.map { text($0.y) } ?? Figures.none
        }
    }
    return frame.html(
      plane.drawing, legend: WebCharts.legend(of: courses.map(\.pool)),
      fold: "\(frame.title) as a table",
      HTML.table(frame.title, [x.name] + courses.map(\.pool.name), rows))
  }

  /// A rate of a client: `10 messages/s`.
  static func rate(_ perSecond: Double) -> String { "\(plain(perSecond)) messages/s" }

  /// A number with as few places as it needs.
  static func plain(_ number: Double) -> String {
    let places = abs(number - number.rounded()) < 1e-6 * max(1, number) ? 0 : number < 0.1 ? 3 : 2
    return Figures.decimal(number, places: places)
  }
}

extension Rate {
  /// So many messages per second, with the scope that the one flow of a scenario has.
  fileprivate init(_ count: Double, _ scenario: Scenario) {
    let rate = scenario.traffic[0].rate
    self.init(count, per: rate.unit, rate.scope)
  }
}
