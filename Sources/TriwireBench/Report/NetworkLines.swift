import TriwireFaults

extension Comparison {
  /// Which network was imitated, and how well, in sentences; empty where there is none.
  static func network(_ scenario: Scenario, _ pools: [Pool]) -> [String] {
    guard let network = scenario.network else { return [] }
    let measured = pools.flatMap(\.trials).compactMap(\.network)
    let late = measured.reduce(into: Histogram()) { $0.merge($1.lateMicroseconds.histogram) }
    let text: (UInt64?) -> String = { Figures.duration($0.map { Double($0) / 1000 }) }
    let lost = measured.reduce(0) { $0 + $1.lostSegments }
    let losses =
      network.conditions.loss > 0
      ? " It held \(grouped(lost)) of \(grouped(measured.reduce(0) { $0 + $1.segments })) segments "
        + "as lost ones."
      : ""
    let line =
      "Network: \(network.summary); a relay in the clients' process imitates it, and let go of "
      + "bytes \(text(late.soundPercentile(50))) (p50) and \(text(late.soundPercentile(99))) (p99) "
      + "late.\(losses) Each connection has a line of its own; TCP/IP and packets are as each side's "
      + "socket counted them, on loopback."
    let delay = Double(network.conditions.roundTrip / .nanoseconds(1)) / 2
    guard let p99 = late.soundPercentile(99), delay > 0, Double(p99) > delay * 0.05 else {
      return [line]
    }
    return [
      line,
      "The relay was later than 5 % of the delay it should add: these times are not to be used.",
    ]
  }
}
