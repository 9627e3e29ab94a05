import Testing
import Triwire

@testable import TriwireBench

@Suite("The page of a report")
struct WebReportTests {
  @Test("The same report gives the same page, also when it was written and read again")
  func deterministic() throws {
    let report = try Sample(tls: [.off, .v1_3]).report()
    let page = report.html
    #expect(report.html == page)
    #expect(try Report(json: report.json).html == page)
  }

  @Test(
    "Whatever is in a report, the page is whole, and no figure is out of the plane",
    arguments: [
      Sample(), Sample(repetitions: 1), Sample(repetitions: 4, scatter: 0.9),
      Sample(transports: [.longPolling]), Sample(tls: TLSMode.allCases), Sample(messages: 0),
      Sample(messages: 5),
      // From hours of latency to none at all, and a CPU that took none.
      Sample(latency: [.webSocket: 1e7, .serverSentEvents: 0], cpu: [.longPolling: 0]),
    ])
  func whole(_ sample: Sample) throws {
    let page = try sample.report().html
    try checkWhole(page)
    for word in ["nan", "inf\"", "Infinity", "Optional("] { #expect(!page.contains(word)) }
  }

  @Test("A report without trials, with one transport missing, or with a failed trial is whole")
  func partial() throws {
    var report = try Sample().report()
    report.trials.removeAll { $0.transport == .serverSentEvents }
    try checkWhole(report.html)
    report.trials[0].failures = ["lost 1 of 1,000 messages"]
    try checkWhole(report.html)
    #expect(report.html.contains("lost 1 of 1,000 messages</strong>"))
    report.trials = []
    try checkWhole(report.html)
    #expect(report.html.contains("<p>No trial of it has run.</p>"))
    #expect(report.html.contains("no trial of it has run"))
  }

  @Test("The page needs no network and no script, and forbids both")
  func alone() throws {
    let page = try Sample().report().html
    for word in ["http://", "https://", "src=", "<script", "url(", "@import", "<link"] {
      #expect(!page.contains(word), "\(word)")
    }
    #expect(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""))
  }

  @Test("What stands in a scenario file or a command is shown, not obeyed")
  func escaping() throws {
    var report = try Sample(description: "a <b>bold</b> & 'quoted' one").report()
    report.environment.commandLine = ["triwire", "run", "it's <x>.json"]
    let page = report.html
    #expect(page.contains("a &lt;b&gt;bold&lt;/b&gt; &amp; 'quoted' one"))
    #expect(!page.contains("<b>"))
    #expect(page.contains("triwire run 'it'\\''s &lt;x&gt;.json'"))
    #expect(HTML.escaped("\u{1B}[31m\0") == "\u{FFFD}[31m\u{FFFD}")
    try checkWhole(page)
  }

  @Test("Each picture has a name, and each chart its figures as a table")
  func accessible() throws {
    let page = try Sample().report().html
    let charts = page.components(between: "<figure>", and: "</figure>")
    #expect(charts.count == 5)
    for chart in charts {
      #expect(chart.contains("role=\"img\"><title>"))
      #expect(chart.contains("<table>"))
    }
    for picture in page.components(between: "<svg", and: ">") {
      #expect(picture.contains("role=\"img\"") || picture.contains("aria-hidden=\"true\""))
    }
  }

  @Test("Several machines are kept apart on one page, and no two places have the same name")
  func machines() throws {
    let report = try Sample().report()
    let page = Report.html(of: [report, report])
    try checkWhole(page)
    #expect(page.contains("<section id=\"r1-x\">") && page.contains("<section id=\"r2-x\">"))
  }

  @Test("Bytes by layer are drawn as they were always drawn")
  func golden() throws {
    let report = try Sample(transports: [.serverSentEvents]).report()
    let chart = ByteChart(Comparison(report.scenarios[0], in: report).pools).html
    let picture = try #require(
      chart.components(between: "<svg viewBox=\"0 0 460", and: "</svg>").first)
    #expect(picture == goldenBytes)
  }

  @Test(
    "Ticks of an axis are round, on it, and apart",
    arguments: [[1.0, 1.2], [0.1, 3000], [1e-3, 1e9], [5.0], []])
  func ticks(values: [Double]) {
    let axis = LogAxis(holding: values, from: 260, to: 10)
    let ticks = axis.ticks(apart: 20)
    #expect(!ticks.isEmpty)
    let places = ticks.map(axis.place)
    #expect(places.allSatisfy { (10...260).contains($0) })
    #expect(zip(places, places.dropFirst()).allSatisfy { $0 - $1 >= 20 })
  }

  /// All tags are closed in order, and all links lead somewhere.
  private func checkWhole(_ page: String) throws {
    var open: [Substring] = []
    for tag in page.components(between: "<", and: ">") {
      let name = tag.drop { $0 == "/" }.prefix { !" />\n".contains($0) }
      if tag.hasPrefix("!") || tag.hasSuffix("/") || ["meta", "br"].contains(name) { continue }
      if tag.hasPrefix("/") {
        try #require(open.popLast() == name, "\(tag) closes \(open.last ?? "nothing")")
      } else {
        open.append(name)
      }
    }
    #expect(open == [])
    let places = page.components(between: " id=\"", and: "\"")
    #expect(Set(places).count == places.count)
    for link in page.components(between: "href=\"#", and: "\"") { #expect(places.contains(link)) }
  }
}

extension StringProtocol {
  /// All that stands between two words, in order.
  fileprivate func components(between start: String, and end: String) -> [Substring] {
    var rest = Substring(self)
    var found: [Substring] = []
    while let first = rest.firstRange(of: start) {
      rest = rest[first.upperBound...]
      guard let last = rest.firstRange(of: end) else { break }
      found.append(rest[..<last.lowerBound])
      rest = rest[last.upperBound...]
    }
    return found
  }
}

/// The bytes of the sample over Server-Sent Events, after the start of the element.
let goldenBytes = #"""
   72" role="img"><title>Bytes on the wire per message, by layer; the figures are in the table below</title>
  <rect x="2.5" y="8.5" width="9" height="9" class="dot c1"/>
  <text x="18" y="17" class="b">sse</text>
  <text x="0" y="38" class="s">up</text>
  <rect x="36.8" y="25" width="163.1" height="18" class="bar l5"><title>TCP/IP 52.0 B</title></rect>
  <text x="205.9" y="38" class="s">52.0 B</text>
  <text x="0" y="60" class="s">down</text>
  <rect x="36.8" y="47" width="200.7" height="18" class="bar l0"><title>payload 64.0 B</title></rect>
  <rect x="237.5" y="47" width="6.3" height="18" class="bar l1"><title>framing 2.0 B</title></rect>
  <rect x="243.7" y="47" width="163.1" height="18" class="bar l5"><title>TCP/IP 52.0 B</title></rect>
  <text x="412.8" y="60" class="s">118 B</text>

  """#
