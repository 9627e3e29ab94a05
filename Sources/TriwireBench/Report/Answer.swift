import Triwire

/// What a report answers for a scenario in one mode of TLS: which transport to take.
struct Answer {
  /// How far the runs bear the answer.
  enum Confidence: Equatable {
    /// Each difference that decided is beyond the smallest of interest, with 95 % confidence.
    case sure
    /// The costs are equal, and the transport that is simpler to operate was taken.
    case equal
    /// Some difference that decided may be chance; so many more repetitions may tell.
    case open(furtherRuns: Int?)
    /// Too few whole repetitions to compare.
    case tooFew
    /// There is nobody to recommend.
    case nobody
    /// All others failed.
    case last
    /// There is no other transport to compare with.
    case alone
    /// What a search found: brackets that lie apart, or not.
    case brackets(areApart: Bool)
  }

  /// What the transport is for.
  let useCase: String
  /// The scenario's name, with the mode of TLS where there are several.
  let scenario: String
  /// Whom to take; `nil` where nobody can be recommended, and ``reasons`` say why.
  let recommended: Pool?
  /// Whom to take otherwise.
  let runnerUp: Pool?
  /// What decided, in two numbers at most.
  let reasons: [String]
  let confidence: Confidence
  /// Whether the machine disturbed each run of the one that is recommended.
  let isDisturbed: Bool

  /// How sure it is, in words.
  var confidenceText: String {
    confidence.text + (isDisturbed && recommended != nil ? "; all runs were disturbed" : "")
  }

  /// Whom to take, as plain text.
  var recommendedText: String {
    guard let name = recommended?.contender.transport.rawValue else { return "nobody" }
    return isBorne ? name : "\(name) leads, for now"
  }

  /// Whether the runs bear the recommendation, or only hint at it.
  var isBorne: Bool {
    switch confidence {
    case .sure, .equal, .last, .alone, .brackets(areApart: true): true
    case .open, .tooFew, .nobody, .brackets(areApart: false): false
    }
  }

  /// The answer among those whose settings are the ones of `example`.
  init(_ comparison: Comparison, like example: Contender) {
    let scenario = comparison.scenario
    useCase = scenario.description.isEmpty ? scenario.name : scenario.description
    self.scenario = ([scenario.name] + scenario.settings(of: example)).joined(separator: ", ")
    // A control is no transport to take.
    let pools = comparison.pools.filter {
      $0.contender.isLike(example) && $0.contender.poll == nil
    }
    if let search = scenario.search {
      let found = CapacityRanking(pools, search, comparison.clientLimited)
      (recommended, runnerUp) = (found.ranked.first, found.ranked.dropFirst().first)
      (reasons, confidence, isDisturbed) = (found.reasons, found.confidence, false)
      return
    }
    let checks = comparison.checks
    let sound = pools.filter { pool in
      pool.failures.isEmpty && !checks.contains { $0.contender == pool.name && $0.isFailure }
    }
    let judge = Judge(comparison)
    let latency =
      comparison.isLatencyUsable ? Answer.metric(Answer.latencies, ofAll: sound) : nil
    let quick = checks.contains(where: \.isLatency) ? sound : Answer.quick(sound, by: latency)
    guard let cost = Answer.metric(Answer.costs(of: scenario), ofAll: quick), !quick.isEmpty else {
      (recommended, runnerUp, isDisturbed) = (nil, nil, false)
      confidence = sound.isEmpty && !pools.isEmpty ? .nobody : .tooFew
      reasons = [
        pools.isEmpty
          ? "no trial of it has run"
          : sound.isEmpty
            ? "no transport came through its trials and thresholds" : "too little was measured"
      ]
      return
    }
    let ranked = Answer.sorted(quick, by: cost)
    let ties = ranked.dropFirst().filter { judge.verdict(ranked[0], $0, by: cost) == .equal }
    let order = Answer.simplest(for: scenario)
    let chosen =
      ([ranked[0]] + ties).min { one, other in
        (order.firstIndex(of: one.contender.transport) ?? 0)
          < (order.firstIndex(of: other.contender.transport) ?? 0)
      } ?? ranked[0]
    let slow = sound.filter { pool in !quick.contains { $0.name == pool.name } }
    let others = ranked.filter { $0.name != chosen.name }
    recommended = chosen
    runnerUp = others.first ?? (latency.map { Answer.sorted(slow, by: $0) } ?? slow).first
    // What put the runner-up out comes first.
    let decisive = others.isEmpty && runnerUp != nil ? latency : nil
    isDisturbed = chosen.trials.allSatisfy { !$0.validity.doubts.isEmpty }
    let figures = [cost] + Answer.second(to: cost, withLatency: comparison.isLatencyUsable)
    reasons = Answer.reasons(
      ([decisive].compactMap { $0 } + figures.filter { $0.key != decisive?.key }), chosen, runnerUp)
    var grounds = ranked.dropFirst().map { judge.confidence(ranked[0], $0, by: cost) }
    if let latency, let quickest = Answer.sorted(quick, by: latency).first {
      grounds += slow.map { judge.confidence(quickest, $0, by: latency) }
    }
    confidence = pools.count < 2 ? .alone : grounds.isEmpty ? .last : Answer.weakest(grounds)
  }

