import Triwire

/// Whether the figures of a trial are those of what was measured, by rules that stood before it ran.
///
/// A trial that the machine disturbed is repeated, and that it was is counted. Where repeating did not
/// help, the trial stays and is called disturbed: it widens the intervals, as it should. What the
/// load did to the server or to the clients is no disturbance, but a figure of something at its
/// limit, and is called that.
public struct Validity: Sendable, Equatable, Codable {
  /// How late messages were sent, 99 % of them no later, in microseconds; `nil` where too few were.
  public var sentLateP99: Double?
  /// Part of the time in which threads of the server were ready to run and had no core; `nil` is not
  /// measured.
  public var serverWaited: Double?
  /// The same of the clients' process.
  public var clientsWaited = 0.0
  /// Part of the time in which some task of the machine waited for a core (PSI); `nil` where the
  /// kernel does not tell.
  public var pressure: Double?
  /// Part of one core that the server used; `nil` is not measured.
  public var serverBusy: Double?
  /// Part of one core that the clients' process used.
  public var clientsBusy = 0.0
  /// By how much the clock ran differently from the machine's oscillator, as a part.
  public var clockDrift = 0.0
  /// What ``Timeline/growth`` is.
  public var growth: Double?
  /// What disturbed the trial, as sentences; empty when nothing did.
  public var doubts: [String] = []
  /// What was at its limit, as sentences; empty when nothing was.
  public var limits: [String] = []

  /// A trial of which nothing speaks against its figures.
  public init() {}

  /// Whether the machine left the trial alone.
  public var isUndisturbed: Bool { doubts.isEmpty }
}

/// The rules, all in one place.
extension Validity {
  /// Messages may be sent so late, in microseconds, or this part of the median latency late.
  static let sentLate = (microseconds: 1000.0, part: 0.1)
  /// Threads may wait for a core for this part of the time.
  static let waited = 0.05
  /// Some task of the machine may wait for a core for this part of the time.
  static let pressure = 0.1
  /// The clock may run so differently: as much as a histogram's buckets are wide.
  static let clockDrift = 0.001
  /// A core that is busier than this has no room for what comes together.
  static let busy = 0.85
  /// Latency that rises by more than this factor belongs to a queue that grows.
  static let growth = 1.5

  /// Applies the rules to what was read.
  ///
  /// - Parameter medianLatency: What half of the messages took at most, in microseconds.
  mutating func judge(medianLatency: Double?) {
    let percent = { (part: Double?) in Figures.percent(part) }
    let allowed = max(Validity.sentLate.microseconds, Validity.sentLate.part * (medianLatency ?? 0))
    if let late = sentLateP99, late > allowed {
      doubts.append(
        "one message of a hundred was sent \(Figures.duration(late)) late or more, "
          + "\(Figures.duration(allowed)) is the most")
    }
    for (name, part) in [("the server", serverWaited), ("the clients", .some(clientsWaited))]
    where part ?? 0 > Validity.waited {
      doubts.append(
        "threads of \(name) waited for a core for \(percent(part)) of the time, "
          + "\(percent(Validity.waited)) is the most")
    }
    if let pressure, pressure > Validity.pressure {
      doubts.append(
        "some task waited for a core for \(percent(pressure)) of the time, "
          + "\(percent(Validity.pressure)) is the most")
    }
    if abs(clockDrift) > Validity.clockDrift {
      doubts.append(
        "the clock was adjusted by \(percent(abs(clockDrift))), "
          + "\(percent(Validity.clockDrift)) is the most")
    }
    for (name, part) in [("the server", serverBusy), ("the clients", .some(clientsBusy))]
    where part ?? 0 > Validity.busy {
      limits.append("\(name) used \(percent(part)) of a core: more may not be possible")
    }
    if let growth, growth > Validity.growth {
      limits.append(
        "latency rose all along, at the end it was \(Figures.ratio(growth)) as long: a queue grew")
    }
  }
}

/// A trial that was disturbed, and repeated.
public struct VoidTrial: Sendable, Equatable, Codable {
  /// The name of the scenario.
  public var scenario: String
  /// What was measured, by name.
  public var contender: String
  /// Which repetition it was, from 1.
  public var repetition: Int
  /// When it started, in UTC (ISO 8601).
  public var startedAt: String
  /// What disturbed it, as sentences.
  public var doubts: [String]

  /// The record of a trial that was measured in vain.
  public init(_ measurement: Measurement, _ trial: Trial) {
    scenario = measurement.scenario
    contender = trial.name
    repetition = measurement.repetition
    startedAt = measurement.startedAt
    doubts = measurement.validity.doubts
  }
}
