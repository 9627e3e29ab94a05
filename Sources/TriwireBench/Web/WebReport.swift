import Triwire

extension Report {
  /// The report as a page of its own: one file that needs no network and no script.
  ///
  /// The same report always gives the same bytes.
  public var html: String { Report.html(of: [self]) }

  /// Several reports as one page, each with its own machine and figures.
  ///
  /// - Parameter reports: What to show, in that order; figures of different ones are never mixed.
  /// - Returns: A whole HTML document.
  public static func html(of reports: [Report]) -> String {
    let parts = reports.enumerated().map { index, report in
      WebReport(report, prefix: reports.count > 1 ? "r\(index + 1)-" : "").html
    }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <title>\(WebReport.title)</title>
      <style>
      \(WebStyle.sheet)
      </style>
      </head>
      <body>
      <main>
      \(parts.joined(separator: "\n"))
      </main>
      </body>
      </html>

      """
  }
}

/// One report as a part of a page, the answer first.
struct WebReport {
  static let title = "WebSocket, Server-Sent Events and long polling compared"

  let report: Report
  let comparisons: [Comparison]
  /// What the names of its places begin with.
  let prefix: String

  init(_ report: Report, prefix: String) {
    self.report = report
    self.prefix = prefix
    comparisons = report.scenarios.map { Comparison($0, in: report) }
  }

  var html: String {
    let environment = report.environment
    let machine = "\(environment.processor), \(environment.cores) cores, \(environment.kernel)"
    let place =
      "\(grouped(report.scenarios.count)) "
      + (report.scenarios.count == 1 ? "scenario" : "scenarios")
    let families = SweepFamily.all(comparisons)
    let parts =
      [
        """
        <header><h1>\(WebReport.title)</h1>
        <p class="soft">\(place) on \(HTML.escaped(machine)); started \
        <span class="name">\(HTML.escaped(environment.startedAt))</span>, profile \(report.profile.rawValue)</p></header>
        """,
        answer, validity, WebOverview(comparisons, prefix: prefix).html, contents,
      ]
      + comparisons.map { comparison in
        let isPoint = families.contains { $0.holds(comparison) }
        return WebCard(comparison, of: report, prefix: prefix, isPoint: isPoint).html
      } + families.map { SweepCharts($0).html } + [budget, method, reproduce]
    return "<article>\n\(parts.filter { !$0.isEmpty }.joined(separator: "\n"))\n</article>"
  }

  private var answer: String {
    let columns = ["scenario", "recommended", "runner-up", "why", "confidence"]
    let head = columns.map { "<th scope=\"col\">\($0)</th>" }.joined()
    let rows = report.answers(comparisons).map { answer in
      let name = { (pool: Pool) in
        let mark = Drawing.inlineMark(pool.contender.transport)
        return "<span class=\"name\">\(mark)\(pool.contender.transport.rawValue)</span>"
      }
      let cells = [
        answer.recommended.map { pool in
          answer.isBorne ? "<strong>\(name(pool))</strong>" : "\(name(pool)) leads, for now"
        } ?? "nobody",
        answer.runnerUp.map(name) ?? Figures.none,
        answer.reasons.map(HTML.escaped).joined(separator: "<br>"),
        HTML.escaped(answer.confidenceText),
      ]
      let use =
        answer.useCase == answer.scenario
        ? ""
        : "<br><span class=\"soft use\">\(HTML.escaped(answer.useCase))</span>"
      return "<tr><th scope=\"row\">\(HTML.escaped(answer.scenario))\(use)</th>"
        + zip(columns.dropFirst(), cells).map { "<td data-name=\"\($0)\">\($1)</td>" }.joined()
        + "</tr>"
    }
    let rule = "<ol>\(Answer.rule.map { "<li>\(HTML.escaped($0))</li>" }.joined())</ol>"
    return """
      <section class="answer"><h2>Which transport to take</h2>
      \(HTML.table("The answer", head: head, body: rows, silent: true))
      <p class="soft">A number behind a name says how many times as much that one takes: 1.28× is 28 % more, 0.97× is less.</p>
      \(HTML.details("The rule that chose", rule))
      </section>
      """
  }

  private var validity: String {
    let failures = comparisons.flatMap { comparison in
      comparison.failures.map { "\(comparison.scenario.name), \($0)" }
    }
    let cautions = comparisons.flatMap { comparison in
      comparison.cautions.map { "\(comparison.scenario.name), \($0)" }
    }
    let repetitions = Set(report.scenarios.map(\.repetitions)).sorted()
    let counts = repetitions.map { grouped($0) }.joined(separator: ", ")
    let isComplete = report.trials.count == report.plannedTrials
    let items = [
      mark(
        isComplete,
        "\(grouped(report.trials.count)) of \(grouped(report.plannedTrials)) trials ran"),
      mark(
        failures.isEmpty,
        failures.isEmpty ? "no trial failed" : counted(failures.count, "failure")),
      mark(
        cautions.isEmpty,
        cautions.isEmpty ? "no core was fought for" : counted(cautions.count, "caution")),
      mark(
        (repetitions.first ?? 0) >= MeanInterval.fewest,
        "\(counts) \(counts == "1" ? "repetition" : "repetitions")"),
    ]
    let lists = [("Failures", failures), ("Cautions", cautions)].filter { !$0.1.isEmpty }.map {
      title, sentences in
      let list = "<ul>\(sentences.map { "<li>\(HTML.escaped($0))</li>" }.joined())</ul>"
      // More than a few would push the figures out of sight.
      return "<h3>\(title)</h3>\n"
        + (sentences.count > 6 ? HTML.details(counted(sentences.count, "sentence"), list) : list)
    }
    return """
      <section><h2>How far to trust it</h2>
      \(HTML.list(items, style: "strip"))
      \(thresholds)
      \(noise)
      \(lists.joined(separator: "\n"))
      </section>
      """
  }

  private var thresholds: String {
    let checks = comparisons.flatMap { comparison in
      comparison.checks.map { check in
        let style = check.outcome == .met ? "good" : "bad"
        return "<li><span class=\"\(style)\">\(check.mark)</span> "
          + "\(HTML.escaped("\(comparison.scenario.name) \(check.sentence)"))</li>"
      }
    }
    guard !checks.isEmpty else { return "" }
    return "<h3>Thresholds</h3>\n<ul class=\"plain\">\(checks.joined(separator: "\n"))</ul>"
  }

  private func counted(_ count: Int, _ thing: String) -> String {
    "\(grouped(count)) \(thing)\(count == 1 ? "" : "s")"
  }

  private func mark(_ isGood: Bool, _ text: String) -> String {
    "<span class=\"\(isGood ? "good" : "bad")\">\(isGood ? "✓" : "!")</span> \(text)"
  }

  /// What the control says chance alone does.
  private var noise: String {
    let controls = comparisons.flatMap { comparison in
      comparison.verdicts.filter { $0.contender == "\($0.against) again" }
    }
    guard !controls.isEmpty else {
      return "<p class=\"soft\">No control ran: <code>--control</code> shows what chance alone "
        + "does.</p>"
    }
    let rows = controls.map { control in
      [
        control.scenario, control.metric.name, control.against,
        "up to \(Figures.preciseRatio(1 + control.result.noiseFloor))",
      ]
    }
    return HTML.details(
      "Noise: what the control differs from itself by",
      HTML.table(
        "Noise", ["scenario", "metric", "transport", "by chance"], rows, flushRight: false,
        silent: true))
  }

  private var contents: String {
    guard comparisons.count > 1 else { return "" }
    let links = comparisons.map { comparison in
      let name = HTML.escaped(comparison.scenario.name)
      return "<li><a href=\"#\(prefix)\(name)\">\(name)</a></li>"
    }
    return "<nav aria-label=\"Scenarios\"><ul>\(links.joined())</ul></nav>"
  }
}
