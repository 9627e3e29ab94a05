import Testing
import Triwire

@testable import TriwireBench

@Suite("Scenarios with visitors")
struct VisitorsTests {
  private static let usual = """
    {"every": "500 ms", "stays": "2 s", "lines": 20, "payload": "120 B"}
    """

  private func scenario(_ visitors: String, more: String = "") throws -> Scenario {
    try load(
      """
      {"name": "x", "clients": 4, "duration": "10 s", \(more) "visitors": \(visitors), "traffic": [
        {"direction": "down", "rate": "10/s per client", "payload": "64 B"}],
       "profiles": {"smoke": {"duration": "10 s"}}}
      """
    ).scenario
  }

  @Test("Visitors come back from JSON as they were, and as many come as can be done in time")
  func reading() throws {
    let read = try scenario(Self.usual)
    let visitors = try #require(read.visitors)
    #expect(visitors.linesOfVisit == 40)
    // At 0, 0.5 … 7.5 s: whoever comes at 8 s would be there to the end.
    #expect(visitors.count(within: read.duration) == 16)
    #expect(visitors.count(within: .seconds(2)) == 0)
    let again: Scenario = try decodeLine(String(decoding: try encodeLine(read), as: UTF8.self))
    #expect(again == read)
  }

  @Test("The last word says when it was due, and no line is taken for it")
  func lines() {
    #expect(VisitLine.due(VisitLine.last(due: 123_456_789_012)) == 123_456_789_012)
    let line = VisitLine.text(120)
    #expect(line.count == 120 && VisitLine.due(line) == nil)
    #expect(VisitLine.due(Array("done soon".utf8)) == nil)
  }

  @Test(
    "What does not go is refused with what to write instead",
    arguments: [
      ("{\"every\": \"1 s\", \"lines\": 5, \"payload\": \"64 B\"}", "", "stays"),
      (
        "{\"every\": \"1 s\", \"stays\": \"10 s\", \"lines\": 5, \"payload\": \"64 B\"}", "",
        "write a longer duration, or shorter visits"
      ),
      (
        "{\"every\": \"1 s\", \"stays\": \"1 s\", \"lines\": 0, \"payload\": \"64 B\"}", "",
        "out of range"
      ),
      (
        usual, "\"faults\": [{\"at\": \"1 s\", \"fault\": \"cut\"}],",
        "a visitor does not come back"
      ),
    ])
  func refusals(_ visitors: String, _ more: String, _ sentence: String) throws {
    let error = #expect(throws: ScenarioError.self) { try scenario(visitors, more: more) }
    #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
  }
}
