extension TrialProgress {
  /// The progress in a few words: `measuring, 2,003 messages/s, p99 123 µs`.
  package var line: String {
    switch phase {
    case .connecting, .idling: shortLine
    case .warmingUp, .measuring: "\(phase.rawValue), \(rate) messages/s\(tail)"
    }
  }

  /// The progress in fewer words: `2,003/s, p99 123 µs`.
  package var shortLine: String {
    switch phase {
    case .connecting, .idling: "\(phase.rawValue), \(grouped(connected)) clients"
    case .warmingUp, .measuring: "\(rate)/s\(tail)"
    }
  }

  private var rate: String { grouped(Int(messagesPerSecond.rounded())) }
  private var tail: String { p99.map { ", p99 \(Figures.duration(Double($0) / 1000))" } ?? "" }
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
