import Testing
import Triwire

@testable import TriwireBench

@Suite("Sweeps and their curves")
struct SweepTests {
  private func file(_ sweep: String) throws -> ScenarioFile {
    try load(
      """
      {"name": "s", "description": "a sample", "clients": 4, "sweep": \(sweep),
       "traffic": [{"direction": "down", "rate": "10/s per client", "payload": "64 B"}]}
      """)
  }

  @Test("A sweep is a scenario for each rate with each size, named and described for it")
  func points() throws {
    let file = try file(
      #"{"rate": ["0.5/s per client", "6/min in all"], "payload": ["64 B", "2 KB"]}"#)
    let plan = Plan([file], choosing: .init(transports: [.webSocket], repetitions: 1))
    #expect(
      plan.scenarios.map(\.name) == [
        "s-0-5s-64b", "s-0-5s-2kb", "s-6min-64b", "s-6min-2kb",
      ])
    #expect(plan.scenarios[1].description == "a sample: 0.5/s per client, 2 KB")
    #expect(plan.scenarios[2].traffic[0].rate.perSecond == 0.1)
    #expect(plan.trials.count == 4)
    #expect(try self.file(#"{"payload": ["64 B", "1 KB"]}"#).scenarios().count == 2)
  }

  @Test(
    "A sweep that is none is refused, with what to write instead",
    arguments: [
      ("{}", "there is nothing to go through, write \"rate\": [ … ] or \"payload\": [ … ]"),
      (#"{"rate": ["1/s in all"]}"#, "one value is no sweep, write two at least"),
      (#"{"payload": ["64 B", "64 B"]}"#, "two points are the same, remove one"),
      (#"{"payload": ["64 B", "2 MiB"]}"#, "2 MiB is out of range"),
      (
        #"{"rate": ["1/s in all", "100000000/s in all"]}"#,
        "at s-100000000s about 3,500,000,000 messages to send are too many"
      ),
    ])
  func refusals(sweep: String, message: String) throws {
    let error = #expect(throws: ScenarioError.self) { try file(sweep) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }

  @Test("Scenarios that differ in rate and payload alone are a family, others are not")
  func families() throws {
    let report = try Sample(
      repetitions: 1,
      files: [
        try file(#"{"rate": ["1/s per client", "10/s per client"], "payload": ["64 B", "1 KB"]}"#),
        try load(
          """
          {"name": "other", "clients": 5,
           "traffic": [{"direction": "down", "rate": "10/s per client", "payload": "64 B"}]}
          """),
      ]
    ).report()
    let families = SweepFamily.all(report.scenarios.map { Comparison($0, in: report) })
    #expect(families.map(\.name) == ["s"])
    #expect(families.first?.rates == [1, 10] && families.first?.payloads == [64, 1000])
    let page = report.html
    #expect(page.contains("<h2>Curves: s</h2>"))
    #expect(page.contains("Who takes least, by rate and size"))
    // Without a round trip there is no theory to stand beside.
    #expect(!page.contains("Latency of long polls by messages in a round trip"))
  }

  @Test("Where lines of bytes cross, the table says from how many messages on")
  func crossing() throws {
    var report = try Sample(repetitions: 1, transports: [.webSocket, .serverSentEvents]).report()
    for index in report.trials.indices {
      let isSocket = report.trials[index].transport == .webSocket
      report.trials[index].connection?.wireBytesUp = isSocket ? 1000 : 500
      report.trials[index].bytes?.down = ByteLayers(
        payload: 64_000, socket: isSocket ? 64_000 : 69_000)
      report.trials[index].bytes?.up = ByteLayers()
    }
    // 500 bytes more at first, 5 less with each message.
    #expect(
      report.html.contains("sse takes fewer up to 100 messages, websocket beyond"))
  }

  @Test("The curve of recovery counts those who never came back")
  func recovery() throws {
    var report = try Sample(
      repetitions: 1, transports: [.webSocket],
      keys: #""faults": [{"at": "1 s", "fault": "reset"}],"#
    ).report()
    var faults = FaultMeasurement()
    faults.lost = 10
    for step in UInt64(1)...9 {
      faults.returnMicroseconds.histogram.record(step * 1_000_000)
      faults.recoverMicroseconds.histogram.record(step * 1_000_000)
    }
    report.trials[0].faults = faults
    let page = report.html
    #expect(page.contains("<th scope=\"row\">50 % back</th><td class=\"n\">5.00 ms</td>"))
    #expect(page.contains("<th scope=\"row\">90 % back</th><td class=\"n\">9.00 ms</td>"))
    #expect(page.contains("<th scope=\"row\">95 % back</th><td class=\"n\">–</td>"))
  }

  @Test("A growth of one run has the interval of its line, of three runs that of their scatter")
  func growth() throws {
    let slope = { (points: [(x: Double, y: Double)]) in
      (slope: try #require(Slope(points)), points: points.count)
    }
    let bent = try slope([(0, 0), (1, 12), (2, 18), (3, 30)])
    let one = try #require(Growth([bent]))
    // Student's t of two degrees is 4.303.
    #expect(abs(one.high - one.value - 4.303 * bent.slope.standardError) < 0.01)
    let runs = try [9.0, 10, 11].map { try slope([(0, 0), (1, $0), (2, 2 * $0)]) }
    let three = try #require(Growth(runs))
    #expect(three.value == 10 && abs(three.high - 10 - 4.303 / 3.0.squareRoot()) < 0.01)
    // What may be chance is nothing to count on.
    #expect(Growth([try slope([(0, 0), (1, 30), (2, -10), (3, 5)])]) == nil)
  }
}
