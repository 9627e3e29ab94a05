import Triwire

extension Report {
  /// The tables of the report for a terminal or a pipe: aligned columns, one table per scenario.
  ///
  /// - Parameter page: What it is written on.
  /// - Returns: Lines with a line end each.
  package func text(on page: Page) -> String {
    let comparisons = scenarios.map { Comparison($0, in: self) }
    let checks = thresholds(comparisons, on: page)
    return (checks.isEmpty ? "" : checks + "\n")
      + comparisons.map { text(of: $0, on: page) }.joined(separator: "\n")
      + answer(comparisons, on: page)
  }

  /// Which transport to take, last, where a terminal stands then.
  private func answer(_ comparisons: [Comparison], on page: Page) -> String {
    let answers = answers(comparisons)
    let lines = answers.map { answer in
      let other = answer.runnerUp.map { " (runner-up \($0.contender.transport.rawValue))" } ?? ""
      let reasons = answer.reasons.joined(separator: "; ")
      return page.wrapped(
        "  \(answer.scenario): \(answer.recommendedText)\(other): \(reasons). Confidence: "
          + "\(answer.confidenceText).", hanging: 4)
    }
    guard !lines.isEmpty else { return "" }
    let most = scenarios.map(\.repetitions).max() ?? 0
    let few =
      most < MeanInterval.fewest && answers.contains { $0.confidence == .tooFew }
      ? page.wrapped(
        "  \(most == 1 ? "One repetition" : "\(most) repetitions") cannot tell a difference from "
          + "chance: --profile quick has three of each, --profile full as many as the scenario says.",
        hanging: 2)
      : ""
    return "\n" + page.bold("Which transport to take") + "\n" + lines.joined() + few
  }

  /// A line for each threshold and contender: a mark, the figure, and what was wanted.
  private func thresholds(_ comparisons: [Comparison], on page: Page) -> String {
    comparisons.flatMap { comparison in
      comparison.checks.map { check in
        let line = page.wrapped(
          "\(check.mark) \(comparison.scenario.name) \(check.sentence)", hanging: 4)
        return check.isFailure ? page.red(line) : line
      }
    }.joined()
  }

  private func text(of comparison: Comparison, on page: Page) -> String {
    let scenario = comparison.scenario
    let description = scenario.summary.isEmpty ? "" : "  \(scenario.summary)"
    let title = page.wrapped(scenario.name + description)
    let head = page.bold(scenario.name) + title.dropFirst(scenario.name.count)
    let failures = comparison.failures.map { page.red(page.wrapped("  \($0)", hanging: 4)) }
      .joined()
    guard !comparison.contenders.isEmpty else { return head + "  no trial of it has run\n" }
    let table = page.table(
      ["(×: times the best)"] + comparison.contenders,
      comparison.lines.map { [$0.metric] + $0.cells })
    let faults =
      comparison.outcomes.isEmpty
      ? ""
      : "\n"
        + page.table(
          ["what the clients did"] + comparison.contenders,
          comparison.outcomes.map { [$0.metric] + $0.cells })
    let published = comparison.publishedRows
    let beside =
      published.isEmpty ? "" : "\n" + page.table(Comparison.publishedHeads, published)
    let notes =
      (budgetLine(of: comparison).map { [$0] } ?? []) + [comparison.latencyNote]
      + comparison.settings + (comparison.omission.map { [$0] } ?? [])
      + comparison.publishedNotes + comparison.cautions
    return head + failures + table + faults + beside
      + notes.map { page.wrapped("  \($0)", hanging: 2) }.joined()
  }
}
