import Triwire
import TriwireFaults

extension Comparison {
  /// The figures of all faults together, a line each; none without faults.
  static func faults(of pools: [Pool]) -> [Line] {
    guard pools.contains(where: { !$0.faults.isEmpty }) else { return [] }
    func line(_ metric: String, _ text: ([FaultMeasurement]) -> String) -> Line {
      Line(metric: metric, cells: pools.map { text($0.faults) })
    }
    func sum(_ metric: String, _ part: KeyPath<FaultMeasurement, UInt64>) -> Line {
      line(metric) { all in grouped(all.reduce(0) { $0 + $1[keyPath: part] }) }
    }
    let kinds = Fault.names.filter { name in
      pools.contains { $0.faults.contains { $0.struck[name] != nil } }
    }
    let struck =
      [line("faults struck") { grouped($0.reduce(0) { $0 + $1.struck.values.reduce(0, +) }) }]
      + kinds.map { kind in
        line("of it \(kind)") { grouped($0.reduce(0) { $0 + ($1.struck[kind] ?? 0) }) }
      }
    let times =
      durations("noticed", \.noticeMicroseconds, pools)
      + durations("back", \.returnMicroseconds, pools)
      + durations("fault to back", \.recoverMicroseconds, pools)
    let counts = [
      sum("moved up unbroken", \.moved), sum("sent again", \.sentAgain),
      sum("dropped as repeats", \.droppedRepeats), sum("attempts", \.attempts),
    ]
    let names = TransportKind.allCases.map(\.rawValue) + ["none"]
    let shares = names.map { name in
      line(name == "none" ? "time without connection" : "time on \(name)") { all in
        guard !all.isEmpty else { return Figures.none }
        return Figures.percent(all.reduce(0) { $0 + ($1.shares[name] ?? 0) } / Double(all.count))
      }
    }
    return struck + [sum("connections lost", \.lost)] + times + counts + shares
  }

  private static func durations(
    _ name: String, _ part: KeyPath<FaultMeasurement, Durations>, _ pools: [Pool]
  ) -> [Line] {
    let merged = pools.map { pool in
      pool.faults.reduce(into: Histogram()) { $0.merge($1[keyPath: part].histogram) }
    }
    let text: (UInt64?) -> String = { Figures.duration($0.map { Double($0) / 1000 }) }
    let percentiles = [("p50", 50.0), ("p99", 99)].map { title, percent in
      Line(
        metric: "\(name) \(title)", cells: merged.map { text($0.soundPercentile(percent)) })
    }
    let longest = Line(
      metric: "\(name) max", cells: merged.map { text($0.count > 0 ? $0.maximum : nil) })
    return (percentiles + [longest]).filter { line in
      line.cells.contains { $0 != Figures.none }
    }
  }

  /// A line for each fault of the scenario: what it struck, and what the clients did.
  static func outcomes(of pools: [Pool]) -> [Line] {
    let names = pools.lazy.compactMap(\.faults.first).first?.outcomes.map(\.fault) ?? []
    return names.indices.map { index in
      Line(
        metric: names[index],
        cells: pools.map { pool in
          cell(pool.faults.filter { $0.outcomes.count > index }.map { $0.outcomes[index] })
        })
    }
  }

  /// What came of one fault: `4×, noticed 1.02 s, back 31.0 ms, sse`.
  private static func cell(_ outcomes: [FaultOutcome]) -> String {
    let struck = outcomes.reduce(0) { $0 + $1.struck }
    guard struck > 0 else { return "not struck" }
    guard outcomes.contains(where: { $0.sessions > 0 }) else {
      return "\(grouped(struck))×, went on"
    }
    let notice = outcomes.compactMap(\.slowestNoticeMicroseconds).max()
    let back = outcomes.compactMap(\.slowestReturnMicroseconds).max()
    let carriers = outcomes.reduce(into: [:]) { sum, outcome in
      sum.merge(outcome.carriers, uniquingKeysWith: +)
    }
    let kinds = TransportKind.allCases.compactMap { kind in
      carriers[kind.rawValue].map { carriers.count > 1 ? "\(kind.rawValue) \($0)" : kind.rawValue }
    }
    return [
      "\(grouped(struck))×", notice.map { "noticed \(Figures.duration($0))" },
      "back \(Figures.duration(back))", kinds.joined(separator: " "),
    ].compactMap { $0 }.joined(separator: ", ")
  }
}

extension Pool {
  /// What faults did, in the trials that had some.
  var faults: [FaultMeasurement] { trials.compactMap(\.faults) }
}
