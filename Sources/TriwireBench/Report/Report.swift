import Triwire

/// Everything a run found out: what is written as `result.json`, and what all tables come from.
public struct Report: Sendable, Equatable, Codable {
  /// How far the run came.
  public enum State: String, Sendable, CaseIterable, Codable {
    /// Trials are still to come.
    case running
    /// All trials ran.
    case complete
    /// Somebody stopped the run; the trials that are there are whole.
    case interrupted
  }

  /// The version of the form this is written in; a reader refuses versions it does not know.
  public static let currentSchema = 6

  /// The version of the form of this report.
  public var schemaVersion: Int
  /// How far the run came.
  public var state: State
  /// How thoroughly it measured.
  public var profile: Profile
  /// How many trials the plan has.
  public var plannedTrials: Int
  /// Whether the first contender of each scenario runs twice in each repetition; `nil` is not.
  public var hasControl: Bool?
  /// For how many users to say what they take; `nil` is the usual number.
  public var budgetUsers: Int?
  /// The machine and its settings.
  public var environment: Environment
  /// The server that was measured, where it was not one of its own for each trial.
  public var target: TargetRecord?
  /// The servers that were measured, where nobody here wrote them.
  public var foreign: ForeignServers?
  /// The scenarios as they ran, with all defaults filled in.
  public var scenarios: [Scenario]
  /// What was measured, in the order it ran.
  public var trials: [Measurement]
  /// Trials that did not count and were repeated, in the order they ran.
  public var voided: [VoidTrial]
  /// What the load generator did against a server that does next to nothing; `nil` where nobody
  /// asked.
  public var ceilings: [CeilingMeasurement]?

  /// A report of a plan of which nothing has run yet.
  public init(
    _ plan: Plan, on environment: Environment, of target: TargetRecord? = nil,
    foreign: ForeignServers? = nil
  ) {
    schemaVersion = Report.currentSchema
    state = .running
    profile = plan.profile
    plannedTrials = plan.trials.count
    hasControl = plan.hasControl ? true : nil
    self.environment = environment
    self.target = target
    self.foreign = foreign
    scenarios = plan.scenarios
    trials = []
    voided = []
  }

  /// Writes the report, and under `comparisons` what follows from its trials.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schemaVersion, forKey: .schemaVersion)
    try container.encode(state, forKey: .state)
    try container.encode(profile, forKey: .profile)
    try container.encode(plannedTrials, forKey: .plannedTrials)
    try container.encodeIfPresent(hasControl, forKey: .hasControl)
    try container.encodeIfPresent(budgetUsers, forKey: .budgetUsers)
    try container.encode(environment, forKey: .environment)
    try container.encodeIfPresent(target, forKey: .target)
    try container.encodeIfPresent(foreign, forKey: .foreign)
    try container.encode(scenarios, forKey: .scenarios)
    try container.encode(trials, forKey: .trials)
    try container.encode(voided, forKey: .voided)
    try container.encodeIfPresent(ceilings, forKey: .ceilings)
    var derived = encoder.container(keyedBy: DerivedKey.self)
    try derived.encode(comparisons, forKey: .comparisons)
  }

  /// What is written and not read, since it follows from the rest.
  private enum DerivedKey: String, CodingKey { case comparisons }

  /// Adds what one trial measured.
  public mutating func add(_ measurement: Measurement) {
    trials.append(measurement)
    if trials.count == plannedTrials { state = .complete }
  }

  /// Whether a trial of its plan is among those that were measured.
  public func has(_ trial: Trial) -> Bool {
    trials.contains {
      $0.scenario == trial.scenario.name && $0.contender == trial.contender
        && $0.repetition == trial.repetition
        && ($0.isControl ?? false) == trial.isControl
    }
  }

  /// Plans so many more repetitions of each scenario, for a run that goes on.
  ///
  /// - Throws: ``ReportError`` when a scenario would have more than a file can say.
  public mutating func extend(by repetitions: Int) throws(ReportError) {
    for index in scenarios.indices {
      let sum = scenarios[index].repetitions + repetitions
      guard sum <= ScenarioLimits.repetitions else {
        throw ReportError(
          description: "\(scenarios[index].name) would have \(sum) repetitions, "
            + "\(ScenarioLimits.repetitions) is the most: ask for fewer more")
      }
      scenarios[index].repetitions = sum
    }
    plannedTrials = Plan(of: self).trials.count
  }

  /// Goes on with a run that was stopped, on the same machine: whatever is measured from now on
  /// must be comparable to what is there.
  ///
  /// - Parameters:
  ///   - environment: The machine and the settings now.
  ///   - target: The server that is measured now, where it is not one of its own for each trial.
  /// - Throws: ``ReportError`` when nothing is left to measure, or when something differs.
  public mutating func resume(
    on environment: Environment, of target: TargetRecord? = nil
  ) throws(ReportError) {
    let possible = 1...ScenarioLimits.repetitions
    for scenario in scenarios
    where !possible.contains(scenario.repetitions) || scenario.contenders.isEmpty {
      throw ReportError(
        description: "\(scenario.name) has \(scenario.repetitions) repetitions over "
          + "\(scenario.contenders.count) contenders in this result, which no file can say. Start a "
          + "new run")
    }
    guard trials.count < plannedTrials else {
      throw ReportError(
        description: "all \(plannedTrials) trials are measured, nothing is left to resume")
    }
    var differences = self.environment.differences(from: environment)
    if let old = self.target, let target { differences += old.differences(from: target) }
    guard differences.isEmpty else {
      throw ReportError(
        description: "the rest would not be comparable to what was measured: "
          + differences.joined(separator: "; ") + ". Start a new run")
    }
    state = .running
    self.environment.resumedAt = (self.environment.resumedAt ?? []) + [environment.startedAt]
    self.environment.load += environment.load
  }

  /// The trials of a scenario of one contender, or their controls, by repetition.
  func trials(
    of scenario: Scenario, for contender: Contender, asControl isControl: Bool = false
  ) -> [Measurement] {
    trials.filter {
      $0.scenario == scenario.name && $0.contender == contender
        && ($0.isControl ?? false) == isControl
    }
    .sorted { $0.repetition < $1.repetition }
  }
}
