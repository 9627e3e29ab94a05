import Triwire

extension Report {
  /// The most bytes of Markdown: GitHub takes so many characters as a comment.
  static let markdownBytes = 65_536

  /// The report as GitHub-flavoured Markdown: what was lost, a table per scenario, the machine.
  ///
  /// It fits a comment, which has 65,536 characters at most: of a larger report the longest scenarios
  /// are left without their tables, and what is still too long ends early; both say so. The same
  /// report always gives the same text.
  public var markdown: String {
    let comparisons = scenarios.map { Comparison($0, in: self) }
    let before = [
      heading, failureList(comparisons), answerTable(comparisons), thresholdList(comparisons),
    ]
    let after = [budget(comparisons), legend, machine]
    var sections = comparisons.map { section($0) }
    var size = joined(before + sections + after).utf8.count
    let longestFirst = sections.indices.sorted {
      (-sections[$0].utf8.count, $0) < (-sections[$1].utf8.count, $1)
    }
    for index in longestFirst where size > Self.markdownBytes {
      let brief = section(comparisons[index], isBrief: true)
      size += brief.utf8.count - sections[index].utf8.count
      sections[index] = brief
    }
    return cut(joined(before + sections + after))
  }

  private func joined(_ parts: [String]) -> String {
    parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  /// As many whole lines as fit, and that some do not.
  private func cut(_ text: String) -> String {
    guard text.utf8.count > Self.markdownBytes else { return text }
    let notice = "\n\nThe rest does not fit a comment; report.html has all of it.\n"
    let room = text.utf8.prefix(Self.markdownBytes - notice.utf8.count)
    guard let end = room.lastIndex(of: UInt8(ascii: "\n")) else { return notice }
    return text[..<end] + notice
  }

  private var heading: String {
    let progress =
      switch state {
      case .complete: "All \(grouped(plannedTrials)) trials ran."
      case .running: "\(grouped(trials.count)) of \(grouped(plannedTrials)) trials have run so far."
      case .interrupted:
        "Interrupted after \(grouped(trials.count)) of \(grouped(plannedTrials)) trials."
      }
    return "# WebSocket, Server-Sent Events and long polling compared\n\n"
      + "Profile `\(profile.rawValue)`, started \(environment.startedAt). \(progress)"
  }

  private func failureList(_ comparisons: [Comparison]) -> String {
    let failures = comparisons.flatMap { comparison in
      comparison.failures.map { "- **\(comparison.scenario.name)**, \($0)" }
    }
    guard !failures.isEmpty else { return "" }
    return "## Failed trials\n\n" + failures.joined(separator: "\n")
  }

  private func answerTable(_ comparisons: [Comparison]) -> String {
    let rows = answers(comparisons).map { answer in
      let text = answer.recommendedText
      let recommended = answer.recommended != nil && answer.isBorne ? "**\(text)**" : text
      return "| \(answer.scenario) | \(recommended) "
        + "| \(answer.runnerUp?.contender.transport.rawValue ?? Figures.none) "
        + "| \(answer.reasons.joined(separator: "; ")) | \(answer.confidenceText) |"
    }
    let rule = Answer.rule.enumerated().map { "\($0 + 1). \($1)" }.joined(separator: "\n")
    return "## Answer\n\n| scenario | recommended | runner-up | why | confidence |\n"
      + "|---|---|---|---|---|\n" + rows.joined(separator: "\n")
      + "\n\n<details><summary>The rule that chose</summary>\n\n\(rule)\n\n</details>"
  }

  private func thresholdList(_ comparisons: [Comparison]) -> String {
    let lines = comparisons.flatMap { comparison in
      comparison.checks.map { "- \($0.mark) \(comparison.scenario.name) \($0.sentence)" }
    }
    return lines.isEmpty ? "" : "## Thresholds\n\n" + lines.joined(separator: "\n")
  }

  private func section(_ comparison: Comparison, isBrief: Bool = false) -> String {
    let scenario = comparison.scenario
    let description = scenario.summary.isEmpty ? "" : "\n\n\(scenario.summary)."
    let head = "## \(scenario.name)\(description)"
    let first = comparison.failures.map { "**\($0)**\n\n" }.joined()
    guard !comparison.contenders.isEmpty else { return "\(head)\n\nNo trial of it has run." }
    if isBrief {
      return "\(head)\n\n\(first)Its tables do not fit a comment; report.html has them."
    }
    let outcomes =
      comparison.outcomes.isEmpty
      ? ""
      : "\n\n" + table("what the clients did", comparison.contenders, comparison.outcomes)
    let notes =
      comparison.settings + (comparison.omission.map { [$0] } ?? []) + comparison.publishedNotes
      + comparison.cautions
    let verdicts = verdicts(of: scenario).map { [$0] } ?? []
    let curve = comparison.curveTable.map { [$0] } ?? []
    return "\(head)\n\n\(first)" + table("", comparison.contenders, comparison.lines) + outcomes
      + published(comparison)
      + (curve + verdicts + notes).map { "\n\n\($0)" }.joined()
  }

  private func published(_ comparison: Comparison) -> String {
    let rows = comparison.publishedRows.map { "| \($0.joined(separator: " | ")) |" }
    guard !rows.isEmpty else { return "" }
    return "\n\n| \(Comparison.publishedHeads.joined(separator: " | ")) |\n|---|---:|---:|---:|\n"
      + rows.joined(separator: "\n")
  }

  private func table(_ title: String, _ contenders: [String], _ lines: [Comparison.Line]) -> String
  {
    let names = contenders.map { " \($0) |" }.joined()
    let rule = contenders.map { _ in "---:|" }.joined()
    let rows = lines.map { line in
      "| \(line.metric) |" + line.cells.map { " \($0) |" }.joined()
    }
    let corner = title.isEmpty ? " " : " \(title) "
    return "|\(corner)|\(names)\n|---|\(rule)\n" + rows.joined(separator: "\n")
  }

  private func budget(_ comparisons: [Comparison]) -> String {
    let rows = comparisons.flatMap { comparison in
      budgets(of: comparison).map { budget in
        "| \(comparison.scenario.name) | \(budget.pool.name) | "
          + budget.cells.joined(separator: " | ") + " |"
      }
    }
    guard !rows.isEmpty else { return "" }
    return "## Budget: what \(grouped(users)) users would take\n\n| scenario | transport | "
      + Budget.heads.joined(separator: " | ") + " |\n|---|---|---:|---:|---:|---:|\n"
      + rows.joined(separator: "\n") + "\n\n\(Budget.assumption)"
  }

  private var legend: String {
    "## How to read this\n\n" + legendItems.map { "- \($0)" }.joined(separator: "\n")
  }

  /// How to read a report, a paragraph for each matter, with code between grave accents.
  var legendItems: [String] {
    [
      """
      Latency is from the moment a message should have been sent to the moment it arrived, and a \
      round trip where it is echoed. `(1.19×)` is relative to the best of the line. Percentiles with \
      fewer than ten messages above them are left out.
      """,
      """
      Bytes, packets and CPU time are per delivered message, both directions together. `wire` is \
      everything in IP packets; `overhead` is what travels beyond the payload.
      """,
      "`sent late` is how much later than planned the load generator sent: what it adds by itself.",
      """
      Memory is what the server's private memory grows by with each idle connection, left out \
      where it does not stand clearly above chance.
      """,
      """
      A trial is `disturbed` when messages left late, when threads had to wait for a core, or when \
      the clock was adjusted: it says more about the machine than about the transport. It is repeated \
      as often as the profile says.
      """,
    ] + (comparisons.isEmpty ? [] : [verdictLegend])
      + (scenarios.contains { $0.faults != nil } ? [faultLegend] : [])
  }

  private var faultLegend: String {
    """
    Faults: `noticed` is from the fault that cost a client its connection to the moment it found \
    that lost, `back` from then until another carried its session. Of one fault the longest are \
    shown, and what carried the sessions then. A fault can also strike a client that is on its way \
    back.
    """
  }

  private var machine: String {
    "## Machine\n\n| | |\n|---|---|\n"
      + machineRows.map { "| \($0.0) | \($0.0 == "command" ? "`\($0.1)`" : $0.1) |" }
      .joined(separator: "\n")
  }

  /// The server that was measured, where it was not started for each trial.
  private var targetRows: [(String, String)] {
    if let foreign { return [("foreign servers", foreign.text)] }
    guard let target else { return [] }
    let pinning = target.pinning.isEmpty ? "" : ", \(target.pinning)"
    return [
      ("target", target.url),
      (
        "target's machine",
        "\(target.processor), \(target.cores) cores, \(target.kernel)\(pinning), "
          + "Triwire \(target.triwireVersion), \(target.compiler)"
      ),
    ]
  }

  /// The machine and its settings, a name and a text each.
  var machineRows: [(String, String)] {
    let load = environment.load.map { load in
      load.averages.map { Figures.decimal($0, places: 2) }.joined(separator: " ")
        + (load.cpuPressure.map { ", pressure \(Figures.decimal($0, places: 2)) %" } ?? "")
    }
    let seeds = scenarios.map { "\($0.name) \($0.seed)" }.joined(separator: ", ")
    return [
      ("Triwire", "\(environment.triwireVersion), \(environment.compiler)"),
      ("command", environment.commandLine.joined(separator: " ")),
      ("seeds", seeds),
      ("kernel", environment.kernel),
      ("processor", "\(environment.processor), \(environment.cores) cores"),
      ("pinning", environment.pinning.isEmpty ? "none" : environment.pinning),
      ("kept from going idle", environment.keptAwake.isEmpty ? "none" : environment.keptAwake),
    ] + targetRows + [
      ("clock source", environment.clockSource),
      (
        "measured connections",
        "\(environment.congestionControl), segments up to \(grouped(environment.maximumSegment)) B"
      ),
      (
        "settings of TCP",
        environment.tcpSettings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
          .joined(separator: ", ")
      ),
      ("descriptors", environment.descriptorLimits.map { grouped($0) }.joined(separator: " of ")),
      ("load before and after", load.joined(separator: "; ")),
    ]
  }
}
