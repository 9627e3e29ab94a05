import Testing
import Triwire
import TriwireFaults

@testable import TriwireBench

@Suite("Report of faults")
struct FaultReportTests {
  @Test("The terminal shows what faults did, and in a table of its own what the clients did")
  func terminal() throws {
    let text = try sample().text(on: Page())
    #expect(text == goldenFaultTerminal, "\(text)")
  }

  @Test("The Markdown has the same lines, says what is not measured, and how to read it")
  func markdown() throws {
    let text = try sample().markdown
    #expect(text.contains(goldenFaultMarkdown))
    #expect(text.contains("\n- Faults: `noticed` is from the fault that cost"))
  }

  @Test("A report of faults that was written and read again is the same")
  func roundTrip() throws {
    let report = try sample()
    #expect(try Report(json: report.json) == report)
    let text = String(decoding: try report.json, as: UTF8.self)
    #expect(!text.contains("\"bytes\" :") && !text.contains("\"connection\" :"))
    #expect(text.contains("\"unmeasured\" : [\n"))
  }

  /// Two contenders: one that lost connections, and one that was not even struck.
  private func sample() throws -> Report {
    let plan = Plan(
      [
        try load(
          """
          {"name": "x", "description": "a small storm", "clients": 4,
           "faults": [{"at": "1 s", "fault": "reset"},
                      {"at": "2 s", "for": "500 ms", "fault": "refuse-upgrade"},
                      {"at": "2 s", "every": "50 ms", "fault": "mute down chance 0.5"}],
           "traffic": [{"direction": "echo", "rate": "10/s per client", "payload": "64 B"}]}
          """)
      ], choosing: .init(transports: [.webSocket, .serverSentEvents]))
    var report = Report(plan, on: .sample)
    for trial in plan.trials.sorted(by: { $0.transport.rawValue > $1.transport.rawValue }) {
      var result = Measurement(trial, startedAt: "2026-01-02T03:04:05Z")
      result.delivery = Delivery(expected: 1000, delivered: 1000)
      for step in UInt64(1)...1000 { result.latencyMicroseconds.histogram.record(step * 2000) }
      var faults = FaultMeasurement()
      faults.outcomes = (trial.scenario.faults ?? []).map { FaultOutcome($0.name) }
      faults.shares = ["websocket": 0.9, "sse": 0.075, "none": 0.025]
      if trial.transport == .webSocket { fill(&faults) }
      result.faults = faults
      report.add(result)
    }
    return report
  }

  private func fill(_ faults: inout FaultMeasurement) {
    faults.struck = ["reset": 4, "refuse-upgrade": 3, "mute": 1200]
    faults.lost = 1004
    faults.moved = 3
    for step in UInt64(1)...1000 {
      faults.noticeMicroseconds.histogram.record(step * 1_000_000)
      faults.returnMicroseconds.histogram.record(step * 100_000)
      faults.recoverMicroseconds.histogram.record(step * 1_100_000)
    }
    faults.sentAgain = 12_345
    faults.droppedRepeats = 67
    faults.attempts = 1010
    faults.causes = ["no answer to a ping": 1004]
    faults.outcomes[0].struck = 4
    faults.outcomes[0].sessions = 4
    faults.outcomes[0].slowestNoticeMicroseconds = 345
    faults.outcomes[0].slowestReturnMicroseconds = 31_000
    faults.outcomes[0].carriers = ["websocket": 3, "sse": 1]
    faults.outcomes[1].struck = 3
    faults.outcomes[1].sessions = 2
    faults.outcomes[1].slowestReturnMicroseconds = 45_000
    faults.outcomes[1].carriers = ["sse": 2]
    faults.outcomes[2].struck = 1200
  }
}

