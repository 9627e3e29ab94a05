import Testing
import Triwire

@testable import TriwireBench

@Suite("Floor report")
struct FloorReportTests {
  @Test("Each row has the least and the median of all rounds, and its ratios to bare TCP")
  func rows() {
    var report = FloorReport(FloorPlan(), load: .current)
    for (trial, costs) in [
      (FloorTrial(carrier: .bareTCP, load: .broadcast), [2.0, 1.5, 4]),
      (FloorTrial(carrier: .synchronous(.webSocket), load: .broadcast), [3.0, 4, 3]),
    ] {
      for cost in costs { report.add(sample(cost), of: trial) }
    }
    #expect(!report.isComplete)
    #expect(
      report.text(on: Page()).contains(
        """
        Broadcast, one message to 1,000 connections
                       least  ratio   median  ratio  messages/s  busy
          bare TCP   1.50 µs  1.00×  2.00 µs  1.00×     100,000  20 %
          websocket  3.00 µs  2.00×  3.00 µs  1.50×     100,000  30 %
        """))
  }

  @Test("A ratio to nothing is none")
  func nothing() {
    var report = FloorReport(FloorPlan(), load: .current)
    for carrier in [FloorTrial.Carrier.bareTCP, .synchronous(.webSocket)] {
      report.add(sample(0), of: FloorTrial(carrier: carrier, load: .broadcast))
    }
    #expect(report.text(on: Page()).contains(/bare TCP +0.00 µs +– +0.00 µs +–/))
  }

  @Test("Every other round runs backwards, and each has all cells with the floor of every load")
  func order() {
    let plan = FloorPlan()
    #expect(plan.trials(of: 0) == FloorTrial.all)
    #expect(plan.trials(of: 1) == FloorTrial.all.reversed())
    let floors = FloorTrial.all.filter { $0.carrier == .bareTCP }
    #expect(floors.map(\.load) == FloorTrial.loads)
    #expect(Set(FloorTrial.all).count == FloorTrial.all.count)
  }

  /// A window of 10 ms with a message every 10 µs, each of which took so many microseconds.
  private func sample(_ cost: Double) -> FloorSample {
    FloorSample(messages: 1000, nanoseconds: 10_000_000, work: UInt64(cost * 1_000_000))
  }
}
