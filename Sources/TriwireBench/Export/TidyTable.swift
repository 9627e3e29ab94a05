import Triwire

/// All figures of all trials, a row for each: what data frames read.
struct TidyTable {
  private let reports: [MachineReport]

  init(_ reports: [MachineReport]) { self.reports = reports }

  /// The rows as CSV (RFC 4180), with LF at their ends, which all readers take.
  ///
  /// A percentile that too few messages bear has no row; what is not measured has one without a value.
  var csv: String {
    let isMixed = reports.contains { !$0.machine.isEmpty }
    let columns = [
      "scenario", "transport", "tls", "repetition", "metric", "unit", "value", "control",
      "compression",
    ]
    let rows = reports.flatMap { labelled in
      labelled.report.trials.flatMap { trial in
        TidyTable.figures(of: trial).map { metric, unit, value in
          (isMixed ? [labelled.machine] : []) + [
            trial.scenario, trial.contender.kind, trial.tls.rawValue, "\(trial.repetition)",
            metric, unit, value, trial.isControl == true ? "yes" : "no",
            trial.contender.compression.rawValue,
          ]
        }
      }
    }
    return ([(isMixed ? ["machine"] : []) + columns] + rows)
      .map { $0.map(TidyTable.field).joined(separator: ",") + "\n" }.joined()
  }

  private static func figures(
    of trial: Measurement
  ) -> [(metric: String, unit: String, value: String)] {
    let pool = Pool([trial], trial.contender.kind, of: trial.contender)
    let counts: [(String, UInt64)] = [
      ("failures", UInt64(trial.failures.count)), ("expected", trial.delivery.expected),
      ("delivered", trial.delivery.delivered), ("lost", trial.delivery.lost),
      ("duplicated", trial.delivery.duplicated), ("reordered", trial.delivery.reordered),
    ]
    return counts.map { ($0.0, "1", "\($0.1)") }
      + Metric.all.compactMap { metric in
        let text = metric.value(pool).map { "\($0)" }
        return (text ?? (metric.isUnmeasured(in: pool) ? "" : nil))
          .map { (metric.key, metric.unit.symbol, $0) }
      }
  }

  /// A field, in quotes where it has to be (RFC 4180 §2.6, §2.7).
  static func field(_ text: String) -> String {
    let needsQuotes = text.unicodeScalars.contains { "\",\r\n".unicodeScalars.contains($0) }
    return needsQuotes ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }
}
