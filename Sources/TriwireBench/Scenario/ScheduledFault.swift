public import TriwireFaults

/// How the sessions of a scenario are kept.
public enum SessionKind: String, Sendable, CaseIterable, Codable {
  /// Each by one connection, over the transport that is measured and no other.
  case plain
  /// Exact across connections: who loses one comes back, over another transport if need be.
  case resumable
}

/// Something that a scenario breaks while messages are measured.
public struct ScheduledFault: Sendable, Equatable, Codable {
  /// When it begins, from the start of the measured time.
  public var at: TimeSpan
  /// How long it is in force.
  ///
  /// `nil` strikes what is there at that moment, and nothing that comes.
  public var lasting: TimeSpan?
  /// From one beginning to the next, until the measured time is over; `nil` is once.
  public var every: TimeSpan?
  /// What it does, to whom, and how likely.
  public var rule: FaultRule

  private enum CodingKeys: String, CodingKey {
    case at, lasting = "for", every, rule = "fault"
  }
}

extension Scenario {
  /// Whether something that breaks has to be read along, which TLS does not let a relay do.
  public var hasFaultsOfRequests: Bool { faults?.contains(where: \.rule.isOfRequests) ?? false }
}

extension ScheduledFault {
  /// How often it begins in a measured time of so many nanoseconds.
  func count(within duration: TimeSpan) -> UInt64 {
    guard at < duration else { return 0 }
    // A file that was read is checked, a result that somebody edited is not.
    guard let every, every.nanoseconds > 0 else { return 1 }
    return (duration.nanoseconds - 1 - at.nanoseconds) / every.nanoseconds + 1
  }

  /// All its occurrences in a measured time, which begins so long after the schedule.
  func entries(within duration: TimeSpan, delay: UInt64) -> [FaultSchedule.Entry] {
    (0..<count(within: duration)).map { number in
      let begin = delay + at.nanoseconds + number * (every?.nanoseconds ?? 0)
      return FaultSchedule.Entry(
        at: .nanoseconds(Int64(begin)), for: lasting.map { .nanoseconds(Int64($0.nanoseconds)) },
        rule)
    }
  }

  /// What it is called in a report: `3 s: mute down for 500 ms`.
  var name: String {
    let length = lasting.map { " for \($0)" } ?? ""
    return every.map { "every \($0): \(rule)\(length)" } ?? "\(at): \(rule)\(length)"
  }

  /// When it and what follows from it are over at the latest, counted from the measured time.
  var end: UInt64 { at.nanoseconds + (lasting?.nanoseconds ?? 0) + Self.recovery.nanoseconds }

  /// What the last fault of a scenario is given to be noticed and mended.
  private static let recovery = TimeSpan.seconds(2)
}

/// Reads one fault of a scenario file.
struct FaultReader {
  let place: Place

  func read() -> ScheduledFault? {
    guard let fields = place.fields(of: ScenarioSchema.fault) else { return nil }
    let at = fields.required("at", like: "\"3 s\"").flatMap(readPause)
    let lasting = fields.value("for", default: TimeSpan?.none) { readDuration($0).map { $0 } }
    let every = fields.value("every", default: TimeSpan?.none) { readDuration($0).map { $0 } }
    let rule = fields.required("fault", like: "\"reset on websocket\"").flatMap(readRule)
    guard let at, let lasting, let every, let rule else { return nil }
    if lasting == nil, rule.fault.isOfWhatComes {
      place.refuse(
        "\(rule.fault.name) strikes only what begins while it is there, "
          + "write how long that is: \"for\": \"2 s\"")
      return nil
    }
    if let lasting, let every, lasting >= every {
      fields["for"]?.refuse("\(lasting) is too long, write less than every (\(every))")
      return nil
    }
    return ScheduledFault(at: at, lasting: lasting, every: every, rule: rule)
  }

  private func readRule(_ place: Place) -> FaultRule? {
    guard let text = place.text(like: "\"mute down on sse\"") else { return nil }
    do throws(FaultSpecError) {
      return try FaultRule(parsing: text)
    } catch {
      place.refuse("\(error) (all of it: triwire relay --help)")
      return nil
    }
  }
}

extension ScenarioReader {
  /// The faults and the kind of the sessions, which go together.
  func readFaults(_ fields: Fields) -> (faults: [ScheduledFault]?, sessions: SessionKind)? {
    let faults = fields.value("faults", default: [ScheduledFault]?.none) { place in
      place.list(of: "faults { … }") { FaultReader(place: $0).read() }.map { $0 }
    }
    guard let faults else { return nil }
    let standard: SessionKind = faults == nil ? .plain : .resumable
    guard let sessions = fields.value("sessions", default: standard, { $0.choice() }) else {
      return nil
    }
    if faults != nil, sessions == .plain {
      fields["sessions"]?.refuse(
        "a plain session ends with its connection, which faults break: write \"resumable\", "
          + "or remove this")
      return nil
    }
    return (faults, sessions)
  }

  /// Refuses faults that cannot happen as they stand there.
  func checkFaults(_ scenario: Scenario, _ fields: Fields, at profile: Place?) {
    guard let faults = scenario.faults, let place = fields["faults"] else { return }
    if scenario.traffic.isEmpty {
      place.refuse("there is no traffic that could be lost, write \"traffic\": [ … ] as well")
    }
    if scenario.tls != [.off], let hidden = faults.first(where: \.rule.isOfRequests) {
      fields["tls"]?.refuse(
        "\"\(hidden.rule)\" strikes requests, which TLS hides from the relay: write \"off\" here, or a "
          + "fault of connections there, such as \"reset\"")
    }
    for (index, fault) in faults.enumerated() where fault.at >= scenario.duration {
      guard case .array(let nodes) = place.node.value, index < nodes.count else { continue }
      let own = Place(node: nodes[index], path: "\(place.path)[\(index)]", problems: place.problems)
      (profile ?? own).refuse(
        "faults[\(index)] begins after \(fault.at) and \(scenario.duration) are measured: "
          + "write an earlier time or a longer duration")
    }
    let count = faults.reduce(0) { $0 + $1.count(within: scenario.duration) }
    if count > ScenarioLimits.faults {
      (profile ?? place).refuse(
        "\(grouped(count)) faults are too many, the limit is \(grouped(ScenarioLimits.faults)): "
          + "write a longer every or a shorter duration")
    }
  }
}
