/// Rates and sizes that a scenario of one flow is repeated with, each with each.
struct Sweep: Sendable, Equatable {
  let rates: [Rate]?
  let payloads: [ByteCount]?

  /// The most points there are, as each is a scenario of its own.
  static let most = 30

  var count: Int { (rates?.count ?? 1) * (payloads?.count ?? 1) }

  /// The scenario at each point, named for it.
  func points(of scenario: Scenario) -> [Scenario] {
    let rates = rates.map { $0.map(Optional.some) } ?? [nil]
    let payloads = payloads.map { $0.map(Optional.some) } ?? [nil]
    return rates.flatMap { rate in
      payloads.map { payload in
        var point = scenario
        if let rate { point.traffic[0].rate = rate }
        if let payload { point.traffic[0].payload = .fixed(payload) }
        let words = [rate.map { "\($0)" }, payload.map { "\($0)" }].compactMap { $0 }
        point.name = ([scenario.name] + words.map(Sweep.token)).joined(separator: "-")
        point.description =
          ([scenario.description] + [words.joined(separator: ", ")]).filter { !$0.isEmpty }
          .joined(separator: ": ")
        return point
      }
    }
  }

  /// A quantity as a part of a name: `10s` of 10/s per client, `1kb` of 1 KB.
  private static func token(_ words: String) -> String {
    let first = words.contains("/") ? String(words.prefix { $0 != " " }) : words
    return first.lowercased().replacing(".", with: "-")
      .filter { $0.isNumber || $0.isLetter || $0 == "-" }
  }
}

/// Reads the sweep of a scenario file.
struct SweepReader {
  let place: Place

  func read() -> Sweep? {
    guard let fields = place.fields(of: ScenarioSchema.sweep) else { return nil }
    let rates = fields.value("rate", default: [Rate]?.none) { place in
      place.list(of: "rates") { $0.quantity(like: "10/s per client") as Rate? }.map { $0 }
    }
    let payloads = fields.value("payload", default: [ByteCount]?.none) { place in
      place.list(of: "sizes") {
        $0.quantity(
          like: "64 B", from: ScenarioLimits.smallestPayload, to: ScenarioLimits.largestPayload)
          as ByteCount?
      }.map { $0 }
    }
    guard let rates, let payloads else { return nil }
    let sweep = Sweep(rates: rates, payloads: payloads)
    guard rates != nil || payloads != nil else {
      place.refuse("there is nothing to go through, write \"rate\": [ … ] or \"payload\": [ … ]")
      return nil
    }
    guard (rates?.count ?? 2) >= 2, (payloads?.count ?? 2) >= 2 else {
      place.refuse("one value is no sweep, write two at least")
      return nil
    }
    guard sweep.count <= Sweep.most else {
      place.refuse("\(sweep.count) points are too many, write up to \(Sweep.most)")
      return nil
    }
    return sweep
  }
}

extension ScenarioReader {
  /// Refuses a sweep of what has no one flow, and points that no trial can account for.
  func checkSweep(_ sweep: Sweep?, _ scenario: Scenario, _ fields: Fields) {
    guard let sweep, let place = fields["sweep"] else { return }
    guard scenario.traffic.count == 1 else {
      place.refuse(
        "a sweep goes through the rates and sizes of one flow, and there are "
          + "\(scenario.traffic.count): write one, or no sweep")
      return
    }
    if scenario.search != nil {
      place.refuse("a search varies the load itself, remove this or \"search\"")
    }
    let points = sweep.points(of: scenario)
    for point in points {
      check(point.traffic[0], of: point, at: place)
      checkLoad(point, at: place, "at \(point.name) ")
    }
    if Set(points.map(\.name)).count < points.count {
      place.refuse("two points are the same, remove one")
    }
  }
}
