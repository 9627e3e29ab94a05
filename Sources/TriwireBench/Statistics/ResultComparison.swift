import Triwire

/// What changed from one result to another: a line for each figure of each contender in both.
public struct ResultComparison: Sendable {
  /// What all lines together say.
  public enum Outcome: Sendable, Equatable {
    /// Nothing is worse or better by more than its tolerance.
    case equal
    /// Something is worse.
    case worse
    /// Nothing is worse, and something cannot be told.
    case inconclusive
    /// Nothing is worse, all can be told, and something is better.
    case better
  }

  /// What to compare, and how.
  public struct Choices: Sendable {
    /// The figures, by their keys; `nil` is latency p50 and p99, bytes and server CPU per message.
    public var metrics: [String]?
    /// The smallest difference of interest, as a part; `nil` is each figure's own.
    public var tolerance: Double?
    /// Whether runs of the same repetition make a pair, as the two results were measured in turns.
    public var isPaired: Bool

    /// What to compare, and how.
    public init(metrics: [String]? = nil, tolerance: Double? = nil, isPaired: Bool = false) {
      (self.metrics, self.tolerance, self.isPaired) = (metrics, tolerance, isPaired)
    }
  }

  /// One figure of one contender.
  struct Line {
    let name: String
    let base: String
    let new: String
    /// `nil` where too few runs have the figure, or it is 0.
    let result: RunComparison?
    let verdict: RunComparison.Verdict

    /// Whether it would be better or worse if it were the only one.
    var isHeldBack: Bool {
      guard verdict == .inconclusive, let result else { return false }
      return result.low > 1 + result.tolerance || result.high < 1 / (1 + result.tolerance)
    }
  }

  let lines: [Line]
  /// What is in one of the results alone, as sentences.
  public let omissions: [String]

  /// Compares two results.
  ///
  /// The chance that any line of two results of the same build is called worse or better is held
  /// below 5 % in all, however many lines there are (Bonferroni), and that by more than a tolerance.
  ///
  /// - Throws: ``UnlikeSettings`` when they were not made with the same settings, or have no
  ///   scenario in common.
  public init(
    of new: Report, against base: Report, choosing choices: Choices = Choices()
  ) throws(UnlikeSettings) {
    let differences = UnlikeSettings.differences(base, new)
    guard differences.isEmpty else { throw UnlikeSettings(differences: differences) }
    let metrics = choices.metrics?.compactMap { Metric.named($0) } ?? ResultComparison.standard
    let cells = ResultComparison.cells(base, new)
    let open = cells.flatMap { cell in
      metrics.filter { metric in
        // A figure that neither has is none.
        metric.value(cell.base) != nil || metric.value(cell.new) != nil
      }.map { (cell, $0) }
    }
    lines =
      cells.compactMap(ResultComparison.failures)
      + open.map { cell, metric in
        ResultComparison.line(cell, metric, choices, decisions: open.count)
      }
    omissions = ResultComparison.omissions(base, new)
  }

  /// What all lines together say.
  public var outcome: Outcome {
    let verdicts = lines.map(\.verdict)
    if verdicts.contains(.worse) { return .worse }
    if verdicts.isEmpty || verdicts.contains(.inconclusive) { return .inconclusive }
    return verdicts.contains(.better) ? .better : .equal
  }

  /// How many more repetitions may tell what cannot be told now; `nil` where that is not known.
  public var furtherRuns: Int? {
    let open = lines.filter { $0.verdict == .inconclusive }.map { $0.result?.furtherRuns }
    return open.contains { $0 == nil } ? nil : open.compactMap { $0 }.max()
  }

  /// The lines as a table, and how they were judged where the intervals do not show it.
  package func text(on page: Page) -> String {
    table(on: page)
      + (lines.contains(where: \.isHeldBack)
        ? page.wrapped(
          "Among \(lines.count) figures chance alone may put one beyond its tolerance: better or worse is "
            + "what a wider interval than that of 95 % still shows.") : "")
  }