  /// How the answer is found, a sentence for each step.
  static let rule = [
    "A transport that failed a trial is out: every message has to arrive once, in order. So is one "
      + "that breaks a strict threshold of the scenario.",
    "Where no threshold speaks of latency, so is one whose latency (p99, or p50 where p99 is not known) is "
      + "more than twice the lowest and more than 10 ms above it.",
    "Of the others the one with the least cost is taken: the server's CPU time per message; memory "
      + "per connection where clients only idle; latency where faults strike.",
    "Where costs are equal (a verdict of the runs, see the method), the one that is simpler to "
      + "operate: sse, then long-polling, then websocket where messages only go down; websocket, "
      + "then sse, then long-polling where they go both ways.",
    "Where a scenario searches for a capacity, the one that holds the most is taken.",
  ]

  private static let latencies = ["latency.p99", "latency.p50"]

  private static func costs(of scenario: Scenario) -> [String] {
    if scenario.faults != nil { return latencies }
    return scenario.idle != nil
      ? ["memoryPerConnection", "serverCPUPerMessage"]
      : ["serverCPUPerMessage"] + latencies
  }

  /// The first of some metrics that is known, and more than nothing, for all.
  private static func metric(_ keys: [String], ofAll pools: [Pool]) -> Metric? {
    keys.lazy.compactMap { Metric.named($0) }.first { metric in
      pools.allSatisfy { metric.value($0) ?? 0 > 0 }
    }
  }

  /// Those whose latency nobody would mind beside the lowest.
  private static func quick(_ pools: [Pool], by latency: Metric?) -> [Pool] {
    guard let latency, let best = pools.compactMap({ latency.value($0) }).min() else {
      return pools
    }
    return pools.filter { (latency.value($0) ?? 0) <= max(2 * best, best + 10_000) }
  }

  private static func sorted(_ pools: [Pool], by metric: Metric) -> [Pool] {
    pools.enumerated().sorted { one, other in
      (metric.value(one.element) ?? 0, one.offset) < (
        metric.value(other.element) ?? 0, other.offset
      )
    }.map(\.element)
  }

  private static func simplest(for scenario: Scenario) -> [TransportKind] {
    let goesUp = scenario.traffic.contains { flow in
      flow.direction == .up || flow.direction == .echo
        || flow.from == .clients && flow.direction == .broadcast
    }
    return goesUp
      ? [.webSocket, .serverSentEvents, .longPolling]
      : [.serverSentEvents, .longPolling, .webSocket]
  }

  private static func second(to cost: Metric, withLatency: Bool) -> [Metric] {
    ((withLatency ? latencies : []) + ["bytesPerMessage", "open.p50"]).filter { $0 != cost.key }
      .compactMap { Metric.named($0) }
  }

