import Triwire

/// How long clients wait before they come back when a connection is lost.
public struct ReconnectWaits: Sendable, Equatable, Codable {
  /// The most that the first wait takes; the real one is drawn between a fifth of it and all.
  public var first: TimeSpan
  /// The most that any wait takes: each may be twice as long as the one before.
  public var most: TimeSpan

  /// The waits of clients where a scenario does not say: short, so that a trial sees many faults.
  static let usual = ReconnectWaits(first: .milliseconds(20), most: .milliseconds(200))

  /// The client's options with these waits.
  func options(from usual: FallbackOptions) -> FallbackOptions {
    var options = usual
    options.backoffSeconds = first.seconds
    options.backoffLimitSeconds = most.seconds
    return options
  }
}

/// Reads the waits of a scenario file.
struct ReconnectReader {
  let place: Place

  func read() -> ReconnectWaits? {
    guard let fields = place.fields(of: ScenarioSchema.reconnect) else { return nil }
    let least = TimeSpan.milliseconds(1)
    let first: TimeSpan? = fields.required("first", like: "\"500 ms\"")?
      .quantity(like: "500 ms", from: least, to: .seconds(60))
    let most: TimeSpan? = fields.required("most", like: "\"20 s\"")?
      .quantity(like: "20 s", from: least, to: .seconds(300))
    guard let first, let most else { return nil }
    guard first <= most else {
      fields["first"]?.refuse("the first wait is longer than the longest, \(most): write less")
      return nil
    }
    return ReconnectWaits(first: first, most: most)
  }
}

extension ScenarioReader {
  /// Refuses waits where nobody comes back.
  func checkReconnect(_ scenario: Scenario, _ fields: Fields) {
    guard scenario.reconnect != nil, scenario.faults == nil else { return }
    fields["reconnect"]?.refuse(
      "no connection breaks here, so that nobody comes back: write \"faults\" as well, or remove it"
    )
  }
}

extension Comparison {
  /// How long clients wait before they come back, in a sentence; none where nothing breaks.
  static func reconnect(_ scenario: Scenario) -> [String] {
    guard scenario.faults != nil else { return [] }
    let waits = scenario.reconnect ?? .usual
    let further =
      waits.first < waits.most
      ? ", each further one up to twice as long, \(waits.most) at most" : ""
    return [
      "Coming back: a client waits up to \(waits.first) first\(further); the real wait is drawn "
        + "between a fifth of that and all."
    ]
  }
}
