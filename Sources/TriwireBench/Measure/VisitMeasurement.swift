/// What visits cost: sessions that are opened for a while.
public struct VisitMeasurement: Sendable, Equatable, Codable {
  /// How many there were.
  public var visits: UInt64 = 0
  /// Lines that came.
  public var lines: UInt64 = 0
  /// From the start of connecting to the first line.
  public var firstLineMicroseconds = Durations()
  /// From the moment the last line was due to the moment the client knew that it was the last.
  public var completionMicroseconds = Durations()
  /// Bytes of the lines.
  public var payload: UInt64 = 0
  /// Bytes that the sessions' sockets moved in both directions, TLS included, TCP and IP not.
  public var socket: UInt64 = 0
  /// What went wrong, as sentences.
  var failures: [String] = []
}

extension Comparison {
  /// What visits cost, a line each; none without any.
  static func visits(of pools: [Pool]) -> [Line] {
    let all = pools.map { $0.trials.compactMap(\.visits) }
    guard all.contains(where: { !$0.isEmpty }) else { return [] }
    func times(_ name: String, _ part: KeyPath<VisitMeasurement, Durations>) -> [Line] {
      let merged = all.map { visits in
        visits.reduce(into: Histogram()) { $0.merge($1[keyPath: part].histogram) }
      }
      return [("p50", 50.0), ("p99", 99)].map { title, percent in
        Line(
          metric: "\(name) \(title)",
          cells: merged.map {
            Figures.duration($0.soundPercentile(percent).map { Double($0) / 1000 })
          })
      }
    }
    let overhead = Line(
      metric: "overhead of visits",
      cells: all.map { visits in
        let payload = visits.reduce(0) { $0 + Double($1.payload) }
        let moved = visits.reduce(0) { $0 + Double($1.socket) }
        return payload > 0 ? Figures.percent(moved / payload - 1) : Figures.none
      })
    let count = Line(
      metric: "visits", cells: all.map { grouped($0.reduce(0) { $0 + $1.visits }) })
    return [count] + times("time to first line", \.firstLineMicroseconds)
      + times("completion lag", \.completionMicroseconds) + [overhead]
  }

  /// Who comes and goes, in a sentence; none where nobody does.
  static func visitors(_ scenario: Scenario) -> [String] {
    guard let visitors = scenario.visitors else { return [] }
    return [
      "Every \(visitors.every) a visitor comes, gets \(grouped(visitors.lines)) lines of "
        + "\(visitors.payload) a second for \(visitors.stays), and goes; a line's overhead is what the "
        + "session's sockets moved beyond it, opening and TLS included, TCP and IP not."
    ]
  }
}
