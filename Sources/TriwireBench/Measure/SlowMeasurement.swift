import Triwire

/// What became of clients that read too slowly.
public struct SlowMeasurement: Sendable, Equatable, Codable {
  /// How many there were.
  public var clients: UInt64 = 0
  /// How many messages the server had for them, those of the warm-up included.
  public var offered: UInt64 = 0
  /// How many of them they read.
  public var read: UInt64 = 0
  /// How many the server dropped since they were behind.
  public var dropped: UInt64 = 0
  /// How many of their sessions the server closed.
  public var closed: UInt64 = 0
  /// By how many bytes the server's own pages (`Anonymous`) grew while messages flowed; less than
  /// nothing where it gave some back.
  public var memoryGrowth: Int64 = 0
}

/// What the server's side of slow clients has counted.
struct SlowServed: Codable, Sendable {
  var offered: UInt64 = 0
  var dropped: UInt64 = 0
  var closed: UInt64 = 0

  /// Adds what happened to one session.
  mutating func add(_ counters: SlowConsumerCounters) {
    dropped += counters.droppedOldest + counters.droppedNewest + counters.replaced
    closed += counters.closed
  }
}

extension Comparison {
  /// What became of slow clients, a line each; none without any.
  static func slow(of pools: [Pool]) -> [Line] {
    guard pools.contains(where: { $0.trials.contains { $0.slow != nil } }) else { return [] }
    func sum(_ metric: String, _ part: KeyPath<SlowMeasurement, UInt64>) -> Line {
      Line(
        metric: metric,
        cells: pools.map { pool in
          grouped(pool.trials.reduce(0) { $0 + ($1.slow?[keyPath: part] ?? 0) })
        })
    }
    let growth = Line(
      metric: "server memory grew by",
      cells: pools.map { pool in
        let all = pool.trials.compactMap(\.slow)
        guard !all.isEmpty else { return Figures.none }
        return Figures.bytes(
          all.reduce(0) { $0 + Double($1.memoryGrowth) } / Double(all.count))
      })
    return [
      sum("for slow clients", \.offered), sum("of it read", \.read),
      sum("of it dropped", \.dropped), sum("slow clients cut off", \.closed), growth,
    ]
  }

  /// Who reads slowly, in a sentence; none where nobody does.
  static func slowReaders(_ scenario: Scenario) -> [String] {
    guard let slow = scenario.slow else { return [] }
    return [
      "Beside the clients that are measured, \(grouped(slow.clients)) read \(slow.reads) a second each "
        + "with a receive buffer of \(slow.receiveBuffer); the server's policy is "
        + "\(slow.policy.rawValue) beyond \(slow.queue). What they cost the server is in its CPU "
        + "time; their bytes are not in the ledger."
    ]
  }
}
