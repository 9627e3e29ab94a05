import Foundation
import Testing
import Triwire

@testable import TriwireBench

@Suite("Forms of a report")
struct ExportTests {
  @Test(
    "Each form is the same when it is made again from the written data",
    arguments: ReportFormat.allCases)
  func again(_ format: ReportFormat) throws {
    let report = try Sample(tls: [.off, .v1_3]).report()
    let files = try format.files(of: [report])
    #expect(!files.isEmpty && files.allSatisfy { !$0.bytes.isEmpty })
    #expect(try format.files(of: [Report(json: report.json)]) == files)
    // Two machines: nothing of the first is lost in the second.
    let both = try format.files(of: [report, report])
    #expect(both.reduce(0) { $0 + $1.bytes.count } > files.reduce(0) { $0 + $1.bytes.count })
    #expect(Set(both.map(\.name)).count == both.count)
  }

  @Test("The table has a row for each figure of each trial, and none for what is not known")
  func csv() throws {
    let report = try Sample(transports: [.webSocket]).report()
    let rows = try text(.csv, report).split(separator: "\n")
    #expect(rows[0] == "scenario,transport,tls,repetition,metric,unit,value,control,compression")
    #expect(rows.contains("x,websocket,off,2,delivered,1,1000,no,off"))
    #expect(rows.contains("x,websocket,off,3,bytesPerMessage,B,170.0,no,off"))
    #expect(rows.allSatisfy { $0.split(separator: ",").count == 9 })
    #expect(!rows.dropFirst().contains { $0.contains("latency.p99.9") || $0.contains(",tls") })
    let several = String(
      decoding: try ReportFormat.csv.files(of: [report, report])[0].bytes, as: UTF8.self)
    #expect(several.hasPrefix("machine,scenario,"))
    #expect(several.contains("\n2 Some Processor,x,websocket,"))
  }

  @Test("In JUnit what failed is a failure, and what cannot be told is skipped, not passed")
  func junit() throws {
    var report = try Sample(
      keys: "\"thresholds\": {\"latency.p50\": \"< 1 ns\", \"tlsHandshake.p50\": \"< 1 s\"},"
    ).report()
    report.trials.removeAll { $0.transport == .serverSentEvents && $0.repetition == 1 }
    for index in report.trials.indices where report.trials[index].transport == .longPolling {
      report.trials[index].failures = ["lost <1> of 2"]
    }
    let xml = try text(.junit, report)
    // Delivery: one passed, one short of a trial, one failed. p50: two broken, one void. TLS: none.
    #expect(xml.contains("tests=\"9\" failures=\"3\" errors=\"0\" skipped=\"5\""))
    #expect(xml.contains("<skipped message=\"2 of 3 trials have run, none failed\"/>"))
    #expect(xml.contains("lost &lt;1&gt; of 2"))
    #expect(
      xml.contains("name=\"websocket: latency.p50 &lt; 1 ns\"><failure message=\"websocket latency")
    )
    let parser = XMLCheck(xml)
    #expect(parser.count("testcase") == 9)
    #expect(parser.count("failure") == 3 && parser.count("skipped") == 5)
  }

  @Test("What services watch leaves out transports that failed")
  func feeds() throws {
    var report = try Sample().report()
    report.trials[0].failures = ["lost 1 of 2"]
    let failed = report.trials[0].transport.rawValue
    let list = try #require(
      try JSONSerialization.jsonObject(with: Data(text(.githubActionBenchmark, report).utf8))
        as? [[String: Any]])
    #expect(list.count == 8)
    #expect(list.allSatisfy { $0["value"] is Double && $0["unit"] is String })
    #expect(!list.contains { ($0["name"] as? String)?.contains(failed) == true })
    let bencher = try #require(
      try JSONSerialization.jsonObject(with: Data(text(.bencher, report).utf8))
        as? [String: [String: [String: Double]]])
    #expect(bencher.count == 2)
    for measures in bencher.values {
      let p50 = try #require(measures["latency.p50"])
      #expect(p50["lower_value"] ?? 9e9 <= p50["upper_value"] ?? 0)
    }
  }

  @Test("The percentile text has a row for each level, the last without its inverse, and a footer")
  func hdr() {
    var histogram = Histogram()
    for value in 1...1000 { histogram.record(UInt64(value) * 1_000_000) }
    let lines = histogram.hdrText.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "       Value     Percentile TotalCount 1/(1-Percentile)")
    #expect(lines[2] == "       1.000 0.000000000000          1           1.00")
    #expect(lines[3] == "     100.008 0.100000000000        100           1.11" as Substring)
    #expect(lines.contains { $0.hasSuffix(" 1.000000000000       1000") })
    #expect(lines[lines.count - 2] == "#[Buckets =           26, SubBuckets     =         2048]")
  }

  private func text(_ format: ReportFormat, _ report: Report) throws -> String {
    String(decoding: try format.files(of: [report])[0].bytes, as: UTF8.self)
  }
}

/// Counts the elements of XML, without a parser.
private struct XMLCheck {
  private let text: String
  init(_ text: String) { self.text = text }
  func count(_ name: String) -> Int { text.ranges(of: "<\(name) ").count }
}
