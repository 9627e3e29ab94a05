import Triwire

/// A check of the instrument itself: trials whose outcome is known beforehand.
///
/// It says nothing about which transport is better. Where one of them fails, the instrument is wrong
/// here, or the machine is busy otherwise, and its other figures are to be doubted.
public struct InstrumentCheck: Sendable {
  /// What it is about, in a few words.
  public let name: String
  /// The name as one word, for command lines.
  public var key: String { name.replacing(" ", with: "-") }
  /// What has to come out, and why, in a sentence.
  public let claim: String
  /// What may be wrong where it does not.
  let likelyReason: String
  /// The trials it takes, in order.
  public let trials: [Trial]
  /// What follows from their figures, in the same order.
  let judge: @Sendable ([Measurement]) -> [Expectation]

  /// A figure that is known beforehand.
  struct Expectation: Equatable {
    let what: String
    /// What it has to be between.
    let low, high: Double
    /// What was measured; `nil` where it could not be.
    let measured: Double?
    let places: Int

    /// Whether the figure is what it has to be.
    var isMet: Bool { measured.map { (low...high).contains($0) } ?? false }
  }

  /// What became of a check.
  public struct Finding: Sendable, Equatable {
    /// What was measured.
    public let what: String
    /// What it has to be.
    public let expected: String
    /// What it was.
    public let measured: String
    /// Whether it was what it has to be.
    public let isMet: Bool
    /// Why not, as far as that can be told; empty where it is met.
    public let reason: String
    /// Whether its trials were disturbed, so that another try may tell.
    public let isDisturbed: Bool
  }

  /// Tasks of the machine may wait for a core for this part of the time: more than the trials' own
  /// threads do to each other.
  static let pressure = 0.25

  /// Judges the measurements of its trials.
  ///
  /// - Parameters:
  ///   - measurements: One for each of ``trials``, in the same order.
  ///   - pressure: For which part of the time some task of the machine waited for a core; `nil` is not
  ///     known.
  /// - Returns: A finding for each figure.
  public func findings(_ measurements: [Measurement], pressure: Double? = nil) -> [Finding] {
    let failures = measurements.flatMap(\.failures)
    var doubts = measurements.flatMap(\.validity.doubts)
    if let pressure, pressure > InstrumentCheck.pressure {
      doubts.append("some task waited for a core for \(Figures.percent(pressure)) of the time")
    }
    return judge(measurements).map { expectation in
      let text = { (value: Double) in Figures.decimal(value, places: expectation.places) }
      let reason =
        failures.first ?? doubts.first.map { "disturbed: \($0)" } ?? likelyReason
      // A figure of a trial that lost something is none.
      let isMet = expectation.isMet && failures.isEmpty
      return Finding(
        what: expectation.what,
        expected: expectation.low == expectation.high
          ? text(expectation.low) : "\(text(expectation.low)) to \(text(expectation.high))",
        measured: expectation.measured.map(text) ?? Figures.none, isMet: isMet,
        reason: isMet ? "" : reason, isDisturbed: !isMet && failures.isEmpty && !doubts.isEmpty)
    }
  }
}

extension InstrumentCheck.Expectation {
  /// A figure that may be off by a part of what it has to be, or by nothing.
  init(_ what: String, _ wanted: Double, within part: Double, _ measured: Double?, places: Int = 2)
  {
    self.init(
      what: what, low: wanted * (1 - part), high: wanted * (1 + part), measured: measured,
      places: places)
  }
}

extension InstrumentCheck {
  /// A trial of a scenario that is written here.
  static func trial(
    _ transport: TransportKind, _ tls: TLSMode = .off, clients: Int,
    _ flow: Flow? = nil, network: Network? = nil, seconds: UInt64 = 1, idle: IdleSteps? = nil
  ) -> Trial {
    let scenario = Scenario(
      name: "check", description: "", clients: clients, groups: 1, idle: idle,
      traffic: flow.map { [$0] } ?? [], warmUp: .seconds(flow == nil ? 0 : 1),
      duration: .seconds(seconds), drain: .seconds(5), repetitions: 1, seed: 7,
      transports: [transport], tls: [tls], sessions: .plain, network: network)
    return Trial(
      scenario: scenario, contender: Contender(transport: transport, tls: tls), repetition: 1,
      seed: scenario.seed.derived(for: scenario.name))
  }

  /// Messages of 64 bytes from the server to each client.
  static func feed(_ perSecond: Double, _ arrivals: Flow.Arrivals) -> Flow {
    Flow(
      name: "down", direction: .down, from: .server, rate: Rate(perSecond, .client),
      arrivals: arrivals, burst: nil, payload: .fixed(ByteCount(64)), kind: .text)
  }
}
