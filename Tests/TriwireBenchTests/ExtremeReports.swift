import Foundation
import Testing
import Triwire

@testable import TriwireBench

/// Reports that are hard to show: what people look at, and what the tests hold byte for byte.
enum ExtremeReports {
  /// All of them, written; made once, as it takes a while.
  static func pages() throws -> [(name: String, html: String, markdown: String)] {
    try made.get()
  }

  private static let made = Result {
    try all().map { (name: $0.name, html: $0.report.html, markdown: $0.report.markdown) }
  }

  /// All of them, with a name each.
  static func all() throws -> [(name: String, report: Report)] {
    [
      ("suite", try suite()), ("one", try Sample(repetitions: 6, memory: 3000).report()),
      ("single", try Sample(repetitions: 1, transports: [.longPolling], memory: 900).report()),
      ("missing", try missing()), ("failed", try failed()), ("void", try void()),
      ("zero", try zero()), ("huge", try huge()), ("quiet", try quiet()), ("faults", try faults()),
      ("modes", try Sample(repetitions: 4, tls: TLSMode.allCases, memory: 15_000).report()),
      ("crossover", try crossover()), ("polls", try polls()), ("nothing", try nothing()),
    ]
  }

  /// All files of the shipped suite.
  private static func suite() throws -> Report {
    let files = try ScenarioFile.paths(in: shippedFolder).map { try ScenarioFile(path: $0) }
    return try Sample(
      repetitions: 3, messages: 1500, latency: [.longPolling: 2.5],
      cpu: [.serverSentEvents: 0.9, .longPolling: 3], scatter: 0.05, memory: 4000,
      files: files.filter(\.isInSuite)
    ).report()
  }

  /// A transport of which no trial has run.
  private static func missing() throws -> Report {
    var report = try Sample(repetitions: 4).report()
    report.trials.removeAll { $0.transport == .serverSentEvents }
    report.state = .interrupted
    return report
  }

  private static func failed() throws -> Report {
    var report = try Sample(repetitions: 4).report()
    for index in report.trials.indices where report.trials[index].transport == .longPolling {
      report.trials[index].failures = [
        "lost 12 of 1,000 messages, the first of client 3: number 17 of 250, due at 1.25 s",
        "the clients sent 1,234,567 bytes and the server received 1,234,566",
      ]
      report.trials[index].delivery = Delivery(expected: 1000, delivered: 988, lost: 12)
    }
    return report
  }

  /// Disturbed trials, most of which were repeated in vain.
  private static func void() throws -> Report {
    var report = try Sample(repetitions: 3, scatter: 0.5).report()
    var validity = Validity()
    (validity.clientsWaited, validity.serverWaited, validity.serverBusy) = (0.21, 0.13, 0.97)
    validity.judge(medianLatency: nil)
    for index in report.trials.indices { report.trials[index].validity = validity }
    let plan = Plan(of: report)
    report.voided = zip(report.trials, plan.trials).map { VoidTrial($0, $1) }
    return report
  }

  /// Messages that took no time, no CPU and no bytes.
  private static func zero() throws -> Report {
    var report = try Sample(
      repetitions: 3,
      latency: [.webSocket: 0, .serverSentEvents: 0, .longPolling: 0],
      cpu: [.webSocket: 0, .serverSentEvents: 0, .longPolling: 0], memory: 0
    ).report()
    for index in report.trials.indices {
      report.trials[index].bytes?.up = ByteLayers()
      report.trials[index].bytes?.down = ByteLayers()
      report.trials[index].connection?.openMicroseconds = Durations()
    }
    return report
  }

  /// Hours of latency beside microseconds, and more bytes than a table is made for.
  private static func huge() throws -> Report {
    var report = try Sample(
      repetitions: 3, latency: [.webSocket: 1e7, .longPolling: 1e-3],
      cpu: [.longPolling: 1e9, .serverSentEvents: 1e5], memory: 40_000_000
    ).report()
    report.budgetUsers = Report.mostBudgetUsers
    for index in report.trials.indices where report.trials[index].transport == .longPolling {
      report.trials[index].bytes?.up.http = 9_000_000_000_000
      report.trials[index].bytes?.up.socket = 9_000_000_000_000
      report.trials[index].connection?.wireBytesUp = 1e9
      report.trials[index].connection?.wireBytesDown = 1e9
    }
    return report
  }

  /// Clients that idle, and no traffic at all.
  private static func quiet() throws -> Report {
    let file = try load(
      """
      {"name": "quiet", "description": "clients that only idle",
       "idle": {"steps": [250, 500, 750, 1000], "hold": "1 s"}}
      """)
    var report = try Sample(repetitions: 3, messages: 0, memory: 2345, files: [file]).report()
    for index in report.trials.indices {
      report.trials[index].bytes = nil
      report.trials[index].connection?.firstMessageMicroseconds = Durations()
    }
    return report
  }

  private static func faults() throws -> Report {
    var report = try Sample(
      repetitions: 2,
      keys: """
        "faults": [{"at": "1 s", "fault": "reset"}, {"at": "2 s", "fault": "mute down"}],
        """
    ).report()
    for index in report.trials.indices {
      var faults = FaultMeasurement()
      faults.outcomes = (report.scenarios[0].faults ?? []).map { FaultOutcome($0.name) }
      faults.struck = ["reset": 40, "mute": 40]
      faults.lost = 42
      for step in UInt64(1)...40 {
        faults.returnMicroseconds.histogram.record(step * step * 500_000)
        faults.recoverMicroseconds.histogram.record(step * step * 900_000 + 3_000_000)
      }
      (report.trials[index].bytes, report.trials[index].connection) = (nil, nil)
      report.trials[index].faults = faults
    }
    return report
  }

