import Testing
import Triwire

@testable import TriwireBench

/// A scenario that searches.
func searching(
  _ search: String = #""vary": "rate", "to": 100000, "slo": {"p99": "100 ms"}"#,
  _ keys: String = ""
) throws -> Scenario {
  try load(
    """
    {"name": "x", "clients": 10, \(keys) "search": {\(search)},
     "traffic": [{"direction": "echo", "rate": "10/s per client", "payload": "64 B"}]}
    """
  ).scenario
}

@Suite("The path of a search")
struct SearchPathTests {
  /// All steps against a server that holds up to a load, and lies in some of its answers.
  private func steps(
    _ path: SearchPath, holding capacity: Double, lyingAt lie: Int? = nil
  ) -> [SearchPath.Step] {
    var steps: [SearchPath.Step] = []
    while let level = path.next(after: steps) {
      let truth = level <= capacity
      steps.append(.init(level: level, held: steps.count == lie ? !truth : truth))
    }
    return steps
  }

  @Test(
    "The bracket holds the capacity, is as narrow as asked for, and what held did so twice",
    arguments: [0.5, 7, 99, 100, 101, 173, 3000, 54_321, 99_999], [0.02, 0.1, 0.5])
  func bracket(capacity: Double, precision: Double) throws {
    let scenario = try searching(
      #""vary": "rate", "to": 100000, "slo": {"p99": "100 ms"}, "probes": 60, "#
        + "\"precision\": \(precision)")
    let path = SearchPath(try #require(scenario.search), of: scenario)
    let steps = steps(path, holding: capacity)
    #expect(steps.first?.level == 100)
    let missed = try #require(path.missed(steps))
    #expect(missed > capacity)
    guard let held = path.held(steps) else {
      #expect(missed == path.least && capacity < path.least)
      return
    }
    #expect(held <= capacity)
    // A level has three digits.
    #expect(missed / held <= 1 + precision + 0.01)
    #expect(steps.filter { $0.level == held }.count == 2)
    #expect(steps.count < 30)
  }

  @Test("A search that holds to the end says so, and tries nothing beyond")
  func end() throws {
    let scenario = try searching()
    let path = SearchPath(try #require(scenario.search), of: scenario)
    let steps = steps(path, holding: .infinity)
    #expect(path.missed(steps) == nil && path.held(steps) == 100_000)
    #expect(steps.allSatisfy { $0.level <= 100_000 })
    #expect(steps.suffix(2).map(\.level) == [100_000, 100_000])
  }

  @Test("Clients are whole numbers, and never fewer than the groups need")
  func clients() throws {
    let scenario = try load(
      """
      {"name": "x", "clients": 40, "groups": 8,
       "search": {"vary": "clients", "to": 5000, "slo": {"p50": "1 s"}, "precision": 0.01},
       "traffic": [{"direction": "broadcast", "from": "clients", "rate": "1/s per client",
                    "payload": "64 B"}]}
      """
    ).scenario
    let path = SearchPath(try #require(scenario.search), of: scenario)
    for capacity in [0.0, 17, 41, 43, 4999] {
      let steps = steps(path, holding: capacity)
      #expect(steps.allSatisfy { $0.level == $0.level.rounded() && $0.level >= 16 })
      #expect(steps.count <= path.probes)
    }
  }

  @Test(
    "A single wrong answer costs precision, but never claims what did not hold", arguments: 0..<12)
  func lies(lie: Int) throws {
    let scenario = try searching()
    let path = SearchPath(try #require(scenario.search), of: scenario)
    let steps = steps(path, holding: 5000, lyingAt: lie)
    #expect(steps.count <= path.probes)
    let held = try #require(path.held(steps))
    // A lie that calls 5,001 held is found out when it is confirmed, since that takes two.
    #expect(held <= 5000)
    #expect(path.missed(steps).map { $0 > held } == true)
  }

  @Test("No more probes are spent than allowed, and a result that needed more says so")
  func bounded() throws {
    let scenario = try searching(
      #""vary": "rate", "to": 100000, "slo": {"p99": "100 ms"}, "probes": 5"#)
    let path = SearchPath(try #require(scenario.search), of: scenario)
    let steps = steps(path, holding: 5000)
    #expect(steps.count == 5)
    let probes = steps.map { CapacityProbe.sample($0.level, $0.held ? .held : .late) }
    #expect(CapacityMeasurement(probes, along: path).isUnfinished == true)
  }

  @Test("A load is the scenario with other rates or clients, and searches for nothing")
  func loads() throws {
    let scenario = try searching()
    let search = try #require(scenario.search)
    #expect(scenario.load(of: search) == 100)
    let loaded = scenario.loaded(search, to: 250)
    #expect(loaded.messagesPerSecond == 250 && loaded.search == nil && loaded.clients == 10)
    let more = try searching(#""vary": "clients", "to": 40, "slo": {"p99": "1 s"}"#)
    #expect(more.loaded(try #require(more.search), to: 30).messagesPerSecond == 300)
  }

  @Test(
    "What cannot be searched for is refused with what to write instead",
    arguments: [
      (
        #""vary": "rate", "to": 50, "slo": {"p99": "1 s"}"#, "",
        "search: the search begins with what the scenario says, 100 messages/s, and goes up to "
          + "50.0 messages/s: write a larger \"to\""
      ),
      (
        #""vary": "rate", "to": 500, "slo": {}"#, "",
        "search.slo: say how long messages may take: \"p99\": \"100 ms\", or \"p50\""
      ),
      (
        #""vary": "clients", "to": 500.5, "slo": {"p99": "1 s"}"#, "",
        "search.to: 500.5 is no number of clients, write a whole number"
      ),
      (
        #""vary": "clients", "to": 500000, "slo": {"p99": "1 s"}"#, "",
        "search: 500,000 clients are too many, write up to 100,000"
      ),
      (
        #""vary": "rate", "to": 500, "slo": {"p99": "1 s"}, "precision": 0.001"#, "",
        "search.precision: 0.001 is finer than trials can tell, write 0.01 to 1"
      ),
      (
        #""vary": "rate", "to": 900000, "slo": {"p99": "1 s"}"#, "",
        "search: at the end of the search, 900,000 messages/s: about 31,500,000 messages to send "
          + "are too many, the limit is 20,000,000: lower a rate or the duration"
      ),
      (
        #""vary": "rate", "to": 500, "slo": {"p99": "1 s"}"#,
        #""thresholds": {"latency.p99": "< 1 s"},"#,
        "thresholds: this does not go with \"search\", remove one of them"
      ),
    ])
  func refused(search: String, keys: String, message: String) {
    let error = #expect(throws: ScenarioError.self) { try searching(search, keys) }
    let said = error?.problems.map { "\($0.path): \($0.message)" }
    #expect(said == [message])
  }
}
