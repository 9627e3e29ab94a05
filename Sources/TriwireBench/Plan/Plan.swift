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
    /// These modes of TLS, or `nil` for those the scenarios name.
    public var tls: [TLSMode]?
    /// So many repetitions, or `nil` for those of scenario and profile.
    public var repetitions: Int?
    /// This seed for all scenarios, or `nil` for their own.
    public var seed: UInt64?
    /// Whether the first contender runs twice in each repetition, which shows what chance can do.
    public var hasControl: Bool
    /// The interval of a control that polls, or `nil` for those the scenarios name.
    public var controlPoll: TimeSpan?

    /// Choices, all left to profile and scenarios unless given.
    public init(
      profile: Profile = .smoke, transports: [TransportKind]? = nil, tls: [TLSMode]? = nil,
      repetitions: Int? = nil, seed: UInt64? = nil, hasControl: Bool = false,
      controlPoll: TimeSpan? = nil
    ) {
      self.profile = profile
      self.transports = transports
      self.tls = tls
      self.repetitions = repetitions
      self.seed = seed
      self.hasControl = hasControl
      self.controlPoll = controlPoll
    }
  }

  /// The profile the scenarios were cut to.
  public let profile: Profile
  /// The scenarios as they will run.
  public let scenarios: [Scenario]
  /// Whether the first contender of each scenario runs twice in each repetition.
  public let hasControl: Bool
  /// The trials in the order they run.
  public let trials: [Trial]

  /// Decides all trials of some scenarios.
  public init(_ files: [ScenarioFile], choosing choices: Choices = Choices()) {
    let scenarios = files.flatMap { $0.scenarios(for: choices.profile) }.map { scenario in
      var scenario = scenario
      scenario.transports = choices.transports ?? scenario.transports
      scenario.tls = choices.tls ?? scenario.tls
      scenario.repetitions = choices.repetitions ?? scenario.repetitions
      scenario.seed = choices.seed ?? scenario.seed
      if let poll = choices.controlPoll { scenario.pollAtIntervals(of: poll) }
      return scenario
    }
    self.init(scenarios, profile: choices.profile, hasControl: choices.hasControl)
  }

  /// The plan that a report was made by, whether its run came to its end or not.
  public init(of report: Report) {
    self.init(
      report.scenarios, profile: report.profile, hasControl: report.hasControl ?? false)
  }

  private init(_ scenarios: [Scenario], profile: Profile, hasControl: Bool) {
    self.profile = profile
    self.scenarios = scenarios
    self.hasControl = hasControl
    trials = scenarios.enumerated().flatMap {
      Plan.trials(of: $1, at: $0, withControl: hasControl)
    }
  }

  /// The trials of one scenario: each repetition takes the contenders in another order.
  ///
  /// The orders are shuffled by the seed, and scenarios of a suite begin with different ones, so that
  /// no contender comes first everywhere. The seed of a trial depends neither on the transport nor
  /// on TLS: a repetition gives all contenders the same messages at the same times. The control
  /// takes each place in turn.
  private static func trials(
    of scenario: Scenario, at index: Int, withControl hasControl: Bool
  ) -> [Trial] {
    let orders = shuffledOrders(
      of: scenario.contenders, seed: scenario.seed.derived(for: "orders"), turn: index)
    return (1...scenario.repetitions).flatMap { repetition in
      var trials = orders[(repetition - 1) % orders.count].map { contender in
        Trial(
          scenario: scenario, contender: contender, repetition: repetition,
          seed: scenario.seed.derived(for: scenario.name).derived(for: repetition))
      }
      if hasControl, var control = trials.first(where: { $0.contender == scenario.contenders[0] }) {
        control.isControl = true
        trials.insert(control, at: (index + repetition - 1) % (trials.count + 1))
      }
      return trials
    }
  }
}

