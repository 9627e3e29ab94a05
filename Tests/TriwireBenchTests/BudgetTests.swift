import Testing
import Triwire

@testable import TriwireBench

@Suite("Budget")
struct BudgetTests {
  @Test("Each user takes what a client took: memory by its slope, lines and cores by the second")
  func sums() throws {
    let report = try Sample(repetitions: 3, scatter: 0, memory: 2000).report()
    let scenario = report.scenarios[0]
    let pool = Comparison(scenario, in: report).pools[0]
    let budget = try #require(Budget(pool, of: scenario, users: 1000))
    let memory = try #require(budget.memory)
    #expect(abs(memory.value - 2_000_000) < 20_000)
    // 118 bytes down for each of 1,000 messages, by 4 clients in the 30 s of the scenario.
    let seconds = scenario.duration.seconds * 4
    #expect(abs(try #require(budget.down).value - 118_000 / seconds * 8000) < 1e-6)
    #expect(abs(try #require(budget.up).value - 52_000 / seconds * 8000) < 1e-6)
    #expect(abs(try #require(budget.cores).value - 0.01 / seconds * 1000) < 1e-9)
    #expect(budget.cores?.range?.low == budget.cores?.value)
  }

  @Test("What was not measured is left out, and one run has no interval but that of memory")
  func unknown() throws {
    var report = try Sample(repetitions: 1).report()
    for index in report.trials.indices { report.trials[index].bytes = nil }
    let pool = Comparison(report.scenarios[0], in: report).pools[0]
    let budget = try #require(Budget(pool, of: report.scenarios[0], users: 10))
    #expect(budget.memory == nil && budget.up == nil && budget.down == nil)
    #expect(budget.cores?.range == nil)
    report.trials = report.trials.map { trial in
      var trial = trial
      trial.failures = ["lost"]
      return trial
    }
    let failed = Comparison(report.scenarios[0], in: report).pools[0]
    #expect(Budget(failed, of: report.scenarios[0], users: 10) == nil)
  }

  @Test("Idle clients take their heartbeats, and no cores that nobody has seen")
  func idle() throws {
    let file = try load(
      #"{"name": "i", "idle": {"steps": [10, 20, 30]}}"#)
    let report = try Sample(
      repetitions: 1, messages: 0, scatter: 0, memory: 1000, files: [file]
    ).report()
    let pool = Comparison(report.scenarios[0], in: report).pools[0]
    let budget = try #require(Budget(pool, of: report.scenarios[0], users: 100))
    // 52 bytes up, 144 times an hour.
    let expected = 52.0 * 144 * 8 * 100 / 3600
    #expect(abs(try #require(budget.up).value - expected) < 1e-6)
    #expect(budget.cores == nil)
    #expect(report.text(on: Page()).contains("50,000 users would take: websocket 50.0 MB, "))
  }

  @Test("The number of users is the report's, on the page, in Markdown, and when written and read")
  func users() throws {
    var report = try Sample(repetitions: 1).report()
    #expect(report.html.contains("Budget: what 50,000 users would take"))
    report.budgetUsers = 1234
    let again = try Report(json: report.json)
    #expect(again.html.contains("Budget: what 1,234 users would take"))
    #expect(again.markdown.contains("## Budget: what 1,234 users would take\n\n| scenario |"))
  }
}
