import Testing
import Triwire

@testable import TriwireBench

@Suite("Report")
struct ReportTests {
  @Test("A report that was written and read again is the same, and is written the same")
  func roundTrip() throws {
    let report = try sample()
    let json = try report.json
    let again = try Report(json: json)
    #expect(again == report)
    #expect(try again.json == json)
    #expect(again.markdown == report.markdown)
  }

  @Test("Lists of numbers stand on one line, so that a histogram can be read")
  func compact() throws {
    let text = String(decoding: try sample().json, as: UTF8.self)
    #expect(text.contains("\"buckets\" : [[2000,1],[3024,1],"))
    #expect(text.hasSuffix("}\n"))
  }

  @Test("A percentile that too few messages bear is null in the data")
  func nulls() throws {
    let text = String(decoding: try sample().json, as: UTF8.self)
    #expect(text.contains("\"p999\" : null") as Bool)
    #expect(text.contains("\"p50\" : 1000") as Bool)
  }

  @Test("A report of another schema is refused")
  func schema() throws {
    let text = String(decoding: try sample().json, as: UTF8.self)
      .replacing("\"schemaVersion\" : 6", with: "\"schemaVersion\" : 5")
    #expect(throws: DecodingError.self) { try Report(json: Array(text.utf8)) }
  }

  @Test("The terminal shows one aligned table per scenario, with what went wrong before it")
  func terminal() throws {
    #expect(try sample().text(on: Page()) == goldenTerminal)
  }

  @Test("Several modes of TLS are columns beside each other, and failures name theirs")
  func modes() throws {
    let report = try sample(transports: [.webSocket], tls: [.off, .v1_3])
    let lines = report.text(on: Page()).split(separator: "\n")
    #expect(lines[1] == "  websocket TLS 1.3, repetition 1: lost 1 of 1,000 messages")
    #expect(lines[2].hasSuffix("  websocket no TLS  websocket TLS 1.3"))
    #expect(lines[4].hasSuffix("           1.00 ms    3.00 ms (3.00×)"))
    #expect(report.markdown.contains("\n| | websocket no TLS | websocket TLS 1.3 |\n"))
    #expect(try Report(json: report.json) == report)
  }

  @Test("Colours only set off what is there without them")
  func colours() throws {
    let report = try sample()
    let plain = report.text(on: Page(isColoured: true))
      .replacing("\u{1B}[1m", with: "").replacing("\u{1B}[31m", with: "")
      .replacing("\u{1B}[0m", with: "")
    #expect(plain == report.text(on: Page()))
  }