extension Scenario {
  /// Adds the control, where there are messages to poll for and sessions that last; what is sent last
  /// gets the time to be asked for.
  fileprivate mutating func pollAtIntervals(of poll: TimeSpan) {
    guard faults == nil, !traffic.isEmpty else { return }
    controlPoll = poll
    drain = max(drain, TimeSpan(nanoseconds: 2 * poll.nanoseconds))
  }
}

/// One cell of a plan: a scenario over one transport in one mode of TLS, once, against a fresh
/// server.
public struct Trial: Sendable {
  /// What to measure.
  public let scenario: Scenario
  /// Over which transport, and how secured.
  public let contender: Contender
  /// Which repetition this is, from 1.
  public let repetition: Int
  /// Where all that is random in this trial starts from.
  public let seed: UInt64
  /// Whether the contender runs a second time in its repetition.
  public internal(set) var isControl = false

  /// Over which transport.
  public var transport: TransportKind { contender.transport }
  /// What is measured, in a few words: `sse`, or `sse TLS 1.3` where the scenario has several modes.
  public var name: String {
    let name = scenario.name(of: contender)
    return isControl ? "\(name) again" : name
  }

  /// How long the trial takes at least: idling, warm-up, the quiet before and after, measuring.
  public var shortestDuration: TimeSpan {
    let idle = scenario.idle.map { $0.hold.nanoseconds * UInt64($0.steps.count) } ?? 0
    let quiet = scenario.quiet.nanoseconds * (scenario.warmUp.nanoseconds == 0 ? 1 : 2)
    let moving = scenario.warmUp.nanoseconds + scenario.duration.nanoseconds + quiet
    let probes = scenario.search.map { UInt64(SearchPath($0, of: scenario).mostLikely) } ?? 1
    return TimeSpan(nanoseconds: idle + (scenario.traffic.isEmpty ? 0 : moving * probes))
  }
}

/// Orders of some elements which together balance both place and predecessor, shuffled.
///
/// The first so many orders as there are elements put each element once in each place: three
/// repetitions of three contenders are as balanced as three can be.
///
/// - Parameters:
///   - elements: What to order.
///   - seed: Where the shuffling starts from.
///   - turn: Which of the orders comes first; successive turns begin with different elements.
/// - Returns: Each of the balanced orders once.
func shuffledOrders<Element>(of elements: [Element], seed: UInt64, turn: Int = 0) -> [[Element]] {
  guard elements.count > 1 else { return [elements] }
  var source = RandomSource(seed: seed)
  // Which element is which in the pattern is left to chance as well.
  let orders = balancedOrders(of: source.shuffled(elements))
  // Of an odd number of elements every other order is the one before it backwards.
  let rounds = orders.count / elements.count
  var squares = (0..<rounds).map { round in
    source.shuffled(orders.indices.filter { $0 % rounds == round }.map { orders[$0] })
  }
  squares = source.shuffled(squares)
  return (0..<rounds).flatMap { round in
    let square = squares[(round + turn / elements.count) % rounds]
    return square.indices.map { square[($0 + turn) % square.count] }
  }
}

/// Orders of some elements which together balance both place and predecessor.
///
/// Each element stands equally often in each place, and follows each other element equally often
/// (E. J. Williams, 1949). An even number of elements needs as many orders, an odd one twice as
/// many.
func balancedOrders<Element>(of elements: [Element]) -> [[Element]] {
  let count = elements.count
  // 0, 1, n−1, 2, n−2 …: each distance between neighbours occurs once, so that the shifts of this
  // order pair everything with everything; of an odd number each distance or its opposite does.
  let zigzag = (0..<count).map { $0.isMultiple(of: 2) ? (count - $0 / 2) % count : ($0 + 1) / 2 }
  return (0..<max(1, count)).flatMap { shift in
    let order = zigzag.map { elements[($0 + shift) % count] }
    return count.isMultiple(of: 2) || count == 1 ? [order] : [order, order.reversed()]
  }
}
