import Triwire

/// One probe of a search: what a server did under some load.
public struct CapacityProbe: Sendable, Equatable, Codable {
  /// What came of a probe.
  public enum Outcome: String, Sendable, CaseIterable, Codable {
    /// The objective held.
    case held
    /// Latency was beyond the objective, and nothing grew or was lost.
    case late
    /// Messages were undelivered, a queue or latency grew: more than the server can do.
    case saturated
    /// The objective did not hold, and the clients were at their own limit: no figure of the server.
    case clientLimited = "client-limited"
    /// The objective did not hold while the machine was busy otherwise.
    case disturbed
    /// Nothing could be measured.
    case failed
  }

  /// The load: messages that all senders send per second, or clients.
  public var level: Double
  /// What came of it.
  public var outcome: Outcome
  /// Why it did not hold, as sentences; empty when it did.
  public var reasons: [String]
  /// Messages that arrived per second, a broadcast counted once for each receiver.
  public var deliveredPerSecond: Double
  /// How many messages had to arrive.
  public var expected: UInt64
  /// How many did not.
  public var lost: UInt64
  /// Half of the messages took no longer, in microseconds; `nil` with too few of them.
  public var p50: Double?
  /// 99 % of the messages took no longer, in microseconds; `nil` with too few of them.
  public var p99: Double?
  /// The longest took, in microseconds; `nil` without any.
  public var maximum: Double?
  /// How late 99 % of the messages were sent at most, in microseconds; `nil` with too few of them.
  public var sentLateP99: Double?
  /// Part of one core that the server used; `nil` is not measured.
  public var serverBusy: Double?
  /// Part of one core that the clients used.
  public var clientsBusy: Double
  /// CPU time of the server per message that arrived, in microseconds; `nil` without any.
  public var serverCPUPerMessage: Double?
  /// How many messages were due and had not arrived, after each quarter of the time.
  public var waiting: [UInt64]
  /// Whether it was disturbed, and probed again for that; `nil` is not.
  public var isVoid: Bool?

  /// Whether it belongs to the path of the search.
  var counts: Bool { isVoid != true }

  /// What the search needs to know of it.
  var step: SearchPath.Step { SearchPath.Step(level: level, held: outcome == .held) }
}

extension CapacityProbe {
  /// What was measured under a load, and what it says.
  init(
    _ measurement: Measurement, at level: Double, of search: CapacitySearch,
    over duration: TimeSpan, _ backlog: Backlog
  ) {
    let latency = measurement.latencyMicroseconds.histogram
    let validity = measurement.validity
    let microseconds = { (time: UInt64?) in time.map { Double($0) / 1000 } }
    let arrived =
      measurement.bytes?.messages ?? latency.count - min(latency.count, measurement.delivery.lost)
    self.level = level
    (outcome, reasons) = (.held, [])
    deliveredPerSecond = Double(arrived) / max(duration.seconds, 1e-9)
    expected = measurement.delivery.expected
    lost = measurement.delivery.lost
    p50 = microseconds(latency.soundPercentile(50))
    p99 = microseconds(latency.soundPercentile(99))
    maximum = latency.count > 0 ? Double(latency.maximum) / 1000 : nil
    sentLateP99 = validity.sentLateP99
    (serverBusy, clientsBusy) = (validity.serverBusy, validity.clientsBusy)
    serverCPUPerMessage =
      arrived > 0 ? measurement.cpu.serverMicroseconds.map { $0 / Double(arrived) } : nil
    waiting = backlog.waiting
    judge(measurement, search, backlog)
  }