/// The terminal's text of the sample report.
private let goldenFaultTerminal = """
  x  a small storm
    (×: times the best)           websocket             sse
    delivered                1,000 of 1,000  1,000 of 1,000
    latency p50                     1.00 ms         1.00 ms
    latency p90                     1.80 ms         1.80 ms
    latency p99                     1.98 ms         1.98 ms
    latency max                     2.00 ms         2.00 ms
    faults struck                     1,207               0
    of it refuse-upgrade                  3               0
    of it reset                           4               0
    of it mute                        1,200               0
    connections lost                  1,004               0
    noticed p50                      500 ms               –
    noticed p99                      990 ms               –
    noticed max                      1.00 s               –
    back p50                        50.0 ms               –
    back p99                        99.0 ms               –
    back max                         100 ms               –
    fault to back p50                551 ms               –
    fault to back p99                1.09 s               –
    fault to back max                1.10 s               –
    moved up unbroken                     3               0
    sent again                       12,345               0
    dropped as repeats                   67               0
    attempts                          1,010               0
    time on websocket                90.0 %          90.0 %
    time on sse                       7.5 %           7.5 %
    time on long-polling              0.0 %           0.0 %
    time without connection           2.5 %           2.5 %

    what the clients did                                                          websocket         sse
    1 s: reset                          4×, noticed 345 µs, back 31.0 ms, websocket 3 sse 1  not struck
    2 s: refuse-upgrade 403 for 500 ms                                3×, back 45.0 ms, sse  not struck
    every 50 ms: mute down chance 0.5                                       1,200×, went on  not struck
    Latency is from the moment a message was due, sent late or not, to the arrival of its echo.
    Coming back: a client waits up to 20 ms first, each further one up to twice as long, 200 ms at most; the real wait is drawn between a fifth of that and all.
    Bytes and the cost of opening are not measured here: sessions change their connections, and a relay stands between.

  Which transport to take
    x: websocket leads, for now (runner-up sse): latency p99 1.98 ms, sse 1.00×; latency p50 1.00 ms, sse 1.00×. Confidence: none, too few runs bear these figures.
    One repetition cannot tell a difference from chance: --profile quick has three of each, --profile full as many as the scenario says.

  """

/// The tables of the sample report in Markdown.
private let goldenFaultMarkdown = """
  ## x

  a small storm.

  | | websocket | sse |
  |---|---:|---:|
  | delivered | 1,000 of 1,000 | 1,000 of 1,000 |
  | latency p50 | 1.00 ms | 1.00 ms |
  | latency p90 | 1.80 ms | 1.80 ms |
  | latency p99 | 1.98 ms | 1.98 ms |
  | latency max | 2.00 ms | 2.00 ms |
  | faults struck | 1,207 | 0 |
  | of it refuse-upgrade | 3 | 0 |
  | of it reset | 4 | 0 |
  | of it mute | 1,200 | 0 |
  | connections lost | 1,004 | 0 |
  | noticed p50 | 500 ms | – |
  | noticed p99 | 990 ms | – |
  | noticed max | 1.00 s | – |
  | back p50 | 50.0 ms | – |
  | back p99 | 99.0 ms | – |
  | back max | 100 ms | – |
  | fault to back p50 | 551 ms | – |
  | fault to back p99 | 1.09 s | – |
  | fault to back max | 1.10 s | – |
  | moved up unbroken | 3 | 0 |
  | sent again | 12,345 | 0 |
  | dropped as repeats | 67 | 0 |
  | attempts | 1,010 | 0 |
  | time on websocket | 90.0 % | 90.0 % |
  | time on sse | 7.5 % | 7.5 % |
  | time on long-polling | 0.0 % | 0.0 % |
  | time without connection | 2.5 % | 2.5 % |

  | what the clients did | websocket | sse |
  |---|---:|---:|
  | 1 s: reset | 4×, noticed 345 µs, back 31.0 ms, websocket 3 sse 1 | not struck |
  | 2 s: refuse-upgrade 403 for 500 ms | 3×, back 45.0 ms, sse | not struck |
  | every 50 ms: mute down chance 0.5 | 1,200×, went on | not struck |

  One repetition is too few to compare: differences may be chance. `--repetitions 4` gives verdicts.

  Coming back: a client waits up to 20 ms first, each further one up to twice as long, 200 ms at most; the real wait is drawn between a fifth of that and all.

  Bytes and the cost of opening are not measured here: sessions change their connections, and a relay stands between.
  """
