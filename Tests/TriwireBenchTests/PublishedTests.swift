import Testing
import Triwire

@testable import TriwireBench

@Suite("Published figures")
struct PublishedTests {
  private static let published = """
    "published": {"source": "https://example.org/paper", "citation": "A. Author, 2017",
      "why": "they count downloads alone", "values": [
        {"of": "ten messages", "transport": "websocket", "value": 1.5, "unit": "KB",
         "ours": "10 * app", "theirWay": "500 + 10 * payload.down - 40"},
        {"of": "bytes", "transport": "long-polling", "over": "websocket", "value": 4, "unit": "times",
         "ours": "wire"},
        {"of": "polls by the clock", "value": 6.6, "unit": "Mbit/s"},
        {"of": "mean", "transport": "sse", "value": 2, "unit": "ms", "ours": "latency.mean"}]},
    """

  @Test("Theirs, ours, and ours counted their way stand in each report, with the source")
  func reports() throws {
    let report = try Sample(keys: Self.published).report()
    let rows = Comparison(report.scenarios[0], in: report).publishedRows
    #expect(rows.map(\.count) == [4, 4, 4, 4])
    #expect(rows[0] == ["ten messages (websocket)", "1.50 KB", "0.660 KB", "1.10 KB"])
    #expect(rows[1] == ["bytes (long-polling over websocket)", "4.00×", "1.00×", Figures.none])
    #expect(rows[2] == ["polls by the clock", "6.60 Mbit/s", "not measured", Figures.none])
    #expect(rows[3][2].hasSuffix(" ms"))
    let page = Page()
    let html = String(
      decoding: try ReportFormat.html.files(of: [report])[0].bytes, as: UTF8.self)
    for text in [report.text(on: page), report.markdown, html] {
      #expect(text.contains("ours, counted their way"))
      #expect(text.contains("0.660 KB") && text.contains("not measured"))
      #expect(text.contains("https://example.org/paper"))
      #expect(text.contains("downloads alone"))
    }
  }

  @Test("A published figure comes back from JSON as it was")
  func roundTrip() throws {
    let scenario = try Sample(keys: Self.published).report().scenarios[0]
    let again: Scenario = try decodeLine(
      String(decoding: try encodeLine(scenario), as: UTF8.self))
    #expect(again == scenario)
    #expect(again.published?.values?[0].theirWay?.text == "500 + 10 * payload.down - 40")
  }

  @Test(
    "A counting that is none is refused with what to write instead",
    arguments: [
      ("apps", "\"apps\" is neither a number nor one of payload, payload.up"),
      ("5 *", "ends before it is whole"), ("", "ends before it is whole"),
      ("5 app", "\"app\" stands where +, -, * or / has to"), ("5*app", "neither a number nor"),
      ("-1", "neither a number nor"), ("inf", "neither a number nor"),
    ])
  func countings(_ text: String, _ sentence: String) {
    let error = #expect(throws: QuantityError.self) { try Counting(parsing: text) }
    #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
  }

  @Test("Products come before sums, and a quotient divides what stands before it")
  func arithmetic() throws {
    let pool = Pool([], "x", of: Contender(transport: .webSocket, tls: .off))
    for (text, value) in [
      ("2 + 3 * 4", 14.0), ("2 * 3 + 4", 10), ("12 / 3 / 2", 2), ("10 - 2 - 3", 5),
      ("10 - 2 * 3 / 6", 9), ("1.5", 1.5),
    ] { #expect(try Counting(parsing: text).value(pool) == value) }
    #expect(try Counting(parsing: "1 + app").value(pool) == nil)
  }

  @Test("What nobody measures cannot be counted")
  func refusal() throws {
    let error = #expect(throws: ScenarioError.self) {
      try Sample(
        keys: """
          "published": {"source": "x", "citation": "y", "values": [
            {"of": "z", "value": 1, "unit": "B", "ours": "app"}]},
          """
      ).report()
    }
    #expect(error?.description.contains("write a \"transport\" beside it") == true)
  }

  @Test("The mean in theory is R/2 for a push, and more for a long poll by what waits for it")
  func theory() throws {
    func theory(_ keys: String) throws -> LatencyTheory? {
      LatencyTheory(
        try load(
          """
          {"name": "x", "clients": 4, \(keys) "traffic": [
            {"direction": "down", "rate": "4/s per client", "payload": "64 B"}]}
          """
        ).scenario)
    }
    // λR is 1: 1 of 1 + 1/e messages find no poll and wait half a round trip more on average.
    let far = try #require(try theory("\"network\": {\"roundTrip\": \"250 ms\"},"))
    #expect(abs(far.pushed - 125) < 1e-9 && abs(far.polled - 216.382_322) < 1e-6)
    #expect(try theory("") == nil)
    #expect(try theory("\"network\": \"lossy-4g\",") == nil)
    let report = try Sample(keys: "\"network\": {\"roundTrip\": \"250 ms\"},").report()
    let lines = Comparison(report.scenarios[0], in: report).lines
    #expect(lines.contains { $0.metric == "in theory" && $0.cells.count == 3 })
    let html = String(
      decoding: try ReportFormat.html.files(of: [report])[0].bytes, as: UTF8.self)
    #expect(html.contains("long polling's mean in theory"))
  }
}