  /// The first two figures that are known: `server CPU/message 12.3 µs, sse 1.50×`.
  private static func reasons(_ metrics: [Metric], _ chosen: Pool, _ other: Pool?) -> [String] {
    metrics.lazy.compactMap { metric -> String? in
      guard let value = metric.value(chosen) else { return nil }
      let figure = "\(metric.name) \(metric.unit.text(value))"
      guard let other, let against = metric.value(other), value > 0 else { return figure }
      return "\(figure), \(other.contender.transport.rawValue) \(Figures.ratio(against / value))"
    }.prefix(2).map { $0 }
  }

  private static func weakest(_ grounds: [Confidence]) -> Confidence {
    if grounds.contains(.tooFew) { return .tooFew }
    let open = grounds.compactMap { ground -> Int?? in
      guard case .open(let runs) = ground else { return nil }
      return .some(runs)
    }
    if !open.isEmpty {
      return .open(furtherRuns: open.contains { $0 == nil } ? nil : open.compactMap { $0 }.max())
    }
    return grounds.contains(.equal) ? .equal : .sure
  }
}

extension Answer.Confidence {
  /// In words.
  var text: String {
    switch self {
    case .sure: "95 %"
    case .equal: "equal cost, the simpler one"
    case .open(let runs):
      runs.map { "low, \(grouped($0)) more repetitions may tell" }
        ?? "low, the runs scatter too much"
    case .tooFew: "none, too few runs bear these figures"
    case .nobody: "no transport came through"
    case .last: "the only one that came through"
    case .alone: "nothing to compare with"
    case .brackets(let areApart):
      areApart ? "the brackets lie apart" : "none, the brackets overlap"
    }
  }
}

/// What the runs of a scenario say about two of its contenders.
private struct Judge {
  private let comparison: Comparison

  init(_ comparison: Comparison) { self.comparison = comparison }

  func confidence(_ one: Pool, _ other: Pool, by metric: Metric) -> Answer.Confidence {
    guard let result = result(one, other, by: metric) else { return .tooFew }
    return switch verdict(one, other, by: metric) {
    case .better: .sure
    case .equal: .equal
    default: .open(furtherRuns: result.furtherRuns)
    }
  }

  /// What one is beside the other.
  func verdict(_ one: Pool, _ other: Pool, by metric: Metric) -> RunComparison.Verdict? {
    let isTurned = listed(one, other, by: metric) == nil && listed(other, one, by: metric) != nil
    guard let verdict = result(one, other, by: metric)?.verdict, isTurned else {
      return result(one, other, by: metric)?.verdict
    }
    return verdict == .better ? .worse : verdict == .worse ? .better : verdict
  }

  private func result(_ one: Pool, _ other: Pool, by metric: Metric) -> RunComparison? {
    if let listed = listed(one, other, by: metric) ?? listed(other, one, by: metric) {
      return listed
    }
    let pairs = one.trials.compactMap { trial -> (Double, Double)? in
      guard let twin = other.trials.first(where: { $0.repetition == trial.repetition }),
        let figure = metric.value(Pool([trial], one.name, of: one.contender)),
        let against = metric.value(Pool([twin], other.name, of: other.contender))
      else { return nil }
      return (figure, against)
    }
    // As in latency and CPU time: a difference of 5 % is no reason to choose.
    return RunComparison(
      pairs.map(\.0), against: pairs.map(\.1), tolerance: 0.05,
      seed: comparison.scenario.seed.derived(for: "\(metric.key) \(one.name) \(other.name)"))
  }

  private func listed(_ one: Pool, _ other: Pool, by metric: Metric) -> RunComparison? {
    comparison.verdicts.first {
      $0.metric.name == metric.name && $0.contender == one.name && $0.against == other.name
    }?.result
  }
}

extension Report {
  /// The answers, for each scenario and what it has of settings.
  func answers(_ comparisons: [Comparison]) -> [Answer] {
    comparisons.flatMap { comparison in
      let scenario = comparison.scenario
      return scenario.contenders.filter {
        $0.transport == scenario.transports.first && $0.poll == nil
      }
      .map { Answer(comparison, like: $0) }
    }
  }
}
