extension Report {
  /// What the runs of a scenario say about its contenders: a table of verdicts, or why there is none;
  /// `nil` where there is nothing to compare with.
  func verdicts(of scenario: Scenario) -> String? {
    let comparisons = comparisons(of: scenario)
    guard scenario.search == nil, scenario.contenders.count > 1 || !comparisons.isEmpty else {
      return nil
    }
    guard !comparisons.isEmpty else { return tooFewRuns(of: scenario) }
    let rows = comparisons.map { comparison in
      "| \(comparison.metric.name) | \(comparison.contender) against \(comparison.against) "
        + "| \(Figures.preciseRatio(comparison.result.ratio)) "
        + "| \(Figures.preciseRatio(comparison.result.low)) to \(Figures.preciseRatio(comparison.result.high)) "
        + "| \(comparison.result.verdictText) |"
    }
    return "| run by run | | ratio | 95 % interval | verdict |\n|---|---|---:|---:|---|\n"
      + rows.joined(separator: "\n")
  }

  /// Why there are no verdicts, and what to type for some.
  private func tooFewRuns(of scenario: Scenario) -> String {
    guard scenario.repetitions < MeanInterval.fewest else {
      return "Fewer than \(MeanInterval.fewest) repetitions have two whole trials with figures to "
        + "compare, so there are no verdicts."
    }
    let count = scenario.repetitions
    // Enough for each order to have its turn.
    let orders = balancedOrders(of: scenario.contenders).count
    let enough = orders * max(1, (MeanInterval.fewest + orders - 1) / orders)
    return "\(count == 1 ? "One repetition is" : "\(count) repetitions are") too few to compare: "
      + "differences may be chance. `--repetitions \(enough)` gives verdicts."
  }

  /// How verdicts are found, in a paragraph.
  var verdictLegend: String {
    let tolerances = ComparedMetric.allCases.map { metric in
      let tolerance = metric.tolerance
      let amount = tolerance.amount > 0 ? " or \(Figures.duration(tolerance.amount))" : ""
      return "\(metric.name) \(Figures.decimal(tolerance.part * 100, places: 0)) %\(amount)"
    }
    return """
      Verdicts: the runs of a repetition make a pair, and the interval holds the true ratio with \
      95 % confidence (Student's of up to \(MeanInterval.few) pairs, a bootstrap of more). `worse` \
      and `better`: all of it is beyond the smallest difference of interest \
      (\(tolerances.joined(separator: ", ")); what is more). `equal`: all of it is within. \
      `inconclusive`: neither; longer trials and a quieter machine need fewer repetitions. \
      Repetitions with a failed trial are left out. `again` is a control, the same contender \
      once more: what its interval reaches to is chance, and counts as equal.
      """
  }
}

extension Figures {
  /// A ratio with a digit more than the tables, since a percent may decide: `1.003×`.
  static func preciseRatio(_ ratio: Double) -> String {
    ratio < 9.9995 ? "\(decimal(ratio, places: 3))×" : Figures.ratio(ratio)
  }
}

extension RunComparison {
  /// The verdict in words, with what it would take where there is none.
  var verdictText: String {
    switch verdict {
    case .better, .worse: "**\(verdict.rawValue)**"
    case .equal: "equal (within \(Figures.percent(tolerance)))"
    case .inconclusive:
      furtherRuns.map { "inconclusive, \(grouped($0)) more repetitions may tell" }
        ?? "inconclusive, it may take more than \(grouped(RunComparison.mostFurtherRuns)) repetitions"
    }
  }
}