  /// Rates by sizes, with another winner in each corner.
  private static func crossover() throws -> Report {
    var report = try Sample(repetitions: 1, files: [try shipped("crossover")]).report()
    for index in report.trials.indices {
      let scenario = report.scenarios.first { $0.name == report.trials[index].scenario }
      guard let flow = scenario?.traffic.first else { continue }
      let rate = flow.rate.perSecond
      switch report.trials[index].transport {
      case .webSocket: report.trials[index].cpu.serverMicroseconds? *= rate < 10 ? 1.3 : 0.7
      case .serverSentEvents: break
      case .longPolling:
        let head = UInt64(300 / max(1, rate / 20)) * 1000
        report.trials[index].bytes?.down.http = head
        report.trials[index].bytes?.down.socket += head
      }
    }
    return report
  }

  /// Long polls whose latency follows theory.
  private static func polls() throws -> Report {
    var report = try Sample(repetitions: 1, files: [try shipped("poll-batching")]).report()
    for index in report.trials.indices {
      let scenario = report.scenarios.first { $0.name == report.trials[index].scenario }
      guard let scenario, let theory = LatencyTheory(scenario) else { continue }
      let isPolled = report.trials[index].transport == .longPolling
      let mean = (isPolled ? theory.polled : theory.pushed) * 1e6 + 300_000
      var histogram = Histogram()
      for step in 0..<1000 { histogram.record(UInt64(mean * (0.5 + Double(step) / 1000))) }
      report.trials[index].latencyMicroseconds = Durations(histogram)
    }
    return report
  }

  private static func nothing() throws -> Report {
    var report = try Sample().report()
    report.trials = []
    report.state = .running
    return report
  }

  private static func shipped(_ name: String) throws -> ScenarioFile {
    try ScenarioFile(path: "\(shippedFolder)/\(name).json")
  }
}

@Suite("Reports that are hard to show")
struct ExtremeReportTests {
  @Test("They are as they were, byte for byte; TRIWIRE_PAGES=DIR writes them to look at")
  func golden() throws {
    // The style may change; what is drawn and said may not, unless somebody looks.
    let digests = try ExtremeReports.pages().map { name, html, markdown in
      "\(name) \(digest(html.replacing(WebStyle.sheet, with: ""))) \(digest(markdown))"
    }
    #expect(digests.joined(separator: "\n") == goldenDigests)
    guard let folder = ProcessInfo.processInfo.environment["TRIWIRE_PAGES"] else { return }
    for (name, report) in try ExtremeReports.all() {
      let place = try ReportFolder(path: "\(folder)/\(name)")
      try place.write(report)
      try place.write([report], as: ReportFormat.written)
    }
  }

  @Test("None of them has figures out of the plane, words of the program, or a chart without table")
  func sound() throws {
    for (name, page, _) in try ExtremeReports.pages() {
      for word in ["nan", "inf\"", "Infinity", "Optional(", "\u{FFFD}"] {
        #expect(!page.contains(word), "\(name): \(word)")
      }
      let figures = page.components(separatedBy: "<figure>").dropFirst()
      #expect(figures.allSatisfy { $0.contains("<tbody>\n<tr>") }, "\(name)")
    }
  }

  @Test("The Markdown of the whole suite fits a comment, and of all shipped scenarios a summary")
  func fits() throws {
    let suite = try #require(try ExtremeReports.pages().first { $0.name == "suite" })
    #expect(suite.markdown.unicodeScalars.count <= 65_536)
    let files = try ScenarioFile.paths(in: shippedFolder).map { try ScenarioFile(path: $0) }
    let all = try Sample(repetitions: 3, messages: 100, memory: 4000, files: files).report()
    #expect(all.markdown.utf8.count <= 1 << 20)
  }

  /// FNV-1a, as short text.
  private func digest(_ text: String) -> String {
    let hash = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return String(hash, radix: 36)
  }
}

/// What the pages and the Markdown of the extreme reports come to.
let goldenDigests = """
  suite 1aqcci05v1c1s 3l1sqn0wmz0uw
  one 217emw0tmfv7m 1n54y9jalzpx5
  single 13wjht10v8vrf n13zf4njwuxi
  missing 7g8tz4xqfkp2 y6gi94hiiv20
  failed 2noiuacau3tph 36h6yvhksay30
  void 2eky3a9k7em6a 1467itzf2fzqd
  zero 2flw8q3rqvpgq 22rek304c4ejn
  huge 28v4e21bo3mh4 2mjqp1cxqgp6c
  quiet 2ksqbx00t66f6 1uap9g59bv4uc
  faults 343y7wdgeb7gh 2j1rpyzf2pdmr
  modes hwtxwupwc4b7 1p0qixadllt8l
  crossover 3gyeu83z84wfk 2guka5x5lakkx
  polls 3qrhf0rybexl1 2y3irbvxpcpjk
  nothing wpl88skjafrw qnp74dz9f9i7
  """