  private func table(on page: Page) -> String {
    page.table(
      ["", "base", "new", "ratio", "95 % interval", "verdict"],
      lines.map { line in
        [
          line.name, line.base, line.new,
          line.result.map { Figures.preciseRatio($0.ratio) } ?? Figures.none,
          line.result.map {
            "\(Figures.preciseRatio($0.low)) to \(Figures.preciseRatio($0.high))"
          } ?? Figures.none,
          line.result == nil && line.verdict == .inconclusive
            ? "too few runs" : line.verdict.rawValue,
        ]
      })
  }

  private struct Cell {
    let name: String
    let base: Pool
    let new: Pool
    let seed: UInt64
  }

  private static let standard = ComparedMetric.allCases.compactMap { Metric.named($0.name) }

  private static func cells(_ base: Report, _ new: Report) -> [Cell] {
    base.scenarios.flatMap { scenario -> [Cell] in
      guard scenario.search == nil,
        let other = new.scenarios.first(where: { $0.name == scenario.name })
      else { return [] }
      return scenario.contenders.filter { other.contenders.contains($0) }.map { contender in
        let name = "\(scenario.name) \(scenario.name(of: contender))"
        return Cell(
          name: name, base: Pool(base.trials(of: scenario, for: contender), name, of: contender),
          new: Pool(new.trials(of: other, for: contender), name, of: contender),
          seed: scenario.seed.derived(for: name))
      }
    }
  }

  /// That more trials failed than before, which no figure can make good.
  private static func failures(_ cell: Cell) -> Line? {
    let counts = [cell.base, cell.new].map { pool in pool.trials.count { !$0.failures.isEmpty } }
    guard counts[0] + counts[1] > 0 else { return nil }
    let verdict: RunComparison.Verdict =
      counts[1] > counts[0] ? .worse : counts[1] < counts[0] ? .better : .equal
    return Line(
      name: "\(cell.name) failed trials", base: grouped(counts[0]), new: grouped(counts[1]),
      result: nil, verdict: verdict)
  }

  private static func line(
    _ cell: Cell, _ metric: Metric, _ choices: Choices, decisions: Int
  ) -> Line {
    let figures = [cell.base, cell.new].map { pool in
      pool.trials.filter(\.failures.isEmpty).compactMap { trial in
        metric.value(Pool([trial], pool.name, of: pool.contender)).map { (trial.repetition, $0) }
      }
    }
    var (olds, news) = (figures[0].map(\.1), figures[1].map(\.1))
    if choices.isPaired {
      let pairs = figures[0].compactMap { repetition, value in
        figures[1].first { $0.0 == repetition }.map { (value, $0.1) }
      }
      (olds, news) = (pairs.map(\.0), pairs.map(\.1))
    }
    let known = ComparedMetric.allCases.first { $0.name == metric.name }?.tolerance
    let smaller = min(olds.min() ?? 0, news.min() ?? 0)
    let tolerance =
      choices.tolerance ?? (known ?? Tolerance(part: 0.05, amount: 0)).part(of: smaller)
    let result = RunComparison(
      news, against: olds, isPaired: choices.isPaired, tolerance: tolerance, decisions: decisions,
      seed: cell.seed.derived(for: metric.key))
    // Nothing and nothing is the same; nothing and something has no ratio.
    let isNothing =
      olds.count >= MeanInterval.fewest && news.count >= MeanInterval.fewest
      && (olds + news).allSatisfy { $0 == 0 }
    return Line(
      name: "\(cell.name) \(metric.name)", base: metric.unit.text(metric.value(cell.base)),
      new: metric.unit.text(metric.value(cell.new)), result: result,
      verdict: result?.verdict ?? (isNothing ? .equal : .inconclusive))
  }

  private static func omissions(_ base: Report, _ new: Report) -> [String] {
    missing(of: base, in: new).map { "\($0) is in the base alone" }
      + missing(of: new, in: base).map { "\($0) is in the new result alone" }
      + base.scenarios.filter { $0.search != nil }.map {
        "\($0.name) searches for a capacity, whose brackets stand side by side in the reports"
      }
  }

