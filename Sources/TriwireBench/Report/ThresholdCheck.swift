import Glibc
import Triwire

/// What came of a threshold for one contender.
struct ThresholdCheck {
  enum Outcome: Equatable {
    case met
    case broken
    /// It cannot be told, for this reason.
    case open(String)
  }

  let threshold: Threshold
  let contender: String
  let outcome: Outcome
  /// What was measured, as text.
  let figure: String
  /// The interval of the runs, as text; empty with too few of them.
  let interval: String

  /// Whether a run may not pass because of it.
  var isFailure: Bool { threshold.isStrict && outcome == .broken }

  /// Whether it should have been told and could not.
  var isOpen: Bool {
    guard case .open = outcome else { return false }
    return threshold.isStrict
  }

  /// Whether it concerns latency.
  var isLatency: Bool { threshold.metric.hasPrefix("latency.") }

  /// What was found, without a mark: `sse latency p99 3.21 ms, wanted < 50 ms`.
  var sentence: String {
    let name = Metric.named(threshold.metric)?.name ?? threshold.metric
    let found = "\(contender) \(name) \(figure)\(interval.isEmpty ? "" : " (\(interval))")"
    let wanted = "\(found), wanted \(threshold.text)"
    guard case .open(let reason) = outcome else { return wanted }
    return "\(wanted): \(reason)"
  }

  /// `✓`, `✗`, `!` for advice that was not met, and `?` where it cannot be told.
  var mark: String {
    switch outcome {
    case .met: "✓"
    case .broken: threshold.isStrict ? "✗" : "!"
    case .open: "?"
    }
  }
}

extension Comparison {
  /// The thresholds of the scenario, for each contender they concern.
  var checks: [ThresholdCheck] {
    (scenario.thresholds?.all ?? []).flatMap { threshold in
      scenario.contenders.filter { $0.poll == nil }.filter { contender in
        if let transport = threshold.transport { return contender.transport == transport }
        if case .times(_, let other) = threshold.bound { return contender.transport != other }
        return true
      }.map { check(threshold, $0) }
    }
  }

  private func check(_ threshold: Threshold, _ contender: Contender) -> ThresholdCheck {
    let result = { (outcome: ThresholdCheck.Outcome, figure: String, interval: String) in
      ThresholdCheck(
        threshold: threshold, contender: scenario.name(of: contender), outcome: outcome,
        figure: figure, interval: interval)
    }
    let open = { (reason: String) in result(.open(reason), Figures.none, "") }
    guard let metric = Metric.named(threshold.metric) else {
      return open("there is no such metric")
    }
    guard let pool = pools.first(where: { $0.contender == contender }) else {
      return open("no trial of it has run")
    }
    guard pool.failures.isEmpty else { return open("a trial of it failed") }
    guard let value = metric.value(pool) else {
      return open(
        metric.key.hasPrefix("latency.p") && pool.latency.count > 0
          ? "\(grouped(pool.latency.count)) messages are too few, ten have to be above it: measure longer"
          : "this was not measured")
    }
    let limit: Double
    var base: Pool?
    switch threshold.bound {
    case .figure(let figure): limit = figure
    case .times(let factor, let transport):
      base = pools.first {
        $0.contender.transport == transport && $0.contender.isLike(contender)
          && $0.contender.poll == nil
      }
      guard let base, base.failures.isEmpty, let other = metric.value(base) else {
        return open("there is no figure of \(transport.rawValue) to compare with")
      }
      limit = factor * other
    }
    let figure =
      base == nil
      ? metric.unit.text(value)
      : "\(metric.unit.text(value)), \(Figures.ratio(value / max(limit, .leastNonzeroMagnitude))) of the limit"
    if threshold.isInclusive ? value <= limit : value < limit { return result(.met, figure, "") }
    // Beyond the limit; with runs enough to tell, it has to be so beyond chance.
    guard let interval = runs(metric, pool, base) else { return result(.broken, figure, "") }
    var edge = limit
    if case .times(let factor, _) = threshold.bound { edge = factor }
    let text = { (value: Double) in base == nil ? metric.unit.text(value) : Figures.ratio(value) }
    let words = "95 % interval \(text(interval.low)) to \(text(interval.high))"
    return interval.low > edge || interval.low == interval.high
      ? result(.broken, figure, words)
      : result(.open("the runs scatter too much to tell, repeat more often"), figure, words)
  }

  /// The interval of the runs' mean figure, or of its ratio; `nil` of fewer than three.
  private func runs(_ metric: Metric, _ pool: Pool, _ base: Pool?) -> (low: Double, high: Double)? {
    let values = pool.trials.compactMap { trial -> Double? in
      let value = metric.value(Pool([trial], pool.name, of: pool.contender))
      guard let base else { return value }
      guard let twin = base.trials.first(where: { $0.repetition == trial.repetition }),
        let other = metric.value(Pool([twin], base.name, of: base.contender)), other > 0
      else { return nil }
      return value.map { $0 / other }
    }
    guard values.allSatisfy({ $0 > 0 }),
      let interval = MeanInterval(
        values.map { log($0) }, seed: scenario.seed.derived(for: metric.key))
    else { return nil }
    return (exp(interval.low), exp(interval.high))
  }
}

extension Report {
  /// How the thresholds of all scenarios came out.
  public enum ThresholdVerdict: Sendable, Equatable {
    /// All strict ones are met, or there are none.
    case met
    /// A strict one is broken.
    case broken
    /// None is broken, and a strict one cannot be told.
    case open
  }

  /// How the thresholds of all scenarios came out; advice does not count.
  public var thresholdVerdict: ThresholdVerdict {
    let checks = scenarios.filter { $0.thresholds != nil }.flatMap {
      Comparison($0, in: self).checks
    }
    if checks.contains(where: \.isFailure) { return .broken }
    return checks.contains(where: \.isOpen) ? .open : .met
  }
}
