import Testing
import Triwire
import TriwireFaults

@testable import TriwireBench

@Suite("The answer of a report")
struct AnswerTests {
  @Test("The transport with the least server CPU is recommended, the next is the runner-up")
  func cheapest() throws {
    let answer = try answer(
      Sample(repetitions: 6, cpu: [.webSocket: 2, .serverSentEvents: 3, .longPolling: 1]))
    #expect(answer.recommended?.name == "long-polling")
    #expect(answer.runnerUp?.name == "websocket")
    #expect(answer.reasons.count == 2)
    #expect(answer.reasons[0].hasPrefix("server CPU/message "))
    #expect(answer.reasons[0].hasSuffix(" µs, websocket 2.00×"))
    #expect(answer.confidence == .sure)
  }

  @Test(
    "Where costs are equal the simpler one is taken: sse downwards, websocket both ways",
    arguments: [
      ("down", "sse", "long-polling"), ("up", "websocket", "sse"), ("echo", "websocket", "sse"),
    ])
  func simplest(direction: String, chosen: String, next: String) throws {
    let answer = try answer(Sample(repetitions: 6, direction: direction, scatter: 0.001))
    #expect(answer.recommended?.name == chosen)
    #expect(answer.runnerUp != nil)
    #expect(answer.confidence == .equal)
  }

  @Test("A transport that is far slower is not recommended, however cheap it is")
  func slow() throws {
    let cheap: [TransportKind: Double] = [.longPolling: 0.1, .serverSentEvents: 2]
    let quick = try answer(Sample(repetitions: 6, latency: [.longPolling: 4], cpu: cheap))
    // Four times as long, but 6 ms more at the most: nobody minds.
    #expect(quick.recommended?.name == "long-polling")
    let slow = try answer(Sample(repetitions: 6, latency: [.longPolling: 40], cpu: cheap))
    #expect(slow.recommended?.name == "websocket")
    #expect(slow.runnerUp?.name == "sse")
    #expect(slow.confidence == .sure)
  }

  @Test("A transport that lost a message is out, and nobody is recommended when all did")
  func failed() throws {
    var report = try Sample(repetitions: 3, cpu: [.webSocket: 0.5]).report()
    for index in report.trials.indices where report.trials[index].transport == .webSocket {
      report.trials[index].failures = ["lost 1 of 1,000 messages"]
    }
    #expect(try answer(of: report).recommended?.name == "sse")
    for index in report.trials.indices { report.trials[index].failures = ["lost some"] }
    let none = try answer(of: report)
    #expect(none.recommended == nil)
    #expect(none.reasons == ["no transport came through its trials and thresholds"])
    #expect(none.confidenceText == "no transport came through")
  }

  @Test("Latency behind a relay that was late decides nothing, and each report says why")
  func lateRelay() throws {
    var report = try Sample(
      repetitions: 6, latency: [.longPolling: 40], cpu: [.longPolling: 0.1, .serverSentEvents: 2]
    ).report()
    report.scenarios[0].network = .profile(.wan)
    func answer(late nanoseconds: UInt64) throws -> Answer {
      let late = (0..<2000).reduce(into: Histogram()) { sum, _ in sum.record(nanoseconds) }
      for index in report.trials.indices {
        report.trials[index].network = NetworkMeasurement(
          segments: 1, lostSegments: 0, lateMicroseconds: Durations(late))
      }
      return try self.answer(of: report)
    }
    // A twentieth of the 20 ms that each direction takes.
    #expect(try answer(late: 990_000).recommended?.name == "websocket")
    let answer = try answer(late: 1_010_000)
    #expect(answer.recommended?.name == "long-polling")
    #expect(!answer.reasons.contains { $0.hasPrefix("latency") }, "\(answer.reasons)")
    let words = ["Network: wan", "late (p99), more than 5 %"]
    for text in [report.html, report.markdown, report.text(on: Page())] {
      #expect(words.allSatisfy(text.contains))
    }
  }

  @Test("Few repetitions give an answer without confidence, and scatter gives a low one")
  func confidence() throws {
    #expect(try answer(Sample(repetitions: 2)).confidence == .tooFew)
    guard case .open = try answer(Sample(repetitions: 3, scatter: 0.5)).confidence else {
      Issue.record("three runs that scatter by half tell nothing")
      return
    }
    #expect(try answer(Sample(transports: [.webSocket])).confidence == .alone)
    #expect(
      Answer.Confidence.open(furtherRuns: 1200).text == "low, 1,200 more repetitions may tell")
  }

  @Test("Each mode of TLS has an answer of its own, and the Markdown begins with all of them")
  func modes() throws {
    let report = try Sample(tls: [.off, .v1_3]).report()
    let answers = report.answers(report.scenarios.map { Comparison($0, in: report) })
    #expect(answers.map(\.scenario) == ["x, no TLS", "x, TLS 1.3"])
    let text = report.markdown
    #expect(
      text.contains("\n## Answer\n\n| scenario | recommended | runner-up | why | confidence |"))
    #expect(text.contains("\n| x, TLS 1.3 | **sse** | "))
    let unsure = try Sample(repetitions: 1).report()
    #expect(unsure.markdown.contains("\n| x | sse leads, for now | ") as Bool)
    #expect(unsure.html.contains(" leads, for now</td>"))
    #expect(text.contains("\n1. A transport that failed a trial is out: "))
  }

  private func answer(_ sample: Sample) throws -> Answer { try answer(of: sample.report()) }

  private func answer(of report: Report) throws -> Answer {
    try #require(report.answers(report.scenarios.map { Comparison($0, in: report) }).first)
  }
}
