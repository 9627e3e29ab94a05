/// What keeps an idle session alive for an hour: bytes up and down.
struct HeartbeatChart {
  private let pools: [Pool]

  init(_ pools: [Pool]) {
    self.pools = pools.filter { $0.heartbeatsPerHour(\.packets) != nil }
  }

  /// The chart with its table; nothing where no heartbeat was measured.
  var html: String {
    guard !pools.isEmpty else { return "" }
    let ways: [(name: String, part: (HeartbeatMeasurement) -> Double)] = [
      ("up", { $0.wireBytesUp }), ("down", { $0.wireBytesDown }),
    ]
    let styles = ["l3", "l0"]
    let bars = WebCharts.Bars(
      groups: pools.map { pool in
        let lengths = ways.map { pool.heartbeatsPerHour($0.part) ?? 0 }
        let parts = [
          (style: styles[0], name: "up", start: 0, length: lengths[0]),
          (style: styles[1], name: "down", start: lengths[0], length: lengths[1]),
        ]
        return (
          pool,
          [.init(label: "", parts: parts, total: Figures.bytes(lengths[0] + lengths[1]))]
        )
      })
    let rows =
      ways.map { way in [way.name] + pools.map { Figures.bytes($0.heartbeatsPerHour(way.part)) } }
      + [
        ["packets"] + pools.map { Figures.number($0.heartbeatsPerHour(\.packets), places: 0) },
        ["seconds between two"]
          + pools.map { pool in
            Figures.number(
              pool.trials.compactMap(\.heartbeat).first?.secondsBetween, places: 0)
          },
      ]
    return ChartFrame(
      title: "Keeping an idle session alive, per hour",
      note: "computed: bytes of IP packets of one heartbeat as measured, and one each 25 s"
    ).html(
      bars.drawing { Figures.bytes($0) },
      legend: WebCharts.key(zip(styles, ways).map { (style: $0, name: $1.name) }),
      fold: "Heartbeats as a table",
      HTML.table("Per hour, computed", ["per hour"] + pools.map(\.name), rows))
  }
}
