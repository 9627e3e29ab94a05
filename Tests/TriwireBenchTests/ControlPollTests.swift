import Testing
import Triwire

@testable import TriwireBench

@Suite("The control that polls")
struct ControlPollTests {
  /// A report in which polling costs next to nothing.
  private func report(_ keys: String = "") throws -> Report {
    try Sample(cpu: [.webSocket: 2], keys: #""controlPoll": "1 s", "# + keys).report()
  }

  @Test("It runs in turns with the transports, under a name of its own")
  func plan() throws {
    let report = try report()
    let names = report.scenarios[0].contenders.map { report.scenarios[0].name(of: $0) }
    #expect(names == ["websocket", "sse", "long-polling", "polling 1 s (control)"])
    #expect(report.trials.count == 4 * 3)
    #expect(report.trials.count { $0.poll == .seconds(1) } == 3)
    #expect(report.trials.allSatisfy { $0.poll == nil || $0.transport == .longPolling })
    let plan = Plan(of: report)
    #expect(plan.trials.allSatisfy { report.has($0) })
    var less = report
    less.trials.removeAll { $0.poll != nil }
    #expect(plan.trials.count { !less.has($0) } == 3)
  }

  @Test("It is called a control wherever it stands, and is never recommended or held to thresholds")
  func neverRecommended() throws {
    var report = try report(#""thresholds": {"latency.p99": "< 1 s"}, "#)
    for index in report.trials.indices where report.trials[index].poll != nil {
      report.trials[index].cpu.serverMicroseconds = 1
      report.trials[index].latencyMicroseconds.histogram = Histogram()
      for _ in 0..<2000 { report.trials[index].latencyMicroseconds.histogram.record(9_000_000_000) }
    }
    let comparison = Comparison(report.scenarios[0], in: report)
    #expect(comparison.contenders.last == "polling 1 s (control)")
    let answer = Answer(comparison, like: comparison.scenario.contenders[0])
    #expect(answer.recommended?.contender.poll == nil && answer.recommended != nil)
    #expect(answer.runnerUp?.contender.poll == nil)
    #expect(report.thresholdVerdict == .met)
    for text in [report.markdown, report.text(on: Page()), report.html] {
      #expect(text.contains("polling 1 s is no transport and is never recommended"))
    }
    #expect(report.html == (try Report(json: report.json)).html)
  }

  @Test("Data calls it polling, and files of percentiles are told apart")
  func data() throws {
    let report = try report()
    let csv = String(
      decoding: try ReportFormat.csv.files(of: [report])[0].bytes, as: UTF8.self)
    let kinds = Set(csv.split(separator: "\n").dropFirst().map { $0.split(separator: ",")[1] })
    #expect(kinds == ["websocket", "sse", "long-polling", "polling"])
    let names = try ReportFormat.hdr.files(of: [report]).map(\.name)
    #expect(Set(names).count == 4 && names.contains("latency-x-polling.hgrm"))
  }

  @Test("The command line adds it where messages flow, with the time to ask for the last of them")
  func choice() throws {
    let file = try load(
      """
      {"name": "x", "clients": 4, "drain": "1 s",
       "traffic": [{"direction": "down", "rate": "10/s per client", "payload": "64 B"}]}
      """)
    let idle = try load(#"{"name": "y", "idle": {"steps": [1, 2]}}"#)
    let plan = Plan([file, idle], choosing: .init(controlPoll: .seconds(3)))
    #expect(plan.scenarios.map(\.controlPoll) == [.seconds(3), nil])
    #expect(plan.scenarios[0].drain == .seconds(6))
  }

  @Test(
    "What cannot be polled for is refused with what to write instead",
    arguments: [
      ("5 ms", "", "controlPoll: 5 ms is out of range, write \"10 ms\" to \"20 s\""),
      (
        "4 s", "",
        "controlPoll: what is sent last is asked for up to 4 s later: write \"drain\": \"8 s\" or more"
      ),
      (
        "1 s", #""faults": [{"at": "1 s", "fault": "mute down"}], "sessions": "resumable", "#,
        "controlPoll: a control that polls keeps no session that faults could break, remove this"
      ),
    ])
  func refused(interval: String, keys: String, message: String) {
    let text = """
      {"name": "x", "clients": 4, \(keys) "controlPoll": "\(interval)",
       "traffic": [{"direction": "down", "rate": "10/s per client", "payload": "64 B"}]}
      """
    let error = #expect(throws: ScenarioError.self) { try load(text) }
    #expect(error?.problems.map { "\($0.path): \($0.message)" } == [message])
  }
}
