import Triwire

/// A scenario's contenders side by side: what every table of a report shows.
struct Comparison {
  /// One line: a metric, and what each contender reached.
  struct Line: Equatable {
    let metric: String
    /// One text for each contender, in the order of ``Comparison/contenders``.
    let cells: [String]
  }

  let scenario: Scenario
  /// What is compared, by name: the transports, and their modes of TLS where there are several.
  let contenders: [String]
  let lines: [Line]
  /// What came of each fault, in lines of their own; empty without faults.
  let outcomes: [Line]
  /// What went wrong in any of its trials, as sentences.
  let failures: [String]
  /// What makes its times doubtful, as sentences.
  let cautions: [String]
  /// Whether the network was imitated well enough for latency to say anything.
  let isLatencyUsable: Bool
  /// The trials of each contender, in the same order.
  let pools: [Pool]
  /// What the runs say about any two of them.
  let verdicts: [ContenderComparison]

  /// Which contenders were found to be at the clients' limit rather than at the server's.
  let clientLimited: Set<Contender>

  /// Which network was imitated and how well, which headers were sent, what was searched for, and
  /// what the load generator alone can do, as sentences.
  let settings: [String]

  /// The comparison of one scenario, over the trials a report has so far.
  init(_ scenario: Scenario, in report: Report) {
    self.scenario = scenario
    let pools = scenario.contenders.map {
      Pool(report.trials(of: scenario, for: $0), scenario.name(of: $0), of: $0)
    }
    .filter { !$0.trials.isEmpty }
    self.pools = pools
    contenders = pools.map(\.name)
    let controls = scenario.contenders.map {
      Pool(
        report.trials(of: scenario, for: $0, asControl: true), "\(scenario.name(of: $0)) again",
        of: $0)
    }
    failures = (pools + controls).flatMap(\.failures)
    let voided = report.voided.filter { $0.scenario == scenario.name }
    let repeated = voided.first.map { first in
      "\(voided.count == 1 ? "One trial was" : "\(voided.count) trials were") repeated, the first of "
        + "\(first.contender): \(first.doubts.joined(separator: "; "))."
    }
    let slowed = pools.compactMap { pool in
      pool.trials.compactMap(\.slowdown).first.map {
        "\(pool.name) was slowed down on purpose, for each message: \($0.text)."
      }
    }
    let late = Comparison.lateRelay(scenario, pools)
    isLatencyUsable = late == nil
    cautions =
      slowed + (late.map { [$0] } ?? []) + pools.flatMap(\.cautions) + (repeated.map { [$0] } ?? [])
    settings =
      Comparison.target(scenario, pools, in: report) + Comparison.control(scenario)
      + Comparison.network(scenario, pools)
      + Comparison.headers(scenario)
      + Comparison.search(scenario) + Comparison.ceilings(scenario, in: report)
      + Comparison.snapshot(scenario) + Comparison.slowReaders(scenario)
      + Comparison.visitors(scenario) + Comparison.reconnect(scenario)
      + (LatencyTheory(scenario).map { [$0.note] } ?? [])
    lines =
      scenario.search.map { Comparison.lines(of: pools, $0) }
      ?? Comparison.lines(of: pools) + Comparison.theory(scenario, pools)
      + Comparison.flows(scenario, pools)
      + Comparison.slow(of: pools) + Comparison.visits(of: pools)
    outcomes = Comparison.outcomes(of: pools)
    clientLimited = Set(
      scenario.contenders.filter { contender in
        report.ceiling(of: scenario, for: contender).map { !$0.isEnough } ?? false
      })
    verdicts = report.comparisons(of: scenario)
  }

  /// What the tables leave out, in a sentence, where they do.
  var omission: String? {
    scenario.sessions == .plain
      ? nil
      : "Bytes and the cost of opening are not measured here: sessions change their connections"
        + (scenario.faults == nil ? "." : ", and a relay stands between.")
  }

  /// How latency is counted, in a sentence.
  var latencyNote: String {
    let echoes = scenario.traffic.count { $0.direction == .echo }
    let end =
      switch echoes {
      case 0: "its arrival"
      case scenario.traffic.count: "the arrival of its echo"
      default: "its arrival, or that of its echo"
      }
    return "Latency is from the moment a message was due, sent late or not, to \(end)."
  }

  /// The latency of each flow, where there are several; all other figures are of all together.
  private static func flows(_ scenario: Scenario, _ pools: [Pool]) -> [Line] {
    guard scenario.traffic.count > 1 else { return [] }
    return scenario.traffic.flatMap { flow in
      [50.0, 99].compactMap { percent in
        let figures = pools.map { pool in
          pool.trials.flatMap(\.flows).filter { $0.name == flow.name }
            .reduce(into: Histogram()) { $0.merge($1.latencyMicroseconds.histogram) }
            .soundPercentile(percent).map { Double($0) / 1000 }
        }
        guard figures.contains(where: { $0 != nil }) else { return nil }
        return Line(
          metric: "\(flow.name): latency p\(Int(percent))", cells: figures.map(Figures.duration))
      }
    }
  }

  private static func lines(of pools: [Pool]) -> [Line] {
    guard !pools.isEmpty else { return [] }
    let delivered = Line(
      metric: "delivered",
      cells: pools.map { "\(grouped($0.delivery.delivered)) of \(grouped($0.delivery.expected))" })
    let measured = Metric.all.compactMap { metric in metric.line(for: pools) }
    return [delivered] + measured + faults(of: pools)
  }
}

