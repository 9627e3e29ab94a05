import Testing
import Triwire

@testable import TriwireBench

extension CapacityProbe {
  /// A probe with plausible figures.
  static func sample(_ level: Double, _ outcome: Outcome, p99: Double = 900) -> CapacityProbe {
    var probe = CapacityProbe(
      Measured().measurement, at: level, of: .sample, over: .seconds(1), Backlog())
    probe.outcome = outcome
    probe.reasons = outcome == .held ? [] : ["p99 was \(p99) µs"]
    (probe.p50, probe.p99) = (p99 / 3, p99)
    probe.serverBusy = min(1, level / 1000)
    return probe
  }
}

extension CapacitySearch {
  /// Up to 10 ms for 99 of 100.
  static let sample = CapacitySearch(
    vary: .rate, to: 1e5, slo: .init(p99: .milliseconds(10)), precision: 0.1, probes: 24)
}

/// What a probe measured, undisturbed and quick unless said otherwise.
struct Measured {
  var microseconds: UInt64 = 500
  var lost: UInt64 = 0
  var failures: [String] = []
  var serverBusy = 0.5
  var clientsBusy = 0.4
  var growth: Double?
  var pressure: Double?
  var sentLate = 20.0

  var measurement: Measurement {
    var scenario = Scenario.empty
    scenario.traffic = []
    var result = Measurement(
      Trial(
        scenario: scenario, contender: Contender(transport: .webSocket, tls: .off), repetition: 1,
        seed: 1), startedAt: "")
    for _ in 0..<2000 { result.latencyMicroseconds.histogram.record(microseconds * 1000) }
    result.delivery = Delivery(expected: 2000, delivered: 2000 - lost, lost: lost)
    result.failures = failures
    var bytes = ByteLedger()
    bytes.messages = 2000 - lost
    result.bytes = bytes
    result.cpu.serverMicroseconds = 20_000
    result.validity.serverBusy = serverBusy
    result.validity.clientsBusy = clientsBusy
    result.validity.growth = growth
    result.validity.pressure = pressure
    result.validity.sentLateP99 = sentLate
    result.validity.judge(medianLatency: Double(microseconds))
    return result
  }
}

extension Scenario {
  fileprivate static let empty = Scenario(
    name: "x", description: "", clients: 1, groups: 1, traffic: [], warmUp: .seconds(0),
    duration: .seconds(1), drain: .seconds(1), repetitions: 1, seed: 1, transports: [.webSocket],
    tls: [.off], sessions: .plain)
}

@Suite("Probes of a search")
struct CapacityTests {
  private func probe(_ measured: Measured, _ waiting: [UInt64] = []) -> CapacityProbe {
    var backlog = Backlog()
    for (quarter, count) in waiting.enumerated() {
      backlog.add(due: UInt64(quarter + 1) * 500, arrived: UInt64(quarter + 1) * 500 - count)
    }
    return CapacityProbe(
      measured.measurement, at: 100, of: .sample, over: .seconds(1), backlog)
  }

  @Test(
    "What comes in time, whole, and without a growing queue holds",
    arguments: [Measured(), Measured(serverBusy: 0.99), Measured(pressure: 0.5)])
  func held(_ measured: Measured) {
    // A disturbance can only make it miss; what held in spite of it held.
    #expect(probe(measured, [3, 4, 2, 9]).outcome == .held)
    #expect(probe(measured).reasons == [])
    #expect(probe(measured).serverCPUPerMessage == 10)
  }

  @Test("Latency alone is late; what is lost, grows or piles up is saturation")
  func kinds() {
    #expect(probe(Measured(microseconds: 20_000)).outcome == .late)
    #expect(probe(Measured(microseconds: 20_000)).reasons == ["p99 was 20.0 ms"])
    let lost = Measured(lost: 1, failures: ["lost 1 of 2,000 messages", "bytes differ"])
    #expect(probe(lost).outcome == .saturated)
    #expect(probe(Measured(growth: 1.6)).outcome == .saturated)
    #expect(probe(Measured(growth: 1.4)).outcome == .held)
    #expect(probe(Measured(), [10, 60, 90, 120]).outcome == .saturated)
    #expect(
      probe(Measured(), [10, 60, 90, 120]).reasons
        == ["60 more messages waited at the end than half-way"])
    // As many as always, a burst at the end, and what is less than a twentieth.
    for fine in [[60, 60, 60, 60], [10, 10, 5, 200], [10, 10, 20, 55]] as [[UInt64]] {
      #expect(probe(Measured(), fine).outcome == .held)
    }
  }

  @Test("Where the clients were at their limit, or the machine was, it is no limit of the server")
  func others() {
    let late = { (measured: Measured) in
      var measured = measured
      measured.microseconds = 20_000
      return self.probe(measured).outcome
    }
    #expect(late(Measured(serverBusy: 0.8, clientsBusy: 0.9)) == .clientLimited)
    #expect(late(Measured(serverBusy: 0.95, clientsBusy: 0.9)) == .late)
    #expect(late(Measured(pressure: 0.2)) == .disturbed)
    #expect(late(Measured(sentLate: 5000)) == .disturbed)
    // A server that is at its limit sends late.
    #expect(late(Measured(serverBusy: 0.95, sentLate: 5000)) == .late)
    #expect(probe(Measured(failures: ["it fell"])).outcome == .failed)
    #expect(probe(Measured(failures: ["it fell"])).reasons == ["it fell"])
  }

  @Test("What is due by a plan is what receivers expect, in whole and at each time")
  func due() throws {
    let scenario = try load(
      """
      {"name": "x", "clients": 7, "groups": 3, "warmUp": "200 ms", "duration": "1 s", "traffic": [
        {"name": "a", "direction": "echo", "rate": "20/s per client", "payload": "64 B"},
        {"name": "b", "direction": "broadcast", "rate": "30/s per group", "payload": "64 B"},
        {"name": "c", "direction": "broadcast", "from": "clients", "rate": "9/s per client",
         "payload": "64 B"}]}
      """
    ).scenario
    let plan = SendPlan(scenario, seed: 4)
    let due = DueMessages(plan, of: scenario)
    let expected = [Audit.Side.clients, .server].reduce(UInt64(0)) { sum, side in
      let received = Receiver(scenario, plan, of: side).finish()
      return sum + Delivery.sum(received.deliveries).expected
    }
    #expect(due.count(before: plan.end + 20_000_000) == expected)
    #expect(due.count(before: 0) == 0)
    let counts = stride(from: 0, to: plan.end, by: 7_000_000).map { due.count(before: $0) }
    #expect(counts == counts.sorted() && (counts.last ?? 0) < expected)
  }
}

