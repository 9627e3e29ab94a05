import Testing
import Triwire

@testable import TriwireBench

@Suite("Thresholds")
struct ThresholdTests {
  @Test("A word of more than 100 letters is taken for no slip, however near it is")
  func longWords() {
    let word = String(repeating: "x", count: 99)
    #expect(Suggestion.nearest(to: word + "y", among: [word + "z"]) == word + "z")
    #expect(Suggestion.nearest(to: word + "yy", among: [word + "yz"]) == nil)
    #expect(Suggestion.several(for: word + "yy", among: [word + "yyy"]).isEmpty)
  }

  @Test("A figure below its threshold is met, one above is broken, and advice does not decide")
  func absolute() throws {
    let report = try report(
      """
      "latency.p99": "<3 ms", "sse.latency.p50": "< 0.5ms", "serverCPUPerMessage": "< 1 us advisory"
      """)
    let checks = Comparison(report.scenarios[0], in: report).checks
    #expect(
      checks.map { "\($0.mark) \($0.contender) \($0.threshold.key)" } == [
        "✓ websocket latency.p99", "✓ sse latency.p99", "✓ long-polling latency.p99",
        "! websocket serverCPUPerMessage", "! sse serverCPUPerMessage",
        "! long-polling serverCPUPerMessage", "✗ sse sse.latency.p50",
      ])
    #expect(report.thresholdVerdict == .broken)
    let lines = report.text(on: Page()).split(separator: "\n")
    #expect(lines[0].hasPrefix("✓ x websocket latency p99 1.9") as Bool)
    #expect(lines[0].hasSuffix("wanted < 3 ms"))
    #expect(report.markdown.contains("\n## Thresholds\n\n- ✓ x websocket latency p99 "))
    #expect(report.html.contains("<span class=\"bad\">✗</span> x sse latency p50 "))
  }

  @Test("A threshold beside another transport holds the ratio against the factor")
  func relative() throws {
    let cpu: [TransportKind: Double] = [.longPolling: 3]
    let met = try report("\"long-polling.serverCPUPerMessage\": \"<= 3.2 * websocket\"", cpu: cpu)
    #expect(met.thresholdVerdict == .met)
    let broken = try report("\"serverCPUPerMessage\": \"< 2 * websocket\"", cpu: cpu)
    let checks = Comparison(broken.scenarios[0], in: broken).checks
    #expect(checks.map(\.contender) == ["sse", "long-polling"])
    #expect(checks.map(\.outcome) == [.met, .broken])
    // Counted bytes do not scatter: the bound itself is met by <= and broken by <.
    #expect(try report("\"sse.bytesPerMessage\": \"<= 1 * websocket\"").thresholdVerdict == .met)
    #expect(try report("\"sse.bytesPerMessage\": \"< 1 * websocket\"").thresholdVerdict == .broken)
  }

  @Test("What scatters around a threshold, was not measured, or failed, is neither met nor broken")
  func open() throws {
    let noisy = try report("\"serverCPUPerMessage\": \"< 9.9 us\"", scatter: 0.5)
    #expect(noisy.thresholdVerdict == .open)
    #expect(try report("\"tlsHandshake.p50\": \"< 1 s\"").thresholdVerdict == .open)
    var failed = try report("\"sse.latency.p50\": \"< 1 s\"")
    for index in failed.trials.indices { failed.trials[index].failures = ["lost 1 of 2"] }
    #expect(failed.thresholdVerdict == .open)
    #expect(failed.text(on: Page()).hasPrefix("? x sse latency p50 –, wanted < 1 s: a trial of it"))
  }

  @Test("A transport that breaks a strict threshold is not recommended")
  func answer() throws {
    let cpu: [TransportKind: Double] = [.webSocket: 0.5]
    let report = try report(
      "\"websocket.memoryPerConnection\": \"< 1 B\", \"websocket.latency.p50\": \"< 1 us\"",
      cpu: cpu)
    let answers = report.answers([Comparison(report.scenarios[0], in: report)])
    #expect(answers.first?.recommended?.name == "sse")
  }

  @Test("Thresholds are written as they were read")
  func coding() throws {
    let report = try report("\"latency.p99\": \"<3ms\", \"overhead\": \"<= 50% advisory\"")
    #expect(try Report(json: report.json) == report)
    let text = String(decoding: try report.json, as: UTF8.self)
    #expect(text.contains("\"latency.p99\" : \"< 3 ms\""))
    #expect(text.contains("\"overhead\" : \"<= 50 % advisory\""))
  }

  @Test(
    "A bad threshold is refused with line, key and what to write",
    arguments: [
      (
        "\"latency.p98\": \"< 1 ms\"",
        "there is no metric \"latency.p98\", did you mean \"latency.p90\" or \"latency.p99\"?"
      ),
      (
        "\"p99\": \"< 1 ms\"",
        "there is no metric \"p99\", did you mean \"latency.p99\", \"sentLate.p99\" or "
          + "\"latency.p99.9\"?"
      ),
      (
        "\"ws.latency.p50\": \"< 1 ms\"",
        "there is no metric \"ws.latency.p50\", did you mean \"websocket.latency.p50\"?"
      ),
      (
        "\"sse.framing\": \"< 1 B\"",
        "there is no metric \"framing\", did you mean \"sse.framingBytesPerMessage\"?"
      ),
      (
        "\"latency.p99\": \"< 50 ms (advisory)\"",
        "advisory stands without brackets or a comma, write \"< 50 ms advisory\""
      ),
      (
        "\"bytesPerMessage\": \"< 2 * server-sent-events\"",
        "\"server-sent-events\" is none of websocket, sse, long-polling, did you mean \"sse\"?"
      ),
      (
        "\"latency.p99\": \"50 ms\"",
        "\"50 ms\" does not begin with < or <=, write it like \"< 50 ms\" or \"<= 1.1 * websocket\""
      ),
      (
        "\"latency.p99\": \"< 50\"",
        "\"50\" has no unit that fits: this metric takes ms, us, µs, ns, s, min; write it like \"< 50 ms\" "
          + "or \"<= 1.1 * websocket\""
      ),
      (
        "\"sse.bytesPerMessage\": \"< 2 * sse\"",
        "this compares sse with itself, write it like \"< 500 B\" or \"<= 1.1 * websocket\""
      ),
      (
        "\"bytesPerMessage\": \"< 2 * websockets\"",
        "\"websockets\" is none of websocket, sse, long-polling, did you mean \"websocket\"?"
      ),
      ("\"latency.p99\": 50", "this is a number, write a text like \"< 50 ms\""),
    ])
  func refusals(text: String, message: String) throws {
    let error = #expect(throws: ScenarioError.self) { try report(text) }
    let problem = try #require(error?.problems.first)
    #expect(problem.message == message)
    #expect(problem.path.hasPrefix("thresholds."))
    #expect(problem.line == 1)
  }

  @Test("A threshold of a transport that the scenario leaves out is refused")
  func missing() throws {
    let error = #expect(throws: ScenarioError.self) {
      try load(
        """
        {"name": "x", "clients": 1, "transports": ["sse"],
         "traffic": [{"direction": "down", "rate": "10/s per client", "payload": "64 B"}],
         "thresholds": {
           "latency.p50": "< 2 * websocket"}}
        """)
    }
    #expect(error?.problems.map(\.line) == [4])
    #expect(
      error?.problems.first?.message
        == "websocket is not among \"transports\", add it there or remove this")
  }

  @discardableResult
  private func report(
    _ thresholds: String, cpu: [TransportKind: Double] = [:], scatter: Double = 0.01
  ) throws -> Report {
    try Sample(cpu: cpu, scatter: scatter, keys: "\"thresholds\": {\(thresholds)},").report()
  }
}
