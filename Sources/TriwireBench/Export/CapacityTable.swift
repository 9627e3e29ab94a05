import Triwire

/// All probes of all searches, a row for each: what data frames read.
struct CapacityTable {
  private let reports: [MachineReport]

  init(_ reports: [MachineReport]) { self.reports = reports }

  /// Whether anything was searched for.
  var isEmpty: Bool {
    !reports.contains { $0.report.scenarios.contains { $0.search != nil } }
  }

  private static let columns = [
    "scenario", "transport", "tls", "repetition", "control", "varied", "level", "outcome", "void",
    "deliveredPerSecond", "expected", "lost", "p50us", "p99us", "maxus", "sentLateP99us",
    "serverBusy", "clientsBusy", "serverCPUPerMessageus",
  ]

  /// The rows as CSV (RFC 4180), with LF at their ends; what is not known is empty.
  var csv: String {
    let isMixed = reports.contains { !$0.machine.isEmpty }
    let rows = reports.flatMap { labelled in
      labelled.report.trials.flatMap { trial in
        self.rows(of: trial, in: labelled.report).map { (isMixed ? [labelled.machine] : []) + $0 }
      }
    }
    return ([(isMixed ? ["machine"] : []) + CapacityTable.columns] + rows)
      .map { $0.map(TidyTable.field).joined(separator: ",") + "\n" }.joined()
  }

  private func rows(of trial: Measurement, in report: Report) -> [[String]] {
    let search = report.scenarios.first { $0.name == trial.scenario }?.search
    guard let search, let probes = trial.capacity?.probes else { return [] }
    let text = { (figure: Double?) in figure.map { "\($0)" } ?? "" }
    return probes.map { probe in
      [
        trial.scenario, trial.contender.kind, trial.tls.rawValue, "\(trial.repetition)",
        trial.isControl == true ? "yes" : "no", search.vary.rawValue, "\(probe.level)",
        probe.outcome.rawValue, probe.counts ? "no" : "yes", "\(probe.deliveredPerSecond)",
        "\(probe.expected)", "\(probe.lost)", text(probe.p50), text(probe.p99),
        text(probe.maximum), text(probe.sentLateP99), text(probe.serverBusy),
        "\(probe.clientsBusy)", text(probe.serverCPUPerMessage),
      ]
    }
  }
}
