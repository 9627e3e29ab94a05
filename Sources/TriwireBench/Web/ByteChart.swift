/// Bytes per message by layer, up and down, a stacked bar for each.
struct ByteChart {
  private static var layers: [(name: String, part: KeyPath<ByteLayers, UInt64>)] {
    [
      ("payload", \.plainPayload), ("framing", \.plainFraming), ("control", \.plainControl),
      ("HTTP", \.http), ("TLS", \.tls), ("TCP/IP", \.tcpip), ("sent again", \.sentAgain),
      ("compressed", \.compressed),
    ]
  }
  private static var directions: [(name: String, path: KeyPath<ByteLedger, ByteLayers>)] {
    [("up", \.up), ("down", \.down)]
  }

  private let pools: [Pool]

  init(_ pools: [Pool]) {
    self.pools = pools.filter { $0.perMessage(\.wire) ?? 0 > 0 }
  }

  /// The chart with its table; nothing where bytes are not known.
  var html: String {
    guard !pools.isEmpty else { return "" }
    let used = ByteChart.layers.indices.filter { index in
      pools.contains { $0.perMessage(ByteChart.layers[index].part) ?? 0 > 0 }
    }
    let key = used.map { (style: "l\($0)", name: ByteChart.layers[$0].name) }
    let title = "Bytes on the wire per message, by layer"
    return """
      <figure><figcaption>\(title)<small>up is from clients to server</small></figcaption>
      \(WebCharts.key(key))
      \(bars.drawing { Figures.bytes($0) }.svg(named: "\(title); the figures are in the table below"))
      \(HTML.details("Bytes as a table", table(used)))
      </figure>
      """
  }

  private var bars: WebCharts.Bars {
    WebCharts.Bars(
      groups: pools.map { pool in
        let rows = ByteChart.directions.map { direction, path in
          var start = 0.0
          let parts = ByteChart.layers.indices.map { index in
            let (name, part) = ByteChart.layers[index]
            let length = pool.perMessage(part, path) ?? 0
            defer { start += length }
            return (style: "l\(index)", name: name, start: start, length: length)
          }
          return WebCharts.Bars.Row(
            label: direction, parts: parts, total: Figures.bytes(pool.perMessage(\.wire, path)))
        }
        return (pool, rows)
      })
  }

  private func table(_ used: [Int]) -> String {
    let columns = pools.flatMap { pool in
      ByteChart.directions.map { (name: "\(pool.name) \($0.name)", pool: pool, path: $0.path) }
    }
    let rows = used.map { index in
      [ByteChart.layers[index].name]
        + columns.map { column in
          let layer = ByteChart.layers[index].part
          // Only who sends knows what was sent again.
          let isUnknown = layer == \.sentAgain && column.pool.isRetransmissionUnknown(column.path)
          return isUnknown
            ? Figures.none : Figures.bytes(column.pool.perMessage(layer, column.path))
        }
    }
    let sums = ["all"] + columns.map { Figures.bytes($0.pool.perMessage(\.wire, $0.path)) }
    return HTML.table("Bytes per message", ["layer"] + columns.map(\.name), rows + [sums])
  }
}