/// The trials of one contender, taken together: histograms merged, counts added.
struct Pool {
  let name: String
  let contender: Contender
  let trials: [Measurement]
  let delivery: Delivery
  let latency: Histogram
  let slip: Histogram
  private let messages: UInt64

  init(_ trials: [Measurement], _ name: String, of contender: Contender) {
    self.trials = trials
    self.name = name
    self.contender = contender
    delivery = .sum(trials.map(\.delivery))
    latency = trials.reduce(into: Histogram()) { $0.merge($1.latencyMicroseconds.histogram) }
    slip = trials.reduce(into: Histogram()) { $0.merge($1.slipMicroseconds.histogram) }
    messages = trials.reduce(0) { $0 + ($1.bytes?.messages ?? 0) }
  }

  var failures: [String] {
    trials.flatMap { trial in
      trial.failures.map { "\(name), repetition \(trial.repetition): \($0)" }
    }
  }

  /// What disturbed its trials or was at its limit in them, as sentences.
  var cautions: [String] {
    [("was disturbed", \Validity.doubts), ("was at a limit", \Validity.limits)].compactMap {
      what, sentences in
      let affected = trials.filter { !$0.validity[keyPath: sentences].isEmpty }
      guard let first = affected.first else { return nil }
      let place =
        trials.count == 1
        ? ""
        : " in \(affected.count) of \(trials.count) repetitions, first in \(first.repetition)"
      return "\(name) \(what)\(place): "
        + first.validity[keyPath: sentences].joined(separator: "; ") + "."
    }
  }

  func perMessage(_ layer: KeyPath<ByteLayers, UInt64>) -> Double? {
    guard let up = perMessage(layer, \.up), let down = perMessage(layer, \.down) else { return nil }
    return up + down
  }

  func perMessage(
    _ layer: KeyPath<ByteLayers, UInt64>, _ direction: KeyPath<ByteLedger, ByteLayers>
  ) -> Double? {
    guard messages > 0 else { return nil }
    let bytes = trials.reduce(0) { sum, trial in
      sum + (trial.bytes?[keyPath: direction][keyPath: layer] ?? 0)
    }
    return Double(bytes) / Double(messages)
  }

  /// What compression saved in both directions; `nil` where nothing was compressed.
  var savedPerMessage: Double? {
    let saved = trials.compactMap(\.bytes).flatMap { [$0.up.saved, $0.down.saved] }
    guard messages > 0, saved.contains(where: { $0 != nil }) else { return nil }
    return Double(saved.reduce(0) { $0 + ($1 ?? 0) }) / Double(messages)
  }

  /// A figure of TLS, where there is TLS.
  func ifSecured(_ figure: Double?) -> Double? {
    trials.contains { $0.connection?.tlsBytesUp ?? 0 > 0 } ? figure : nil
  }

  /// What travels beyond the payload, as a part of the payload.
  var overhead: Double? {
    guard let wire = perMessage(\.wire), let payload = perMessage(\.payload), payload > 0 else {
      return nil
    }
    return wire / payload - 1
  }

  /// Left out where the server's process is not known.
  var serverPerMessage: Double? { cpuPerMessage { $0.serverMicroseconds } }
  /// Left out where a relay works in the same process.
  var clientPerMessage: Double? {
    trials.contains { $0.network != nil }
      ? nil : cpuPerMessage { $0.clientMicroseconds }
  }

  private func cpuPerMessage(_ part: (CPUCost) -> Double?) -> Double? {
    let parts = trials.compactMap { part($0.cpu) }
    guard messages > 0, parts.count == trials.count else { return nil }
    return parts.reduce(0, +) / Double(messages)
  }

  /// Whether nobody knows how much was sent again in a direction.
  func isRetransmissionUnknown(_ direction: KeyPath<ByteLedger, ByteLayers>) -> Bool {
    trials.contains { $0.bytes.map { $0[keyPath: direction].retransmitted == nil } ?? false }
  }

  func opening(_ phase: KeyPath<ConnectionCost, Durations>) -> Double? {
    let merged = trials.reduce(into: Histogram()) { sum, trial in
      if let connection = trial.connection { sum.merge(connection[keyPath: phase].histogram) }
    }
    return merged.soundPercentile(50).map { Double($0) / 1000 }
  }

  func mean(_ cost: (ConnectionCost) -> Double?) -> Double? {
    let opened = trials.compactMap(\.connection).filter { $0.opened > 0 }.compactMap(cost)
    guard !opened.isEmpty else { return nil }
    return opened.reduce(0, +) / Double(opened.count)
  }

  var openBytes: Double? {
    guard let up = mean(\.wireBytesUp), let down = mean(\.wireBytesDown) else { return nil }
    return up + down
  }

  /// The mean growth over repetitions, if it stands clearly above chance in all of them.
  func growth(_ slope: KeyPath<MemoryCost, Slope?>) -> Double? {
    let slopes = trials.compactMap { $0.memory[keyPath: slope] }
    guard !slopes.isEmpty, slopes.allSatisfy(\.isSound) else { return nil }
    return slopes.reduce(0) { $0 + $1.value } / Double(slopes.count)
  }
}
