/// What a floor benchmark measured, and its tables.
public struct FloorReport: Sendable {
  private let plan: FloorPlan
  private var samples: [FloorTrial: [FloorSample]] = [:]
  /// How busy the machine was before and after.
  var load: [MachineLoad]
  /// Whether all rounds were measured; somebody stopped the benchmark when not.
  public var isComplete: Bool {
    FloorTrial.all.allSatisfy { samples[$0]?.count == plan.rounds }
  }

  init(_ plan: FloorPlan, load: MachineLoad) {
    self.plan = plan
    self.load = [load]
  }

  mutating func add(_ sample: FloorSample, of trial: FloorTrial) {
    samples[trial, default: []].append(sample)
  }

  /// The tables for a terminal or a pipe.
  ///
  /// - Parameter page: What it is written on.
  /// - Returns: Lines with a line end each.
  package func text(on page: Page) -> String {
    FloorTrial.loads.map { section($0, page) + "\n" }.joined()
      + page.narrowed(to: 95).wrapped(legend)
  }

  private func section(_ load: FloorTrial.Load, _ page: Page) -> String {
    let trials = FloorTrial.all.filter { $0.load == load && samples[$0] != nil }
    guard let floor = trials.first.flatMap({ Row($0, samples) }) else { return "" }
    let rows = trials.compactMap { Row($0, samples) }.map { row in
      [
        row.name, Figures.duration(row.least), Figures.ratio(row.least / floor.least),
        Figures.duration(row.median), Figures.ratio(row.median / floor.median),
        grouped(Int(row.rate.rounded())), "\(Int((row.busy * 100).rounded())) %",
      ]
    }
    let header = ["", "least", "ratio", "median", "ratio", "messages/s", "busy"]
    return page.bold(title(of: load)) + "\n" + page.table(header, rows)
  }

  private func title(of load: FloorTrial.Load) -> String {
    switch load {
    case .echo(let count):
      "Echo, \(grouped(plan.connections)) connections, \(count) in flight on each"
    case .broadcast: "Broadcast, one message to \(grouped(plan.subscribers)) connections"
    }
  }

  private var legend: String {
    let averages = load.map { load in
      load.averages.map { Figures.decimal($0, places: 2) }.joined(separator: " ")
    }
    let cores = Cores.pinning ?? "server and clients share a core"
    return """
      The server's CPU time per round trip, answer or delivery: the least and the median of \
      \(plan.rounds) \(plan.rounds == 1 ? "round" : "rounds"), and the ratio to bare TCP. Messages of \(plan.payload), a closed \
      loop: messages/s is what these clients could ask for, busy how much of a core the server \
      used. \(cores.prefix(1).uppercased() + cores.dropFirst()), load averages \(averages.joined(separator: " before, ")) after: what else \
      runs on the machine raises all figures.
      """
  }
}

/// One line of a table: all rounds of a cell.
private struct Row {
  let name: String
  let least, median, rate, busy: Double

  init?(_ trial: FloorTrial, _ samples: [FloorTrial: [FloorSample]]) {
    guard let samples = samples[trial], let least = samples.map(\.cost).min() else { return nil }
    name = trial.name
    self.least = least
    median = Row.median(samples.map(\.cost))
    rate = Row.median(samples.map(\.rate))
    busy = Row.median(samples.map(\.busy))
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2)
      ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}
