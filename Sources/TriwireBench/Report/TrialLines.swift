extension TrialProgress {
  /// The progress in a few words: `measuring 40 %, 2,003 messages/s, p50 63.1 µs, p99 123 µs, no errors`.
  package var line: String {
    switch phase {
    case .connecting, .idling: shortLine
    case .warmingUp, .measuring:
      ([phase.rawValue + passed, "\(rate) messages/s"] + latencies + [mistakes ?? "no errors"])
        .joined(separator: ", ")
    }
  }

  /// The progress in fewer words: `40 %, 2,003/s, p50 63.1 µs, p99 123 µs`.
  package var shortLine: String {
    switch phase {
    case .connecting, .idling: "\(phase.rawValue), \(grouped(connected)) clients"
    case .warmingUp, .measuring:
      ([phase == .measuring ? String(passed.dropFirst()) : phase.rawValue, "\(rate)/s"] + latencies
        + [mistakes].compactMap { $0 }).filter { !$0.isEmpty }.joined(separator: ", ")
    }
  }

  private var passed: String { part.map { " \(Figures.decimal($0 * 100, places: 0)) %" } ?? "" }
  private var rate: String { grouped(Int(messagesPerSecond.rounded())) }
  private var latencies: [String] {
    [("p50", p50), ("p99", p99)].compactMap { name, value in
      value.map { "\(name) \(Figures.duration(Double($0) / 1000))" }
    }
  }
  private var mistakes: String? {
    errors == 0 ? nil : "\(grouped(errors)) \(errors == 1 ? "error" : "errors")"
  }
}

extension Measurement {
  /// The outcome in a line, what was lost or went wrong first.
  package var line: String {
    if let capacity {
      let held = capacity.held.map { "held \(Figures.decimal($0, places: 0))" } ?? "nothing held"
      let missed = capacity.missed.map { ", \(Figures.decimal($0, places: 0)) did not" } ?? ""
      let limit = capacity.limit.map { " (\($0.rawValue))" } ?? ""
      return (failures + ["\(held)\(missed)\(limit), \(capacity.probes.count) probes"])
        .joined(separator: ", ")
    }
    let latency = latencyMicroseconds.histogram
    let figures = [("p50", 50.0), ("p99", 99)].compactMap { name, percent in
      latency.soundPercentile(percent).map { "\(name) \(Figures.duration(Double($0) / 1000))" }
    }
    let delivered = "\(grouped(delivery.delivered)) of \(grouped(delivery.expected)) delivered"
    let maximum =
      latency.count > 0 ? ["max \(Figures.duration(Double(latency.maximum) / 1000))"] : []
    return (failures + [delivered] + figures + maximum).joined(separator: ", ")
  }
}
