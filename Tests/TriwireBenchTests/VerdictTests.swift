import Foundation
import Testing
import Triwire

@testable import TriwireBench

@Suite("Verdicts in the report")
struct VerdictTests {
  @Test("Each pair of transports has a line per metric, with ratio, interval and verdict")
  func lines() throws {
    let report = try report(repetitions: 6)
    let text = report.markdown
    #expect(
      text.contains(
        """

        | run by run | | ratio | 95 % interval | verdict |
        |---|---|---:|---:|---|
        | latency p50 | sse against websocket | 1.0
        """))
    let rows = text.split(separator: "\n").filter { $0.contains(" against ") }
    #expect(rows.count == 12)
    #expect(rows.count { $0.contains("sse against websocket") && $0.contains("| equal (") } == 4)
    let slow = rows.filter { $0.contains("long-polling against websocket") }
    #expect(slow.count == 4)
    // Three times as much, whatever the metric; bytes do not scatter at all.
    #expect(slow.allSatisfy { $0.hasSuffix("| **worse** |") })
    #expect(slow[2].contains("| wire/message | "))
    #expect(slow[2].contains(" | 3.000× | 3.000× to 3.000× |"))
    #expect(text.contains("\n- Verdicts: the runs of a repetition make a pair"))
    #expect(text.contains("latency p50 5 % or 50.0 µs"))
  }

  @Test("The data has the same under comparisons, and is read without them")
  func data() throws {
    let report = try report(repetitions: 6)
    let json = try report.json
    #expect(try Report(json: json) == report)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
    let comparisons = try #require(object["comparisons"] as? [[String: Any]])
    #expect(comparisons.count == 12)
    let first = try #require(comparisons.first)
    #expect(first["scenario"] as? String == "x")
    #expect(first["metric"] as? String == "latencyP50")
    #expect(first["contender"] as? String == "sse")
    #expect(first["against"] as? String == "websocket")
    #expect(first["runs"] as? Int == 6)
    #expect(first["confidence"] as? Double == 0.95)
    #expect(first["verdict"] as? String == "equal")
    #expect(first["furtherRuns"] is NSNull)
    let ratio = try #require(first["ratio"] as? Double)
    let low = try #require(first["low"] as? Double)
    let high = try #require(first["high"] as? Double)
    #expect(low < ratio && ratio < high)
    // 50 µs of about 1 ms.
    #expect(abs(try #require(first["tolerance"] as? Double) - 0.05) < 0.01)
  }

  @Test(
    "Fewer than three repetitions are told to be too few, with what to type",
    arguments: [
      (
        1, TransportKind.allCases,
        "One repetition is too few to compare: differences may be chance. `--repetitions 6` gives "
          + "verdicts."
      ),
      (
        2, [.webSocket, .serverSentEvents],
        "2 repetitions are too few to compare: differences may be chance. `--repetitions 4` gives "
          + "verdicts."
      ),
    ])
  func tooFew(repetitions: Int, transports: [TransportKind], sentence: String) throws {
    let report = try report(repetitions: repetitions, over: transports)
    #expect(report.comparisons.isEmpty)
    #expect(report.markdown.contains("\n\n\(sentence)\n\n"))
    #expect(!report.markdown.contains("- Verdicts:"))
  }

  @Test("One transport alone is compared with nothing, and nothing is said about it")
  func alone() throws {
    let text = try report(repetitions: 1, over: [.serverSentEvents]).markdown
    #expect(!text.contains("compare:"))
    #expect(!text.contains("run by run"))
  }

  @Test("A repetition with a failed trial is left out, and that too few are whole is said")
  func failures() throws {
    var report = try report(repetitions: 4, over: [.webSocket, .serverSentEvents])
    let index = try #require(report.trials.firstIndex { $0.transport == .serverSentEvents })
    report.trials[index].failures = ["lost 1 of 1,000 messages"]
    #expect(report.comparisons.map(\.result.runs) == [3, 3, 3, 3])
    let other = try #require(
      report.trials.firstIndex {
        $0.transport == .webSocket && $0.repetition != report.trials[index].repetition
      })
    report.trials[other].failures = ["lost 1 of 1,000 messages"]
    #expect(report.comparisons.isEmpty)
    #expect(
      report.markdown.contains(
        "Fewer than 3 repetitions have two whole trials with figures to compare, so there are no "
          + "verdicts."))
  }

  @Test("A percentile that too few messages bear is not compared")
  func percentiles() throws {
    let report = try report(repetitions: 3, messages: 500)
    #expect(Set(report.comparisons.map(\.metric)).contains(.latencyP50))
    #expect(!report.comparisons.contains { $0.metric == .latencyP99 })
  }

  @Test("Modes of TLS are compared within a transport, and transports within a mode")
  func modes() throws {
    let report = try report(
      repetitions: 3, over: [.webSocket, .serverSentEvents], tls: [.off, .v1_3])
    let pairs = Set(report.comparisons.map { "\($0.contender) against \($0.against)" })
    #expect(
      pairs == [
        "websocket TLS 1.3 against websocket no TLS", "sse no TLS against websocket no TLS",
        "sse TLS 1.3 against websocket TLS 1.3", "sse TLS 1.3 against sse no TLS",
      ])
  }

  @Test("What is inconclusive says how many more repetitions may tell")
  func inconclusive() throws {
    let text = try report(repetitions: 3, scatter: 0.3).markdown
    let rows = text.split(separator: "\n").filter { $0.contains(" | sse against websocket | ") }
    #expect(rows.contains { $0.contains(" | inconclusive, ") && $0.contains(" more ") })
  }

  @Test("A control has lines of its own, stays out of the tables, and sets what has to be beaten")
  func control() throws {
    let calm = try report(repetitions: 6)
    var report = try report(repetitions: 6, hasControl: true)
    #expect(report.comparisons.count == 16)
    #expect(report.comparisons.count { $0.contender == "websocket again" } == 4)
    let table = try #require(
      report.markdown.split(separator: "\n").first { $0.contains("delivered") })
    #expect(table == "| delivered | 0 of 0 | 0 of 0 | 0 of 0 |")
    let tolerance = { (report: Report) in
      report.comparisons.first { $0.contender == "sse" && $0.metric == .serverCPUPerMessage }?
        .result.tolerance
    }
    #expect(tolerance(calm) == 0.05)
    // Controls that take 2 to 7 times as much: no difference is to be believed.
    for index in report.trials.indices where report.trials[index].isControl == true {
      let factor = Double(report.trials[index].repetition + 1)
      report.trials[index].cpu.serverMicroseconds? *= factor
    }
    #expect(try #require(tolerance(report)) > 3)
    let verdicts = report.comparisons.filter { $0.metric == .serverCPUPerMessage }.dropFirst()
    #expect(verdicts.allSatisfy { $0.result.verdict == .equal })
    #expect(try Report(json: report.json) == report)
    let control = try #require(report.trials.firstIndex { $0.isControl == true })
    report.trials[control].failures = ["lost 1 of 1,000 messages"]
    #expect(report.markdown.contains("websocket again, repetition "))
  }

  /// A report in which long polling takes three times as much as the others of everything.
  private func report(
    repetitions: Int, over transports: [TransportKind] = TransportKind.allCases,
    tls: [TLSMode]? = nil, scatter: Double = 0.01, messages: UInt64 = 1000,
    hasControl: Bool = false
  ) throws -> Report {
    let plan = Plan(
      [
        try load(
          """
          {"name": "x", "clients": 4,
           "traffic": [{"direction": "down", "rate": "10/s per client", "payload": "64 B"}]}
          """)
      ],
      choosing: .init(
        transports: transports, tls: tls, repetitions: repetitions, hasControl: hasControl))
    var report = Report(plan, on: .sample)
    var source = RandomSource(seed: 3)
    for trial in plan.trials {
      let times: UInt64 = trial.transport == .longPolling ? 3 : 1
      let factor = Double(times) * (1 + scatter * (2 * source.fraction() - 1))
      var result = Measurement(trial, startedAt: "2026-01-02T03:04:05Z")
      for step in 1...messages {
        result.latencyMicroseconds.histogram.record(UInt64(Double(step * 2000) * factor))
      }
      var bytes = ByteLedger()
      bytes.messages = messages
      bytes.down = ByteLayers(payload: 64 * messages, socket: 100 * messages * times)
      result.bytes = bytes
      result.cpu.serverMicroseconds = 10 * Double(messages) * factor
      report.add(result)
    }
    return report
  }
}
