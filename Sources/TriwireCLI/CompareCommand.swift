import Glibc
import Triwire
import TriwireBench

extension Command {
  /// `triwire compare`: what changed from one result to another.
  static let compareCommand = Command(
    name: "compare", summary: "say what is better or worse than in an earlier result",
    usage: "BASE NEW [OPTION …]",
    explanation: """
      BASE and NEW are folders that triwire run wrote, their result.json, or names of baselines
      (triwire baseline). Each figure of each transport is compared run by run, with the interval
      that holds the true ratio with 95 % confidence. Worse is what exceeds the tolerance (1 % of
      bytes, 5 % of other figures and 50 us of latency, unless --tolerance says otherwise) and is no
      chance: however much is compared, two results of the same build differ in less than 5 of 100
      cases. It takes three repetitions, and six are better. Results of unlike settings are refused.

      With --more-rounds, where the runs do not tell, as many repetitions as may be enough are
      measured of each, N at most, taking turns, added to the results, and judged once more. BASE
      is measured by the triwire that measured it: name it with --base-program if it is another.

      Exits with 0 when all is equal, 2 when something is worse, 3 when the runs do not tell, and 4
      when something is better and nothing worse.
      """,
    options: [
      Option(
        "--metric", "KEY", "compare this figure (triwire explain lists them)", repeats: true),
      Option("--tolerance", "PERCENT", "no difference up to this counts, such as 5%"),
      Option("--paired", nil, "the runs of a repetition were made in turns, compare them in pairs"),
      Option("--more-rounds", "N", "where the runs do not tell, measure up to N repetitions more"),
      Option("--base-program", "FILE", "the triwire to measure BASE with; this one unless given"),
    ]
  ) { arguments in
    guard arguments.operands.count == 2 else {
      throw UsageError(message: "write two results: triwire compare BASE NEW")
    }
    let choices = ResultComparison.Choices(
      metrics: try arguments.metrics(), tolerance: try arguments.tolerance(),
      isPaired: arguments.has("--paired"))
    let paths = try arguments.operands.map { try Baselines.path(of: $0) }
    let rounds = try arguments.number("--more-rounds", from: 1, to: 100)
    guard rounds != nil || !arguments.has("--base-program") else {
      throw UsageError(message: "--base-program is for --more-rounds N, write that as well")
    }
    var comparison: ResultComparison
    do {
      comparison = try ResultComparison(paths, choices)
      if let rounds, comparison.outcome == .inconclusive {
        let again = MoreRounds(
          count: min(rounds, comparison.furtherRuns ?? rounds), of: paths,
          with: [arguments.text("--base-program") ?? ownExecutable, ownExecutable])
        if let failure = try again.measure() { return failure }
        comparison = try ResultComparison(paths, choices)
      }
    } catch let error as UnlikeSettings {
      Output.complain("triwire: \(error)")
      return .usage
    }
    let page = Page.current(STDOUT_FILENO)
    Output.write(comparison.text(on: page), to: STDOUT_FILENO)
    for omission in comparison.omissions { Output.print("not compared: \(omission)") }
    switch comparison.outcome {
    case .equal:
      Output.print("equal")
      return .done
    case .worse:
      Output.print("worse")
      return .worse
    case .better:
      Output.print("better")
      return .better
    case .inconclusive:
      let advice = comparison.furtherRuns.map { "\($0) more repetitions of each may tell" }
      Output.print(
        "inconclusive: \(advice ?? "more repetitions may tell, longer trials, or a quieter machine")"
      )
      return .inconclusive
    }
  }
}

extension ResultComparison {
  /// Compares the second of two results with the first.
  fileprivate init(_ paths: [String], _ choices: Choices) throws {
    let base = try ResultFile(paths[0]).report
    try self.init(of: try ResultFile(paths[1]).report, against: base, choosing: choices)
  }
}

/// Further repetitions of two results.
private struct MoreRounds {
  let count: Int
  let of: [String]
  let with: [String]

  /// Measures them in turns, so that what changes with time strikes both.
  ///
  /// - Returns: How it ended, when it could not be done.
  func measure() throws -> ExitStatus? {
    let folders = of.map { path in
      path.hasSuffix("/\(ReportFolder.resultName)")
        ? String(path.dropLast(ReportFolder.resultName.count + 1)) : path
    }
    for round in 1...count {
      Output.complain("the runs do not tell: repetition \(round) of \(count) more of each")
      for (folder, program) in zip(folders, with) {
        let process = try ChildProcess(
          program, ["run", "--resume", folder, "--more-rounds", "1", "--quiet"])
        switch process.waitUntilGone() {
        case ExitStatus.done.rawValue, ExitStatus.inconclusive.rawValue,
          ExitStatus.thresholdBroken.rawValue:
          continue
        case ExitStatus.interrupted.rawValue: return .interrupted
        case let status:
          Output.complain("triwire: \(program) run --resume \(folder) ended with \(status)")
          return .failed
        }
      }
    }
    return nil
  }
}

extension Arguments {
  fileprivate func metrics() throws(UsageError) -> [String]? {
    let words = texts("--metric")
    for word in words where MetricGuide.named(word) == nil {
      let hint = Suggestion.phrase(forMetric: word, withTransport: false)
      throw UsageError(
        message: "--metric: there is no figure \"\(word)\""
          + (hint.isEmpty ? ", triwire explain lists all" : hint))
    }
    return words.isEmpty ? nil : words
  }

  fileprivate func tolerance() throws(UsageError) -> Double? {
    guard let text = text("--tolerance") else { return nil }
    let number = text.hasSuffix("%") ? String(text.dropLast()) : ""
    guard let percent = Double(number), percent >= 0, percent <= 1000 else {
      throw UsageError(
        message: "--tolerance is \(text), write a part in per cent up to 1000, such as 5%")
    }
    return percent / 100
  }
}
