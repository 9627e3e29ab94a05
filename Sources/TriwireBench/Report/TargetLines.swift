extension Comparison {
  /// What was measured instead of a server of one's own, and what that means for its figures, as
  /// sentences; none where each trial had its own.
  static func target(_ scenario: Scenario, _ pools: [Pool], in report: Report) -> [String] {
    if let foreign = report.foreign {
      let all = pools.flatMap { foreign.urls(of: $0.contender.transport) }
      let urls = all.indices.filter { all.firstIndex(of: all[$0]) == $0 }.map { all[$0] }
      return [
        "Foreign: \(urls.joined(separator: ", ")). Every time begins and ends on the clients' clock and "
          + "is exact; bytes are those of the clients' connections, down to what their kernel "
          + "received. What the servers' processes take, and what they sent again, is not measured. "
          + "Opening has the first message with it, which each client sends and gets back."
      ]
    }
    guard let target = report.target else { return [] }
    let measured = pools.flatMap(\.trials).compactMap(\.target)
    let fresh =
      "Target: \(target.url), one server process for all trials and not a fresh one for each; what "
      + "its memory and descriptors grow by is not measured."
    return [fresh] + clocks(scenario, measured) + path(measured)
  }

  /// How right times are that begin on one side and end on the other.
  private static func clocks(_ scenario: Scenario, _ measured: [TargetMeasurement]) -> [String] {
    guard !measured.isEmpty else { return [] }
    guard scenario.traffic.contains(where: { $0.direction != .echo && !$0.isOfClients }) else {
      return ["Clocks: every time begins and ends on the clients' clock and is exact."]
    }
    let estimated = measured.filter { $0.clock == .estimated }
    guard !estimated.isEmpty else {
      return ["Clocks: both sides read the same one, so that one-way times are exact."]
    }
    let error = estimated.map(\.errorMicroseconds).max()
    let trip = estimated.compactMap(\.roundTripMicroseconds).max()
    let drift = estimated.compactMap(\.driftMicroseconds).map(abs).max()
    return [
      "Clocks: one-way times are right up to ±\(Figures.duration(error)), which is half the shortest "
        + "round trip (\(Figures.duration(trip))) and what the offset had changed by after the trial "
        + "(\(Figures.duration(drift))); echoes are timed by one clock and exact."
    ]
  }

  /// What is known of the bytes where something in between makes others of them.
  private static func path(_ measured: [TargetMeasurement]) -> [String] {
    guard measured.contains(where: { $0.isReconciled == false }) else { return [] }
    return [
      "Between: the two sides counted different bytes, so something in between speaks HTTP itself. "
        + "Bytes here are those of the clients' connections, which agree with the clients' kernel; "
        + "they do not reconcile end to end, and what was sent again towards the clients is not known."
    ]
  }
}

extension Flow {
  /// Whether its messages go from clients to clients, so that one clock times both ends.
  var isOfClients: Bool { direction == .broadcast && from == .clients }
}
