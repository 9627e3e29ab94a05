import Triwire

/// What the searches of one contender found, all repetitions together.
struct PooledCapacity {
  let results: [CapacityMeasurement]

  init?(_ pool: Pool) {
    results = pool.trials.compactMap(\.capacity)
    guard !results.isEmpty else { return nil }
  }

  /// The median of what held; nothing counts as 0.
  var held: Double { median(results.map { $0.held ?? 0 }) }
  /// The least that held in any repetition.
  var low: Double { results.map { $0.held ?? 0 }.min() ?? 0 }
  /// The most that may hold: above all of it the server's own limit was found; `nil` where it was
  /// not.
  var high: Double? {
    guard results.allSatisfy(\.isServersLimit) else { return nil }
    return results.compactMap(\.missed).max()
  }

  /// The probes that count by load, those of the same load in the order they ran.
  var curve: [(level: Double, probes: [CapacityProbe])] {
    let probes = results.flatMap { $0.probes.filter(\.counts) }
    return Set(probes.map(\.level)).sorted().map { level in
      (level, probes.filter { $0.level == level })
    }
  }
}

extension Comparison {
  /// What is searched for, in a sentence; none where nothing is.
  static func search(_ scenario: Scenario) -> [String] {
    guard let search = scenario.search else { return [] }
    let what = search.vary == .rate ? "the highest rate" : "the largest number of clients"
    let within = Figures.percent(search.precision)
    return [
      "Searched for: \(what) that holds \(search.objective), from "
        + "\(search.text(scenario.load(of: search))) up to \(search.text(search.to)), to within "
        + "\(within). What held did so in two trials, each with a fresh server. Only what is late or "
        + "saturated is a limit of the server; where the clients were at theirs it may do more."
    ]
  }

  /// The lines of a search.
  static func lines(of pools: [Pool], _ search: CapacitySearch) -> [Line] {
    let found = pools.map { PooledCapacity($0) }
    let line = { (name: String, cell: (PooledCapacity) -> String) in
      Line(metric: name, cells: found.map { $0.map(cell) ?? Figures.none })
    }
    let there = { (name: String, figure: @escaping (CapacityProbe) -> String) in
      line("\(name) there") { found in
        found.results.first { $0.held != nil }.flatMap { result in
          result.curve.first { $0.level == result.held }.map(figure)
        } ?? Figures.none
      }
    }
    return [
      line("held") { $0.heldText(search) }, line("did not hold") { $0.missedText(search) },
      line("what ended it") { $0.limitText },
      there("delivered") { "\(Figures.decimal($0.deliveredPerSecond, places: 0))/s" },
      there("latency p50") { Figures.duration($0.p50) },
      there("latency p99") { Figures.duration($0.p99) },
      there("server CPU/message") { Figures.duration($0.serverCPUPerMessage) },
      there("server busy") { Figures.percent($0.serverBusy) },
      there("clients busy") { Figures.percent($0.clientsBusy) },
      line("probes") { $0.probesText },
    ]
  }

  /// All probes as a Markdown table; `nil` where nothing was searched for.
  var curveTable: String? {
    guard let search = scenario.search else { return nil }
    let rows = curveRows(search)
    guard !rows.isEmpty else { return nil }
    let head = Comparison.curveColumns
    return "| \(head.joined(separator: " | ")) |\n|---|"
      + head.dropFirst().map { _ in "---:|" }
      .joined() + "\n"
      + rows.map { "| \($0.joined(separator: " | ")) |" }.joined(separator: "\n")
  }

  static let curveColumns = [
    "probe", "load", "outcome", "delivered", "p50", "p99", "server CPU/message", "server busy",
    "clients busy",
  ]

