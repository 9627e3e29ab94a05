public import Triwire

/// Everything that is decided before the first trial starts.
///
/// The same files and choices give the same plan, on any machine.
public struct Plan: Sendable {
  /// What whoever runs the scenarios decides beyond their files.
  public struct Choices: Sendable {
    /// How thoroughly to measure.
    public var profile: Profile
    /// Only these transports, or `nil` for those the scenarios name.
    public var transports: [TransportKind]?
    /// So many repetitions, or `nil` for those of scenario and profile.
    public var repetitions: Int?
    /// This seed for all scenarios, or `nil` for their own.
    public var seed: UInt64?

    /// Choices, all left to profile and scenarios unless given.
    public init(
      profile: Profile = .smoke, transports: [TransportKind]? = nil, repetitions: Int? = nil,
      seed: UInt64? = nil
    ) {
      self.profile = profile
      self.transports = transports
      self.repetitions = repetitions
      self.seed = seed
    }
  }

  /// The profile the scenarios were cut to.
  public let profile: Profile
  /// The scenarios as they will run.
  public let scenarios: [Scenario]
  /// The trials in the order they run.
  public let trials: [Trial]

  /// Decides all trials of some scenarios.
  public init(_ files: [ScenarioFile], choosing choices: Choices = Choices()) {
    profile = choices.profile
    scenarios = files.map { file in
      var scenario = file.scenario(for: choices.profile)
      scenario.transports = choices.transports ?? scenario.transports
      scenario.repetitions = choices.repetitions ?? scenario.repetitions
      scenario.seed = choices.seed ?? scenario.seed
      return scenario
    }
    trials = scenarios.enumerated().flatMap { Plan.trials(of: $1, at: $0) }
  }

  /// The trials of one scenario: each repetition takes the transports in another order.
  ///
  /// Three transports have six orders, which balance both place and predecessor; with fewer
  /// repetitions the scenarios of a suite start at different orders, so that none comes first
  /// everywhere. The seed does not depend on the transport: a repetition gives all of them the
  /// same messages at the same times.
  private static func trials(of scenario: Scenario, at index: Int) -> [Trial] {
    let orders = permutations(of: scenario.transports)
    return (1...scenario.repetitions).flatMap { repetition in
      orders[(index + repetition - 1) % orders.count].map { transport in
        Trial(
          scenario: scenario, transport: transport, repetition: repetition,
          seed: scenario.seed.derived(for: scenario.name).derived(for: repetition))
      }
    }
  }
}

/// One cell of a plan: a scenario over one transport, once, against a fresh server.
public struct Trial: Sendable {
  /// What to measure.
  public let scenario: Scenario
  /// Over which transport.
  public let transport: TransportKind
  /// Which repetition this is, from 1.
  public let repetition: Int
  /// Where all that is random in this trial starts from.
  public let seed: UInt64

  /// How long the trial takes at least: idling, warm-up, the quiet before and after, measuring.
  public var shortestDuration: TimeSpan {
    let idle = scenario.idle.map { $0.hold.nanoseconds * UInt64($0.steps.count) } ?? 0
    let quiet = SendPlan.quiet.nanoseconds * (scenario.warmUp.nanoseconds == 0 ? 1 : 2)
    let moving = scenario.warmUp.nanoseconds + scenario.duration.nanoseconds + quiet
    return TimeSpan(nanoseconds: idle + (scenario.traffic.isEmpty ? 0 : moving))
  }
}

/// All orders of some elements, the given one first, the rest in the order of a dictionary.
func permutations<Element>(of elements: [Element]) -> [[Element]] {
  guard elements.count > 1 else { return [elements] }
  return elements.indices.flatMap { index in
    var rest = elements
    let first = rest.remove(at: index)
    return permutations(of: rest).map { [first] + $0 }
  }
}