@Suite("Reports of a search")
struct CapacityReportTests {
  /// A report in which the transports hold 400, 200 and, as far as the clients could tell, 100.
  private func report(repetitions: Int = 2) throws -> Report {
    let file = try load(
      """
      {"name": "x", "clients": 4, "repetitions": \(repetitions),
       "search": {"vary": "rate", "to": 1000, "slo": {"p99": "100 ms"}},
       "traffic": [{"direction": "down", "rate": "20/s per client", "payload": "64 B"}]}
      """)
    let plan = Plan([file], choosing: .init(profile: .full))
    var report = Report(plan, on: .sample)
    for trial in plan.trials {
      var measurement = Measured().measurement
      measurement.transport = trial.transport
      measurement.repetition = trial.repetition
      let capacity: Double =
        switch trial.transport {
        case .webSocket: 400
        case .serverSentEvents: 200
        default: 100
        }
      let limit: CapacityProbe.Outcome =
        trial.transport == .longPolling ? .clientLimited : .saturated
      let path = SearchPath(try #require(file.scenario.search), of: file.scenario)
      var probes: [CapacityProbe] = []
      while let level = path.next(after: probes.map(\.step)) {
        probes.append(.sample(level, level <= capacity ? .held : limit, p99: 100 + level))
      }
      measurement.capacity = CapacityMeasurement(probes, along: path)
      report.add(measurement)
    }
    return report
  }

  @Test("The report says what held, what did not and why, and shows each probe")
  func texts() throws {
    let report = try report()
    let text = report.text(on: Page())
    #expect(text.contains("held"))
    #expect(text.contains("saturated: p99 was"))
    #expect(text.contains("client-limited: p99 was"))
    #expect(!text.contains("wire/message"))
    let markdown = report.markdown
    #expect(markdown.contains("| probe | load | outcome |"))
    let probes = report.trials.compactMap { $0.capacity?.probes.count }.reduce(0, +)
    let outcomes = ["held", "saturated", "client-limited"]
    let rows = markdown.split(separator: "\n").filter { row in
      outcomes.contains { row.contains("messages/s | \($0) |") }
    }
    #expect(rows.count == probes)
    #expect(report.html.contains("<figcaption>Latency over rate"))
    #expect(!report.html.contains("<figcaption>Latency by percentile"))
    #expect(report.html == (try Report(json: report.json)).html)
    for word in ["nan", "inf\"", "Optional("] { #expect(!report.html.contains(word)) }
  }

  @Test("The answer is who holds the most, and as sure as the brackets lie apart")
  func answer() throws {
    let report = try report()
    let comparison = Comparison(report.scenarios[0], in: report)
    let answer = Answer(comparison, like: comparison.scenario.contenders[0])
    #expect(answer.recommended?.contender.transport == .webSocket)
    #expect(answer.runnerUp?.contender.transport == .serverSentEvents)
    // Long polling may hold more than its clients could ask for.
    #expect(answer.confidence == .brackets(areApart: false))
    var known = report
    known.trials.removeAll { $0.transport == .longPolling }
    let sure = Answer(
      Comparison(known.scenarios[0], in: known), like: comparison.scenario.contenders[0])
    #expect(sure.confidence == .brackets(areApart: true) && sure.isBorne)
    #expect(report.comparisons == [])
  }

  @Test("Probes are written as rows, and figures at unlike loads are compared with nothing")
  func data() throws {
    let report = try report()
    let files = try ReportFormat.csv.files(of: [report])
    #expect(files.map(\.name) == ["result.csv", "capacity.csv"])
    let lines = String(decoding: files[1].bytes, as: UTF8.self).split(separator: "\n")
    let probes = report.trials.compactMap { $0.capacity?.probes.count }.reduce(0, +)
    #expect(lines.count == probes + 1)
    let columns = lines[0].split(separator: ",").count
    #expect(
      lines.allSatisfy {
        $0.split(separator: ",", omittingEmptySubsequences: false).count == columns
      })
    #expect(try ReportFormat.csv.files(of: [Sample().report()]).map(\.name) == ["result.csv"])
    let comparison = try ResultComparison(of: report, against: report)
    #expect(comparison.outcome == .inconclusive)
    #expect(
      comparison.omissions == [
        "x searches for a capacity, whose brackets stand side by side in the reports"
      ])
  }
}
