import Glibc
import TriwireBench

extension Command {
  /// `triwire compare`: what changed from one result to another.
  static let compareCommand = Command(
    name: "compare", summary: "say what is better or worse than in an earlier result",
    usage: "BASE NEW [OPTION …]",
    explanation: """
      BASE and NEW are folders that triwire run wrote, or their result.json. Each figure of each
      transport is compared run by run, with the interval that holds the true ratio with 95 %
      confidence. Worse is what exceeds the tolerance and is no chance: however much is compared,
      two results of the same build differ in less than 5 of 100 cases. It takes three repetitions,
      and six are better. Results of unlike settings are refused.

      Exits with 0 when all is equal, 2 when something is worse, 3 when the runs do not tell, and 4
      when something is better and nothing worse.
      """,
    options: [
      Option(
        "--metric", "KEY", "compare this figure (triwire explain lists them)", repeats: true),
      Option("--tolerance", "PERCENT", "no difference up to this counts, such as 5%"),
      Option("--paired", nil, "the runs of a repetition were made in turns, compare them in pairs"),
    ]
  ) { arguments in
    guard arguments.operands.count == 2 else {
      throw UsageError(message: "write two results: triwire compare BASE NEW")
    }
    let choices = ResultComparison.Choices(
      metrics: try arguments.metrics(), tolerance: try arguments.tolerance(),
      isPaired: arguments.has("--paired"))
    let base = try Report(path: arguments.operands[0])
    let new = try Report(path: arguments.operands[1])
    let comparison: ResultComparison
    do {
      comparison = try ResultComparison(of: new, against: base, choosing: choices)
    } catch {
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

extension Arguments {
  fileprivate func metrics() throws(UsageError) -> [String]? {
    let words = texts("--metric")
    for word in words where MetricGuide.named(word) == nil {
      let hint = Suggestion.phrase(for: word, among: MetricGuide.all.map(\.key), quoted: "\"")
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