  /// What one result has and the other has not, by name.
  private static func missing(of one: Report, in other: Report) -> [String] {
    one.scenarios.flatMap { scenario in
      let known = other.scenarios.first { $0.name == scenario.name }?.contenders ?? []
      return scenario.contenders.filter { !known.contains($0) }
        .map { "\(scenario.name) \(scenario.name(of: $0))" }
    }
  }
}

/// Why two results cannot be compared: what they were made with differs.
public struct UnlikeSettings: Error, Equatable, CustomStringConvertible {
  /// What differs, as `name: one and other`.
  public let differences: [String]

  /// All of it, and what to do.
  public var description: String {
    "these results cannot be compared, they were made with unlike settings:\n"
      + differences.map { "  \($0)\n" }.joined()
      + "run both with the same scenarios and options on the same machine"
  }

  /// What differs between two results beyond the version and how often each trial ran.
  static func differences(_ base: Report, _ new: Report) -> [String] {
    let (one, other) = (base.environment, new.environment)
    let settings: [(String, String, String)] = [
      ("profile", base.profile.rawValue, new.profile.rawValue),
      ("compiler", one.compiler, other.compiler), ("kernel", one.kernel, other.kernel),
      ("processor", one.processor, other.processor),
      ("cores", "\(one.cores)", "\(other.cores)"), ("pinning", one.pinning, other.pinning),
      ("kept from going idle", one.keptAwake, other.keptAwake),
      ("clock source", one.clockSource, other.clockSource),
      ("governor", one.governor, other.governor),
      ("congestion control", one.congestionControl, other.congestionControl),
      ("largest segment", "\(one.maximumSegment)", "\(other.maximumSegment)"),
      ("settings of TCP", text(one.tcpSettings), text(other.tcpSettings)),
    ]
    let targets = differences(base.target, new.target)
    let foreign =
      base.foreign == new.foreign
      ? [] : ["foreign: \(base.foreign?.text ?? "none") and \(new.foreign?.text ?? "none")"]
    let named =
      targets + foreign
      + settings.filter { $0.1 != $0.2 }.map { name, first, second in
        "\(name): \(first.isEmpty ? "none" : first) and \(second.isEmpty ? "none" : second)"
      }
    let pairs = base.scenarios.compactMap { scenario in
      new.scenarios.first { $0.name == scenario.name }.map { (scenario, $0) }
    }
    guard !pairs.isEmpty else { return named + ["scenarios: they have none in common"] }
    return named + pairs.flatMap { differences($0, $1) }
  }

  private static func differences(_ one: TargetRecord?, _ other: TargetRecord?) -> [String] {
    guard let one, let other else {
      let (first, second) = (one?.url ?? "none", other?.url ?? "none")
      return first == second ? [] : ["target: \(first) and \(second)"]
    }
    // Two builds are compared on two targets, each at a place of its own.
    var moved = other
    (moved.url, moved.triwireVersion) = (one.url, one.triwireVersion)
    return one.differences(from: moved)
  }

  private static func differences(_ one: Scenario, _ other: Scenario) -> [String] {
    let parts: [(String, String, String)] = [
      ("clients", "\(one.clients)", "\(other.clients)"),
      ("groups", "\(one.groups)", "\(other.groups)"),
      ("warmUp", "\(one.warmUp)", "\(other.warmUp)"),
      ("duration", "\(one.duration)", "\(other.duration)"),
      ("drain", "\(one.drain)", "\(other.drain)"), ("seed", "\(one.seed)", "\(other.seed)"),
      ("sessions", one.sessions.rawValue, other.sessions.rawValue),
    ]
    let same = [
      ("idle", one.idle == other.idle), ("traffic", one.traffic == other.traffic),
      ("visitors", one.visitors == other.visitors), ("slow", one.slow == other.slow),
      ("snapshot", one.snapshot == other.snapshot),
      ("faults", one.faults == other.faults), ("reconnect", one.reconnect == other.reconnect),
    ]
    return parts.filter { $0.1 != $0.2 }.map { "\(one.name), \($0.0): \($0.1) and \($0.2)" }
      + same.filter { !$0.1 }.map { "\(one.name), \($0.0): not the same" }
  }

  private static func text(_ settings: [String: String]) -> String {
    settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }
}
