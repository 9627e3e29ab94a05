extension TrialProgress {
  /// The progress in a few words: `measuring, 2,003 messages/s, p99 123 µs`.
  package var line: String {
    switch phase {
    case .connecting, .idling: return "\(phase.rawValue), \(grouped(connected)) clients"
    case .warmingUp, .measuring, .draining:
      let rate = "\(grouped(Int(messagesPerSecond.rounded()))) messages/s"
      let tail = p99.map { ", p99 \(Figures.duration(Double($0) / 1000))" } ?? ""
      return "\(phase.rawValue), \(rate)\(tail)"
    }
  }
}

extension Measurement {
  /// The outcome in a line, what was lost or went wrong first.
  package var line: String {
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
