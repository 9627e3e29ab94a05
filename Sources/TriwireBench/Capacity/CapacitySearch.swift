import Triwire

/// What a scenario searches for: the highest rate, or the largest number of clients, that holds an
/// objective.
///
/// The search begins with the scenario as its file says, doubles until something does not hold (or
/// halves until something does), and bisects in between.
public struct CapacitySearch: Sendable, Equatable, Codable {
  /// What the search makes more or less of.
  public enum Varied: String, Sendable, CaseIterable, Codable {
    /// Messages that all senders send together, per second; flows keep their shares.
    case rate
    /// How many clients are connected; what each of them sends or gets stays.
    case clients
  }

  /// What has to hold.
  public struct Objective: Sendable, Equatable, Codable {
    /// How long half of the messages may take at most; `nil` is not asked for.
    public var p50: TimeSpan?
    /// How long 99 % of the messages may take at most; `nil` is not asked for.
    public var p99: TimeSpan?
    /// Which part of the messages may not have arrived at the end; `nil` is none of them.
    public var undelivered: Double?
  }

  /// What is varied.
  public var vary: Varied
  /// The most to try.
  public var to: Double
  /// What has to hold.
  public var slo: Objective
  /// By which part the least that does not hold may lie above the most that does.
  public var precision: Double
  /// How many probes there may be for one result.
  public var probes: Int

  /// The bounds of what a file may ask for.
  enum Limits {
    /// How fine a search may be: finer than trials can tell.
    static let precision = (least: 0.01, most: 1.0)
    /// Each takes as long as a trial.
    static let probes = (least: 3, most: 60)
    /// Messages per second to search up to.
    static let rate = 1_000_000.0
    /// How far below the scenario's own load the search goes, as a factor.
    static let descent = 1024.0
    /// Messages that have to be due in a probe, about.
    static let fewestMessages = 20.0
  }
}

extension Scenario {
  /// Messages that all senders send together per second, bursts apart.
  var messagesPerSecond: Double {
    traffic.reduce(0) { sum, flow in
      let senders = senders(of: flow)
      return sum + senders.perSecond * Double(senders.count)
    }
  }

  /// What the search varies, as the scenario itself has it.
  func load(of search: CapacitySearch) -> Double {
    switch search.vary {
    case .rate: messagesPerSecond
    case .clients: Double(clients)
    }
  }

  /// The least number of clients with which all flows have somebody to reach.
  fileprivate var fewestClients: Int {
    traffic.contains { $0.direction == .broadcast && $0.from == .clients } ? 2 * groups : groups
  }

  /// The least that a search may try.
  func leastLoad(of search: CapacitySearch) -> Double {
    let start = load(of: search)
    let least = start / CapacitySearch.Limits.descent
    switch search.vary {
    case .clients: return max(least.rounded(.up), Double(fewestClients))
    case .rate:
      let fewest = CapacitySearch.Limits.fewestMessages / max(duration.seconds, 1e-9)
      return min(start, max(least, fewest))
    }
  }

  /// The scenario with another load, as one that searches for nothing.
  func loaded(_ search: CapacitySearch, to level: Double) -> Scenario {
    var result = self
    result.search = nil
    switch search.vary {
    case .clients: result.clients = Int(level)
    case .rate:
      let factor = level / messagesPerSecond
      for index in traffic.indices {
        let rate = traffic[index].rate
        result.traffic[index].rate = Rate(rate.count * factor, per: rate.unit, rate.scope)
      }
    }
    return result
  }
}

extension CapacitySearch {
  /// A load in words: `10,000 messages/s`, `400 clients`.
  func text(_ level: Double) -> String {
    let digits = vary == .rate && level < 99.5 ? 1 : 0
    return "\(Figures.decimal(level, places: digits)) \(vary == .rate ? "messages/s" : "clients")"
  }

  /// The objective in words: `p99 up to 100 ms, nothing undelivered`.
  var objective: String {
    let times = [("p50", slo.p50), ("p99", slo.p99)].compactMap { name, time in
      time.map { "\(name) up to \($0)" }
    }
    let lost =
      slo.undelivered.map { "up to \(Figures.percent($0)) undelivered" } ?? "nothing undelivered"
    return (times + [lost]).joined(separator: ", ")
  }
}

/// Reads what a scenario file says of a search.
struct CapacityReader {
  let place: Place

  func read() -> CapacitySearch? {
    guard let fields = place.fields(of: ScenarioSchema.search) else { return nil }
    let vary: CapacitySearch.Varied? = fields.required("vary", like: "\"rate\"")?.choice()
    let to = fields.required("to", like: "100000")?.number(
      above: 0, to: CapacitySearch.Limits.rate)
    let slo = fields.required("slo", like: "{ \"p99\": \"100 ms\" }").flatMap(readObjective)
    let limits = CapacitySearch.Limits.self
    let precision = fields.value("precision", default: 0.1) {
      $0.number(above: 0, to: limits.precision.most)
    }
    let probes = fields.value("probes", default: 24) {
      $0.whole(from: limits.probes.least, to: limits.probes.most)
    }
    guard let vary, let to, let slo, let precision, let probes else { return nil }
    guard precision >= limits.precision.least else {
      fields["precision"]?.refuse(
        "\(plain(precision)) is finer than trials can tell, write "
          + "\(plain(limits.precision.least)) to \(plain(limits.precision.most))")
      return nil
    }
    if vary == .clients, to != to.rounded() {
      fields["to"]?.refuse("\(plain(to)) is no number of clients, write a whole number")
      return nil
    }
    return CapacitySearch(vary: vary, to: to, slo: slo, precision: precision, probes: probes)
  }

  private func readObjective(_ place: Place) -> CapacitySearch.Objective? {
    guard let fields = place.fields(of: ScenarioSchema.objective) else { return nil }
    let p50 = fields.value("p50", default: TimeSpan?.none) { readDuration($0).map { $0 } }
    let p99 = fields.value("p99", default: TimeSpan?.none) { readDuration($0).map { $0 } }
    let lost = fields.value("undelivered", default: Double?.none) {
      $0.number(above: 0, to: 0.5).map { $0 }
    }
    guard let p50, let p99, let lost else { return nil }
    guard p50 != nil || p99 != nil else {
      place.refuse("say how long messages may take: \"p99\": \"100 ms\", or \"p50\"")
      return nil
    }
    return CapacitySearch.Objective(p50: p50, p99: p99, undelivered: lost)
  }
}

extension ScenarioReader {
  /// Notes what does not go together with a search; the limits of a trial hold at its end as well.
  func checkSearch(_ scenario: Scenario, _ fields: Fields, at profile: Place?) {
    guard let search = scenario.search, let place = fields["search"] else { return }
    for key in ["idle", "faults", "thresholds"] where fields[key] != nil {
      fields[key]?.refuse("this does not go with \"search\", remove one of them")
    }
    guard !scenario.traffic.isEmpty, scenario.idle == nil else { return }
    let start = scenario.load(of: search)
    guard search.to > start else {
      (profile ?? place).refuse(
        "the search begins with what the scenario says, \(search.text(start)), and goes up to "
          + "\(search.text(search.to)): write a larger \"to\"")
      return
    }
    guard search.vary == .rate || search.to <= Double(ScenarioLimits.clients) else {
      place.refuse(
        "\(search.text(search.to)) are too many, write up to \(grouped(ScenarioLimits.clients))")
      return
    }
    checkLoad(
      scenario.loaded(search, to: search.to), at: profile ?? place,
      "at the end of the search, \(search.text(search.to)): ")
  }
}
