import TriwireFaults

extension Comparison {
  /// What the control that polls is, in a sentence; none where there is no such control.
  static func control(_ scenario: Scenario) -> [String] {
    guard let poll = scenario.controlPoll else { return [] }
    return [
      "Control: polling \(poll) is no transport and is never recommended. Its clients ask with a plain "
        + "GET every \(poll), each at a phase of its own, and are answered at once, whether there is "
        + "something or not; messages wait for \(TimeSpan(nanoseconds: poll.nanoseconds / 2)) on "
        + "average. Upwards it POSTs, as long polling does."
    ]
  }

  /// Which header fields requests carried, in a sentence; none where they carried what they need.
  static func headers(_ scenario: Scenario) -> [String] {
    guard let profile = scenario.headers, profile != .minimal else { return [] }
    let sizes = [
      ("a WebSocket handshake", HeaderProfile.Purpose.webSocket), ("an event stream", .eventStream),
      ("a poll", .poll), ("a POST", .post),
    ].map { name, purpose in
      let fields = profile.fields(for: purpose, at: "http://127.0.0.1:8080")
      return "\(name) \(grouped(fields.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 4 })) B"
    }
    return [
      "Headers: \(profile.rawValue), up to so much on top of what a request needs: "
        + "\(sizes.joined(separator: ", "))."
    ]
  }

  /// What each client got when it joined, in a sentence; none where that is a few bytes.
  static func snapshot(_ scenario: Scenario) -> [String] {
    scenario.snapshot.map {
      ["Snapshot: the first message of each client is \($0); it is a part of what opening costs."]
    } ?? []
  }

  /// Which network was imitated, and how well, in sentences; empty where there is none.
  static func network(_ scenario: Scenario, _ pools: [Pool]) -> [String] {
    guard let network = scenario.network else { return [] }
    let measured = pools.flatMap(\.trials).compactMap(\.network)
    let late = lateness(pools)
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
    return [line]
  }

  private static func lateness(_ pools: [Pool]) -> Histogram {
    pools.flatMap(\.trials).compactMap(\.network).reduce(into: Histogram()) {
      $0.merge($1.lateMicroseconds.histogram)
    }
  }

  /// Why latency over an imitated network says nothing, in a sentence; `nil` where it does.
  static func lateRelay(_ scenario: Scenario, _ pools: [Pool]) -> String? {
    guard let network = scenario.network else { return nil }
    let delay = Double(network.conditions.roundTrip / .nanoseconds(1)) / 2
    guard let p99 = lateness(pools).soundPercentile(99), delay > 0, Double(p99) > delay * 0.05
    else { return nil }
    let time = Figures.duration(Double(p99) / 1000)
    return "The relay let go of bytes \(time) late (p99), more than 5 % of the delay it "
      + "should add: latency is not to be used."
  }
}