  /// A row for each probe that counts, by contender and load.
  func curveRows(_ search: CapacitySearch) -> [[String]] {
    pools.flatMap { pool -> [[String]] in
      (PooledCapacity(pool)?.curve ?? []).flatMap { level, probes in
        probes.map { probe in
          [
            pool.name, search.text(level), probe.outcome.rawValue,
            "\(Figures.decimal(probe.deliveredPerSecond, places: 0))/s",
            Figures.duration(probe.p50),
            Figures.duration(probe.p99), Figures.duration(probe.serverCPUPerMessage),
            Figures.percent(probe.serverBusy), Figures.percent(probe.clientsBusy),
          ]
        }
      }
    }
  }
}

extension PooledCapacity {
  fileprivate func heldText(_ search: CapacitySearch) -> String {
    let values = results.compactMap(\.held)
    guard let low = values.min(), let high = values.max() else { return "nothing that was tried" }
    let range = low < high ? " (\(search.text(low)) to \(search.text(high)))" : ""
    let isOpen = results.contains { $0.missed == nil }
    return "\(isOpen ? "at least " : "")\(search.text(held))\(range)"
  }

  fileprivate func missedText(_ search: CapacitySearch) -> String {
    let values = results.compactMap(\.missed)
    guard let least = values.min(), let most = values.max() else { return Figures.none }
    return least < most ? "\(search.text(least)) to \(search.text(most))" : search.text(least)
  }

  /// Of the last repetition that ended so, why.
  fileprivate var limitText: String {
    let kinds = results.map { result -> String in
      guard let limit = result.limit else { return "the end of the search" }
      let reason = result.probes.last {
        $0.counts && $0.level == result.missed && $0.step.held == false
      }
      return ([limit.rawValue] + (reason?.reasons.prefix(1) ?? [])).joined(separator: ": ")
    }
    return kinds.last ?? Figures.none
  }

  fileprivate var probesText: String {
    let all = results.reduce(0) { $0 + $1.probes.count }
    let void = results.reduce(0) { $0 + $1.probes.count { !$0.counts } }
    let disturbed = results.reduce(0) { $0 + $1.probes.count { $0.outcome == .disturbed } }
    let notes = [
      void > 0 ? "\(grouped(void)) repeated" : nil,
      disturbed > void ? "\(grouped(disturbed - void)) disturbed" : nil,
      results.contains { $0.isUnfinished == true } ? "more were needed" : nil,
    ].compactMap { $0 }
    return notes.isEmpty ? grouped(all) : "\(grouped(all)) (\(notes.joined(separator: ", ")))"
  }
}

/// Who holds the most.
struct CapacityRanking {
  let ranked: [Pool]
  let reasons: [String]
  let confidence: Answer.Confidence

  /// Ranks some; what those of `limited` hold was the clients' limit.
  init(_ pools: [Pool], _ search: CapacitySearch, _ limited: Set<Contender>) {
    let found = pools.filter { $0.failures.isEmpty && $0.contender.poll == nil }.compactMap {
      pool in
      PooledCapacity(pool).map { (pool: pool, capacity: $0) }
    }
    let sorted = found.enumerated().sorted { one, other in
      (other.element.capacity.held, one.offset) < (one.element.capacity.held, other.offset)
    }.map(\.element).filter { $0.capacity.held > 0 }
    ranked = sorted.map(\.pool)
    guard let first = sorted.first else {
      reasons = [pools.isEmpty ? "no trial of it has run" : "nothing that was tried held"]
      confidence = .tooFew
      return
    }
    let figure = "held \(search.text(first.capacity.held))"
    guard sorted.count > 1 else {
      (reasons, confidence) = ([figure], .alone)
      return
    }
    let second = sorted[1]
    let ratio = Figures.ratio(second.capacity.held / first.capacity.held)
    reasons = ["\(figure), \(second.pool.contender.transport.rawValue) \(ratio)"]
    confidence = .brackets(
      areApart: sorted.dropFirst().allSatisfy { other in
        !limited.contains(other.pool.contender)
          && other.capacity.high.map { $0 <= first.capacity.low } ?? false
      })
  }
}
