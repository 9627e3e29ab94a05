import Triwire

/// What so many users would take of a transport, if each took what one took here.
struct Budget {
  /// A figure with the interval that holds it with 95 % confidence, where the runs bear one.
  struct Amount: Equatable {
    let value: Double
    let range: (low: Double, high: Double)?

    static func == (one: Amount, other: Amount) -> Bool {
      one.value == other.value && one.range?.low == other.range?.low
        && one.range?.high == other.range?.high
    }

    /// The mean of some runs, with its interval from three runs on; `nil` of no run.
    init?(_ values: [Double]) {
      guard !values.isEmpty else { return nil }
      value = values.reduce(0, +) / Double(values.count)
      range = MeanInterval(values, seed: 1).map { (max(0, $0.low), $0.high) }
    }

    init(_ growth: Growth, times users: Double) {
      value = growth.value * users
      range = (max(0, growth.low * users), growth.high * users)
    }

    /// The figure, and its interval in brackets.
    func text(_ unit: (Double) -> String) -> String {
      unit(value) + (range.map { " (\(unit($0.low)) to \(unit($0.high)))" } ?? "")
    }
  }

  let pool: Pool
  /// Bytes of the server's private memory.
  let memory: Amount?
  /// Bits per second from clients to server, in IP packets.
  let up: Amount?
  /// Bits per second from server to clients, in IP packets.
  let down: Amount?
  /// Cores of the server's machine that are busy all the time.
  let cores: Amount?

  /// What a contender of a scenario took, times so many users; `nil` where nothing is known.
  init?(_ pool: Pool, of scenario: Scenario, users: Int) {
    guard scenario.search == nil, pool.contender.poll == nil else { return nil }
    self.pool = pool
    let times = Double(users)
    memory = pool.memoryGrowth.map { Amount($0, times: times) }
    let whole = pool.trials.filter(\.failures.isEmpty)
    let isIdle = scenario.idle != nil || scenario.traffic.isEmpty
    let seconds = scenario.duration.seconds * Double(scenario.clients)
    // Where clients idle, what they take is what keeps them there.
    func bits(
      _ layers: KeyPath<ByteLedger, ByteLayers>, _ beat: KeyPath<HeartbeatMeasurement, Double>
    ) -> Amount? {
      guard !isIdle else {
        return Amount(
          whole.compactMap(\.heartbeat).map {
            $0[keyPath: beat] * $0.perHour / 3600 * 8 * times
          })
      }
      return Amount(
        whole.compactMap(\.bytes).filter { $0.messages > 0 }.map {
          Double($0[keyPath: layers].wire) / seconds * 8 * times
        })
    }
    up = bits(\.up, \.wireBytesUp)
    down = bits(\.down, \.wireBytesDown)
    // Idle clients cost CPU with each heartbeat, which comes too seldom to be seen here.
    cores =
      isIdle
      ? nil
      : Amount(
        whole.filter { $0.cpu.wallMicroseconds > 0 && $0.delivery.delivered > 0 }.compactMap {
          $0.cpu.serverMicroseconds.map { $0 / 1e6 / seconds * times }
        })
    guard memory != nil || up != nil || down != nil || cores != nil else { return nil }
  }

  /// All amounts, as cells of a table.
  var cells: [String] {
    [
      memory?.text { Figures.bytes($0) }, up?.text(Figures.bits), down?.text(Figures.bits),
      cores?.text(Figures.cores),
    ].map { $0 ?? Figures.none }
  }

  static let heads = ["memory", "up", "down", "cores"]

  /// The amounts in a few words: `websocket 117 MB, 5.44 Mbit/s, 0.5 cores`.
  var line: String {
    let traffic = up.flatMap { up in down.map { Figures.bits(up.value + $0.value) } }
    let parts = [
      memory.map { Figures.bytes($0.value) }, traffic,
      cores.map { "\(Figures.cores($0.value)) cores" },
    ]
    return "\(pool.name) \(parts.compactMap { $0 }.joined(separator: ", "))"
  }

  /// What the figures take for granted, in sentences.
  static let assumption =
    "Computed from what was measured, times the number of users: all grows in proportion, on machines "
    + "like this one, with cores as fast; further users come in further groups of the same size, and "
    + "each does what a client did here. Memory is the server's private memory, without the kernel's; "
    + "up and down are IP packets, of messages, or of heartbeats where clients idle; cores are those "
    + "of the server's process. In brackets is the interval that holds the true figure with 95 % "
    + "confidence: memory's from how far readings lie off their line, or from three runs on, as all "
    + "others, from how runs scatter. What was not measured is left out."
}

extension Report {
  /// For how many users the report computes what they take, unless it says.
  public static let usualBudgetUsers = 50_000
  /// The most users to compute for.
  public static let mostBudgetUsers = 1_000_000_000

  var users: Int { min(max(1, budgetUsers ?? Report.usualBudgetUsers), Report.mostBudgetUsers) }

  /// What so many users of each scenario take of each contender, as far as it was measured.
  func budgets(of comparison: Comparison) -> [Budget] {
    comparison.pools.compactMap { Budget($0, of: comparison.scenario, users: users) }
  }

  /// The budgets of a scenario in one sentence; `nil` without any.
  func budgetLine(of comparison: Comparison) -> String? {
    let budgets = budgets(of: comparison)
    guard !budgets.isEmpty else { return nil }
    return "\(grouped(users)) users would take: "
      + budgets.map(\.line).joined(separator: "; ") + "."
  }
}

extension Figures {
  /// A rate of bits: `5.44 Mbit/s`.
  static func bits(_ perSecond: Double) -> String {
    switch perSecond {
    case ..<999.5: "\(decimal(perSecond, places: 0)) bit/s"
    case ..<999_500: "\(digits(perSecond / 1000)) kbit/s"
    case ..<999_500_000: "\(digits(perSecond / 1e6)) Mbit/s"
    default: "\(digits(perSecond / 1e9)) Gbit/s"
    }
  }

  /// A number of cores: `0.05`, `12.3`.
  static func cores(_ number: Double) -> String { digits(number) }
}
