import Triwire

/// What has to hold, as test cases: one for each transport and assertion.
struct JUnitReport {
  private enum Outcome {
    case passed
    case failed(String)
    case skipped(String)
  }

  private struct Case {
    let name: String
    let outcome: Outcome
  }

  private let reports: [MachineReport]

  init(_ reports: [MachineReport]) { self.reports = reports }

  /// The cases as JUnit XML; what did not run, or cannot be told, is skipped and never passed.
  var xml: String {
    let suites = reports.flatMap { labelled in
      labelled.report.scenarios.map { scenario in
        suite(Comparison(scenario, in: labelled.report), of: labelled)
      }
    }
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="triwire">
      \(suites.joined(separator: "\n"))
      </testsuites>

      """
  }

  private func suite(_ comparison: Comparison, of labelled: MachineReport) -> String {
    let scenario = comparison.scenario
    let name = HTML.escaped(labelled.named(scenario.name))
    let cases =
      scenario.contenders.map { contender in
        delivery(scenario.name(of: contender), comparison)
      } + comparison.checks.map(JUnitReport.threshold)
    let failed = cases.count { if case .failed = $0.outcome { true } else { false } }
    let skipped = cases.count { if case .skipped = $0.outcome { true } else { false } }
    let environment = labelled.report.environment
    let properties = [
      ("triwire", environment.triwireVersion), ("kernel", environment.kernel),
      ("processor", environment.processor), ("cores", "\(environment.cores)"),
      ("profile", labelled.report.profile.rawValue), ("seed", "\(scenario.seed)"),
      ("repetitions", "\(scenario.repetitions)"),
    ].map { "<property name=\"\($0.0)\" value=\"\(HTML.escaped($0.1))\"/>" }
    return """
      <testsuite name="\(name)" tests="\(cases.count)" failures="\(failed)" errors="0" \
      skipped="\(skipped)" timestamp="\(HTML.escaped(environment.startedAt))">
      <properties>
      \(properties.joined(separator: "\n"))
      </properties>
      \(cases.map { text(of: $0, in: name) }.joined(separator: "\n"))
      </testsuite>
      """
  }

  private static func threshold(_ check: ThresholdCheck) -> Case {
    let name = "\(check.contender): \(check.threshold.key) \(check.threshold.text)"
    switch check.outcome {
    case .met: return Case(name: name, outcome: .passed)
    case .broken where check.threshold.isStrict:
      return Case(name: name, outcome: .failed(check.sentence))
    case .broken: return Case(name: name, outcome: .skipped("advice: \(check.sentence)"))
    case .open: return Case(name: name, outcome: .skipped(check.sentence))
    }
  }

  private func text(of test: Case, in suite: String) -> String {
    let start = "<testcase classname=\"\(suite)\" name=\"\(HTML.escaped(test.name))\""
    return switch test.outcome {
    case .passed: "\(start)/>"
    case .failed(let why):
      "\(start)><failure message=\"\(HTML.escaped(firstLine(why)))\">\(HTML.escaped(why))"
        + "</failure></testcase>"
    case .skipped(let why):
      "\(start)><skipped message=\"\(HTML.escaped(why))\"/></testcase>"
    }
  }

  private func firstLine(_ text: String) -> String { String(text.prefix { $0 != "\n" }) }

  private func delivery(_ name: String, _ comparison: Comparison) -> Case {
    let title = "\(name): every message arrives once and in order, and all bytes reconcile"
    guard let pool = comparison.pools.first(where: { $0.name == name }) else {
      return Case(name: title, outcome: .skipped("no trial of it has run"))
    }
    if !pool.failures.isEmpty {
      return Case(name: title, outcome: .failed(pool.failures.joined(separator: "\n")))
    }
    let planned = comparison.scenario.repetitions
    guard pool.trials.count >= planned else {
      return Case(
        name: title,
        outcome: .skipped("\(pool.trials.count) of \(planned) trials have run, none failed"))
    }
    return Case(name: title, outcome: .passed)
  }
}
