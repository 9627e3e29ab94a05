import Triwire

/// Clients beside those that are measured all the time, who come, get some messages, and go.
///
/// Each opens a session of its own, gets lines at a steady pace for as long as it stays, and then the
/// word that this was all, upon which it closes. None of it counts among the messages of the others.
public struct Visitors: Sendable, Equatable, Codable {
  /// From the coming of one to that of the next.
  public var every: TimeSpan
  /// For how long each gets lines.
  public var stays: TimeSpan
  /// How many lines each gets in a second.
  public var lines: Int
  /// How large a line is.
  public var payload: ByteCount

  /// The most visits of one trial.
  static let most = 100_000

  /// How many lines a visit has, at least one.
  var linesOfVisit: Int { max(1, Int((stays.seconds * Double(lines)).rounded())) }

  /// How many visits begin and end within a time.
  func count(within duration: TimeSpan) -> Int {
    guard stays < duration else { return 0 }
    return Int((duration.nanoseconds - stays.nanoseconds - 1) / max(every.nanoseconds, 1)) + 1
  }
}

/// Reads the visitors of a scenario file.
struct VisitorsReader {
  let place: Place

  func read() -> Visitors? {
    guard let fields = place.fields(of: ScenarioSchema.visitors) else { return nil }
    let every = fields.required("every", like: "\"500 ms\"").flatMap(readDuration)
    let stays = fields.required("stays", like: "\"10 s\"").flatMap(readDuration)
    let lines = fields.required("lines", like: "200")?.whole(from: 1, to: 10_000)
    let payload: ByteCount? = fields.required("payload", like: "\"120 B\"")?
      .quantity(like: "120 B", from: ScenarioLimits.smallestPayload, to: ByteCount(65_536))
    guard let every, let stays, let lines, let payload else { return nil }
    return Visitors(every: every, stays: stays, lines: lines, payload: payload)
  }
}

extension ScenarioReader {
  /// Refuses visitors of whom none would be done, or who are too many.
  func checkVisitors(_ scenario: Scenario, _ fields: Fields, at profile: Place?) {
    guard let visitors = scenario.visitors, let place = profile ?? fields["visitors"] else {
      return
    }
    if visitors.stays >= scenario.duration {
      place.refuse(
        "visitors stay \(visitors.stays) and \(scenario.duration) are measured: write a longer "
          + "duration, or shorter visits")
    }
    let count = visitors.count(within: scenario.duration)
    if count > Visitors.most {
      place.refuse(
        "\(grouped(count)) visits are too many, the limit is \(grouped(Visitors.most)): "
          + "write a longer every")
    }
    if scenario.traffic.isEmpty {
      place.refuse("visitors come while messages flow, write \"traffic\": [ … ] as well")
    }
    if scenario.faults != nil {
      place.refuse("a visitor does not come back when its connection breaks: remove \"faults\"")
    }
  }
}
