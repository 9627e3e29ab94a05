import FoundationEssentials
public import Triwire

/// What the load generator did at twice the rate of a scenario, against a server that does next to
/// nothing: a figure is known not to be the clients' own only if this held.
public struct CeilingMeasurement: Sendable, Equatable, Codable {
  /// The name of the scenario.
  public var scenario: String
  /// The transport that carried the sessions.
  public var transport: TransportKind
  /// What came of it; the level is the rate of all senders.
  public var probe: CapacityProbe

  /// Whether the clients had no trouble with twice the rate.
  public var isEnough: Bool {
    probe.outcome == .held && probe.clientsBusy <= Validity.busy
      && probe.sentLateP99.map { $0 <= Validity.sentLate.microseconds } ?? false
  }

  /// Whether it is not known, since the machine was busy otherwise.
  public var isDisturbed: Bool {
    probe.outcome == .disturbed || !isEnough && probe.clientsBusy <= Validity.busy
  }

  /// The messages per second that would fill the clients' core, from what these took; `nil` where
  /// none came.
  public var fullCore: Double? {
    guard probe.clientsBusy > 0, probe.deliveredPerSecond > 0 else { return nil }
    return probe.deliveredPerSecond / probe.clientsBusy
  }
}

/// Measures what the load generator can do without a server in its way.
public struct CeilingRun: Sendable {
  /// How many times the rate of the scenario it is asked for, at least.
  static let factor = 2.0
  /// So many messages are sent at least: fewer would not tell how late 1 % of them were.
  private static let fewestMessages = 1500.0
  /// It takes so long at most, however long the scenario's trials are.
  private static let (warmUp, duration, drain) = (
    TimeSpan.milliseconds(500), TimeSpan.seconds(3), TimeSpan.seconds(2)
  )

  private let trial: Trial
  private let executable: String?
  private let level: Double

  /// What is measured, by name.
  public var name: String { "\(trial.scenario.name) \(trial.transport.rawValue)" }

  /// All that can be measured so of a report: plain sessions without TLS, compression, slow
  /// clients, a network or faults.
  public static func all(of report: Report, executable: String? = nil) -> [CeilingRun] {
    report.scenarios.flatMap { scenario in
      scenario.contenders.compactMap { CeilingRun(scenario, $0, of: report, executable) }
    }
  }

  private init?(
    _ scenario: Scenario, _ contender: Contender, of report: Report, _ executable: String?
  ) {
    guard contender.tls == .off, contender.compression == .off, contender.poll == nil,
      scenario.sessions == .plain, !scenario.isRelayed, scenario.slow == nil,
      scenario.visitors == nil,
      !scenario.traffic.isEmpty
    else { return nil }
    var scenario = scenario
    if let search = scenario.search {
      let held = report.trials(of: scenario, for: contender).compactMap { $0.capacity?.held }.max()
      guard let held else { return nil }
      scenario = scenario.loaded(search, to: held)
    }
    scenario.warmUp = min(scenario.warmUp, CeilingRun.warmUp)
    scenario.duration = min(scenario.duration, CeilingRun.duration)
    scenario.drain = CeilingRun.drain
    level = max(
      scenario.messagesPerSecond * CeilingRun.factor,
      CeilingRun.fewestMessages / max(scenario.duration.seconds, 0.01))
    self.executable = executable
    trial = Trial(
      scenario: scenario.loaded(CeilingRun.search(to: level), to: level), contender: contender,
      repetition: 1, seed: scenario.seed.derived(for: scenario.name))
  }

  /// A probe that asks for nothing but that all arrives.
  private static func search(to level: Double) -> CapacitySearch {
    CapacitySearch(vary: .rate, to: level, slo: .init(), precision: 1, probes: 1)
  }

  /// Measures it once.
  ///
  /// - Returns: What came of it; what went wrong stands in it.
  /// - Throws: `CancellationError` when the task is cancelled; an encoding error of the trial.
  public func measure() async throws -> CeilingMeasurement {
    let backlog = BacklogBox()
    let scenario: Scenario = try decodeLine(
      String(decoding: encodeLine(trial.scenario), as: UTF8.self))
    let probe = Trial(
      scenario: scenario, contender: trial.contender, repetition: 1, seed: trial.seed)
    let measurement = try await TrialRun(
      probe, executable: executable, startedAt: "", isNull: true
    ).once(nil, backlog)
    return CeilingMeasurement(
      scenario: trial.scenario.name, transport: trial.transport,
      probe: CapacityProbe(
        measurement, at: level, of: CeilingRun.search(to: level), over: scenario.duration,
        backlog.value))
  }
}

extension Report {
  /// What the load generator alone did for a contender; `nil` where that was not measured.
  func ceiling(of scenario: Scenario, for contender: Contender) -> CeilingMeasurement? {
    guard contender == Contender(transport: contender.transport, tls: .off) else { return nil }
    return ceilings?.last { $0.scenario == scenario.name && $0.transport == contender.transport }
  }
}

extension Comparison {
  /// What the load generator alone did, a sentence for each contender.
  static func ceilings(_ scenario: Scenario, in report: Report) -> [String] {
    guard report.ceilings != nil else { return [] }
    return scenario.contenders.filter { $0.poll == nil }.map { contender in
      let name = "Load generator, \(scenario.name(of: contender))"
      guard let ceiling = report.ceiling(of: scenario, for: contender) else {
        return "\(name): not measured, which takes plain sessions without TLS, compression, "
          + "slow clients, network or faults."
      }
      return "\(name): \(ceiling.sentence)"
    }
  }
}

extension CeilingMeasurement {
  fileprivate var sentence: String {
    let full = fullCore.map { ", \(Figures.decimal($0, places: 0))/s would fill it" } ?? ""
    let core = "\(Figures.percent(probe.clientsBusy)) of the clients' core\(full)"
    let what = "at twice the rate or more, against a server that does next to nothing"
    if isEnough { return "\(what), all went well with \(core): not client-limited." }
    if isDisturbed {
      let why =
        probe.reasons.first
        ?? "1 % of the messages were sent \(Figures.duration(probe.sentLateP99)) late"
      return "\(what), it was disturbed (\(why)): whether it is client-limited is not known."
    }
    let why = probe.reasons.isEmpty ? "" : " (\(probe.reasons.joined(separator: "; ")))"
    return "\(what), it took \(core)\(why): client-limited, the server may do more."
  }
}