  /// Says whether the objective held, and what stood against it.
  private mutating func judge(
    _ measurement: Measurement, _ search: CapacitySearch, _ backlog: Backlog
  ) {
    let undelivered = expected > 0 ? Double(lost) / Double(expected) : 0
    let isLost = undelivered > search.slo.undelivered ?? 0
    // What is still under way after the drain makes counts of bytes differ as well.
    let others = lost > 0 ? [] : measurement.failures
    guard others.isEmpty, expected > 0 else {
      outcome = .failed
      reasons = others.isEmpty ? ["no message was due, measure longer"] : others
      return
    }
    let saturation = [
      isLost ? "\(Figures.percent(undelivered)) of the messages had not arrived" : nil,
      measurement.validity.growth.flatMap { growth in
        growth > Validity.growth ? "latency rose all along, \(Figures.ratio(growth))" : nil
      },
      backlog.growth.map { "\(grouped($0)) more messages waited at the end than half-way" },
    ].compactMap { $0 }
    let late = [
      exceeding(search.slo.p50, p50, "p50"), exceeding(search.slo.p99, p99, "p99"),
    ].compactMap { $0 }
    reasons = saturation + late
    guard !reasons.isEmpty else { return }
    if clientsBusy > Validity.busy, clientsBusy >= serverBusy ?? 0 {
      outcome = .clientLimited
      reasons.append("the clients used \(Figures.percent(clientsBusy)) of a core")
    } else if let doubt = disturbance(measurement.validity) {
      outcome = .disturbed
      reasons.append(doubt)
    } else {
      outcome = saturation.isEmpty ? .late : .saturated
    }
  }

  /// Why a percentile does not hold; one that too few messages bear holds if all of them do.
  private func exceeding(_ limit: TimeSpan?, _ figure: Double?, _ name: String) -> String? {
    guard let limit, let value = figure ?? maximum, value > limit.seconds * 1e6 else { return nil }
    return figure == nil
      ? "too few messages for \(name), and the longest took \(Figures.duration(value))"
      : "\(name) was \(Figures.duration(value))"
  }

  /// What the machine did to a probe that nobody's load explains.
  private func disturbance(_ validity: Validity) -> String? {
    let isBusy = max(serverBusy ?? 0, clientsBusy) > Validity.busy
    let isDisturbed =
      max(validity.serverWaited ?? 0, validity.clientsWaited) > Validity.waited
      || validity.pressure ?? 0 > Validity.pressure
      || abs(validity.clockDrift) > Validity.clockDrift
    // Who has no time to send is at a limit of its own.
    guard isDisturbed || !isBusy else { return nil }
    return validity.doubts.first
  }
}

/// How many messages were due and had not arrived, after each quarter of what is measured.
struct Backlog: Equatable {
  /// How many waited.
  private(set) var waiting: [UInt64] = []
  /// How many had been due until then.
  private var due: [UInt64] = []

  /// By which part of what came in the meantime a queue may grow: less may be a burst.
  static let tolerance = 0.05
  /// So few messages may wait for any reason.
  static let few: UInt64 = 20

  mutating func add(due: UInt64, arrived: UInt64) {
    self.due.append(due)
    waiting.append(due - min(due, arrived))
  }

  /// By how much it grew over the second half, where it grew in both quarters of it and by more than
  /// a burst would explain.
  var growth: UInt64? {
    guard waiting.count == 4, waiting[1] < waiting[2], waiting[2] < waiting[3] else { return nil }
    let grown = waiting[3] - waiting[1]
    let isMuch = Double(grown) > Backlog.tolerance * Double(due[3] - due[1])
    return isMuch && grown > Backlog.few ? grown : nil
  }
}

/// How many messages a plan has due until when, in steps.
struct DueMessages {
  private static let step: UInt64 = 10_000_000
  private let counts: [UInt64]

  init(_ plan: SendPlan, of scenario: Scenario) {
    var counts = [UInt64](repeating: 0, count: Int(plan.end / DueMessages.step) + 2)
    let members = (0..<scenario.groups).map { group in
      // Client `n` is in group `n % groups`.
      (scenario.clients - group + scenario.groups - 1) / scenario.groups
    }
    for send in plan.fromClients + plan.fromServer {
      let flow = scenario.traffic[Int(send.flow)]
      let reached =
        switch (flow.direction, flow.from) {
        case (.broadcast, .server): members[Int(send.sender)]
        case (.broadcast, .clients): members[Int(send.sender) % scenario.groups] - 1
        default: 1
        }
      counts[min(Int(send.at / DueMessages.step) + 1, counts.count - 1)] += UInt64(reached)
    }
    for index in counts.indices.dropFirst() { counts[index] += counts[index - 1] }
    self.counts = counts
  }

  /// How many were due before a time of the plan, up to 10 ms earlier.
  func count(before time: UInt64) -> UInt64 {
    counts[min(Int(time / DueMessages.step), counts.count - 1)]
  }
}
