/// What it takes until a session is open and its first message there: phases after each other.
struct OpeningChart {
  private static let phases = ["TCP connection", "TLS handshake", "session", "first message"]

  private let rows: [(pool: Pool, lengths: [Double])]

  init(_ pools: [Pool]) {
    rows = pools.compactMap { pool in
      guard let connect = pool.opening(\.connectMicroseconds),
        let open = pool.opening(\.openMicroseconds)
      else { return nil }
      let secure = pool.opening(\.secureMicroseconds) ?? 0
      let first = pool.opening(\.firstMessageMicroseconds)
      return (
        pool,
        [connect, secure, max(0, open - connect - secure), max(0, (first ?? open) - open)]
      )
    }
  }

  /// The chart with its table; nothing where too few sessions were opened to say.
  var html: String {
    guard !rows.isEmpty else { return "" }
    let used = OpeningChart.phases.indices.filter { index in rows.contains { $0.lengths[index] > 0 }
    }
    let styles = ["l0", "l4", "l3", "l5"]
    let bars = WebCharts.Bars(
      groups: rows.map { pool, lengths in
        var start = 0.0
        let parts = lengths.indices.map { index in
          defer { start += lengths[index] }
          return (
            style: styles[index], name: OpeningChart.phases[index], start: start,
            length: lengths[index]
          )
        }
        let total = Figures.duration(lengths.reduce(0, +))
        return (pool, [WebCharts.Bars.Row(label: "", parts: parts, total: total)])
      })
    let title = "Opening a session, phase by phase"
    let key = used.map { (style: styles[$0], name: OpeningChart.phases[$0]) }
    let table = HTML.table(
      "Medians; a phase is what the median of the next moment adds",
      ["phase"] + rows.map(\.pool.name),
      used.map { index in
        [OpeningChart.phases[index]] + rows.map { Figures.duration($0.lengths[index]) }
      })
    return """
      <figure><figcaption>\(title)<small>medians, from the start of connecting on</small></figcaption>
      \(WebCharts.key(key))
      \(bars.drawing { Figures.duration($0) }.svg(named: "\(title); the figures are in the table below"))
      \(HTML.details("Opening as a table", table))
      </figure>
      """
  }
}