  @Test("A trial that was disturbed, repeated, or at a limit says so under its table")
  func contention() throws {
    var report = try sample()
    let notes = ["disturbed", "at a limit", "repeated, the first"]
    #expect(notes.allSatisfy { !report.text(on: Page()).contains("websocket was \($0)") })
    var validity = Validity()
    validity.clientsWaited = 0.0512
    validity.serverBusy = 0.86
    validity.judge(medianLatency: nil)
    report.trials[0].validity = validity
    report.voided = [
      VoidTrial(report.trials[0], Plan(of: report).trials.first { $0.transport == .webSocket }!)
    ]
    let waited =
      "threads of the clients waited for a core for 5.1 % of the time, 5.0 % is the most"
    let sentences = [
      "websocket was disturbed: \(waited).",
      "websocket was at a limit: the server used 86.0 % of a core: more may not be possible.",
      "One trial was repeated, the first of websocket: \(waited).",
    ]
    let text = report.text(on: Page())
    #expect(
      text.contains("to its arrival.\n" + sentences.map { "  \($0)\n" }.joined()), "\(text)")
    #expect(text.contains("came through; all runs were disturbed.\n"))
    #expect(sentences.allSatisfy { report.markdown.contains("\n\n\($0)\n\n") })
    #expect(try Report(json: report.json) == report)
  }

  @Test(
    "The kernel's list of cores is read as it is written",
    arguments: [("0-1", [0, 1]), ("2,4-6", [2, 4, 5, 6]), ("7", [7]), ("", [])])
  func cores(_ list: String, _ numbers: [Int]) {
    #expect(Cores.numbers(in: list) == numbers)
  }

  @Test("The Markdown is complete and says on the first line of a scenario what was lost")
  func markdown() throws {
    #expect(try sample().markdown == goldenMarkdown)
  }

  @Test("The Markdown of the largest reports fits a comment, and says what it leaves out")
  func fitsComment() throws {
    let files = try (0..<60).map { number in
      try load(
        """
        {"name": "x\(number)", "description": "one of many", "clients": 4,
         "traffic": [{"direction": "down", "rate": "10/s per client", "payload": "64 B"}]}
        """)
    }
    var report = try Sample(repetitions: 1, files: files).report()
    let text = report.markdown
    #expect(text.utf8.count <= 65_536)
    #expect(text.contains("Its tables do not fit a comment; report.html has them."))
    for file in files { #expect(text.contains("\n## \(file.scenario.name)\n")) }
    #expect(text.contains("\n## Machine\n"))

    for index in report.trials.indices {
      report.trials[index].failures = (0..<20).map { "lost \($0) of 1,000 messages of the flow ü" }
    }
    let cut = report.markdown
    #expect(cut.utf8.count <= 65_536)
    #expect(cut.hasSuffix("\n\nThe rest does not fit a comment; report.html has all of it.\n"))
  }

  @Test(
    "Figures have three digits and a unit",
    arguments: [
      (0.5, "0.50 µs"), (9.994, "9.99 µs"), (63.14, "63.1 µs"), (999.4, "999 µs"),
      (1000, "1.00 ms"), (45_678, "45.7 ms"), (1_234_567, "1.23 s"), (90_000_000, "90.0 s"),
    ])
  func figures(microseconds: Double, text: String) {
    #expect(Figures.duration(microseconds) == text)
  }

  @Test(
    "A ratio shows how small or large it is",
    arguments: [
      (0, "0.00×"), (0.0001, "below 0.001×"), (0.001, "0.001×"), (0.0985, "0.099×"),
      (0.0999, "0.10×"), (1, "1.00×"), (99.4, "99.40×"), (99.6, "100×"), (12_345, "12,345×"),
    ])
  func ratios(ratio: Double, text: String) {
    #expect(Figures.ratio(ratio) == text)
  }

  /// A report of one scenario with two contenders, the latter of which lost a message.
  private func sample(
    transports: [TransportKind] = [.webSocket, .longPolling], tls: [TLSMode]? = nil
  ) throws -> Report {
    let plan = Plan(
      [
        try load(
          """
          {"name": "x", "description": "a small sample", "clients": 4,
           "traffic": [{"direction": "down", "rate": "10/s per client", "payload": "64 B"}]}
          """)
      ], choosing: .init(transports: transports, tls: tls))
    var report = Report(plan, on: .sample)
    let contenders = plan.scenarios[0].contenders
    for (contender, slower) in zip(contenders, [UInt64(1), 3]) {
      let trial = try #require(plan.trials.first { $0.contender == contender })
      report.add(measurement(of: trial, slower: slower))
    }
    return report
  }

  private func measurement(of trial: Trial, slower: UInt64) -> Measurement {
    var result = Measurement(trial, startedAt: "2026-01-02T03:04:05Z")
    for step in UInt64(1)...1000 {
      result.latencyMicroseconds.histogram.record(step * 2000 * slower)
    }
    result.delivery = Delivery(expected: 1000, delivered: 1000)
    if slower > 1 {
      result.delivery = Delivery(expected: 1000, delivered: 999, lost: 1)
      result.failures = ["lost 1 of 1,000 messages"]
    }
    var bytes = ByteLedger()
    bytes.messages = 1000
    bytes.down = ByteLayers(
      payload: 64_000, framing: 2000 * slower, http: slower == 1 ? 0 : 90_000,
      socket: 66_000 * slower, tcpip: 52_000, segments: 1000)
    bytes.up = ByteLayers(tcpip: 52_000, segments: 1000 * slower, acknowledgements: 1000)
    result.bytes = bytes
    result.cpu.serverMicroseconds = 12_340 * Double(slower)
    var connection = ConnectionCost()
    connection.opened = 4
    connection.roundTrips = 2
    (connection.serverSystemCalls, connection.serverCPUMicroseconds) = (0, 0)
    result.connection = connection
    result.memory = MemoryCost(
      steps: [1, 2, 3, 4].map { count in
        MemoryCost.Step(
          clients: count, proportional: 1_000_000, privateDirty: 500_000 + UInt64(count) * 2345,
          anonymous: 0, descriptors: 10 + count, cpuShare: 0)
      })
    return result
  }
}

extension Environment {
  /// A machine that is the same everywhere.
  static let sample = Environment(
    triwireVersion: "1.2.3", compiler: "Swift 6.3, optimised",
    commandLine: ["triwire", "run", "x.json"], startedAt: "2026-01-02T03:04:05Z",
    kernel: "Linux 6.1 x86_64", processor: "Some Processor", cores: 2,
    pinning: "server on core 0, clients on core 1", keptAwake: "", memoryBytes: 1 << 34,
    clockSource: "tsc",
    governor: "", congestionControl: "reno", maximumSegment: 1460,
    tcpSettings: ["tcp_autocorking": "1"],
    descriptorLimits: [20_000, 20_000],
    load: [MachineLoad(averages: [0.1, 0.2, 0.3], cpuPressure: 0.5, stolenTicks: 0)])
}
