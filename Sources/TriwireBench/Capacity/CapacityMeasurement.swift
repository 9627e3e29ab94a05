import Triwire

/// What a search found: a bracket, and the probes that it came from.
public struct CapacityMeasurement: Sendable, Equatable, Codable {
  /// The most that held, twice; `nil` where nothing did.
  public var held: Double?
  /// The least that did not; `nil` where all held.
  public var missed: Double?
  /// What it was at ``missed``: only what is late or saturated is the server's limit.
  public var limit: CapacityProbe.Outcome?
  /// Whether the probes that were allowed did not suffice for the precision; `nil` is not.
  public var isUnfinished: Bool?
  /// All probes in the order they ran.
  public var probes: [CapacityProbe]

  /// What some probes found along a path.
  init(_ probes: [CapacityProbe], along path: SearchPath) {
    let counted = probes.filter(\.counts)
    let steps = counted.map(\.step)
    self.probes = probes
    held = path.held(steps)
    missed = path.missed(steps)
    limit = counted.last { $0.level == missed && $0.outcome != .held }?.outcome
    var unbounded = path
    unbounded.probes = .max
    isUnfinished = unbounded.next(after: steps) == nil ? nil : true
  }

  /// Whether the upper end of the bracket is the server's own.
  var isServersLimit: Bool { limit == .late || limit == .saturated }

  /// The probes that count, by load; of several of the same load the last.
  var curve: [CapacityProbe] {
    let counted = probes.filter(\.counts)
    return Set(counted.map(\.level)).sorted().compactMap { level in
      counted.last { $0.level == level }
    }
  }
}

extension TrialRun {
  /// Searches for a capacity: one probe after the other, each a trial with a fresh server.
  ///
  /// The figures of the measurement beside the search are those of the most that held.
  func search(_ search: CapacitySearch, _ watcher: Watcher?) async throws -> Measurement {
    let path = SearchPath(search, of: trial.scenario)
    var (probes, steps): ([CapacityProbe], [SearchPath.Step]) = ([], [])
    var measured: [Double: Measurement] = [:]
    var repeats = 0
    while let level = path.next(after: steps) {
      let run = try probe(search, at: level)
      let backlog = BacklogBox()
      let measurement = try await run.once(watcher, backlog)
      var probe = CapacityProbe(
        measurement, at: level, of: search, over: trial.scenario.duration, backlog.value)
      if probe.outcome == .disturbed, repeats < retries {
        repeats += 1
        probe.isVoid = true
        probes.append(probe)
        continue
      }
      repeats = 0
      probes.append(probe)
      steps.append(probe.step)
      measured[level] = measurement
    }
    let result = CapacityMeasurement(probes, along: path)
    let base = result.held ?? steps.last?.level
    var measurement = base.flatMap { measured[$0] } ?? Measurement(trial, startedAt: startedAt)
    measurement.startedAt = startedAt
    measurement.seed = trial.seed
    measurement.isControl = trial.isControl ? true : nil
    measurement.capacity = result
    // That a load was too much is the result; that none could be measured is a failure.
    let isFailed = result.held == nil && result.limit == .failed
    measurement.failures = isFailed ? probes.last?.reasons ?? [] : []
    return measurement
  }

  /// The trial under another load.
  private func probe(_ search: CapacitySearch, at level: Double) throws -> TrialRun {
    // Both processes read the rates from the same text.
    let scenario: Scenario = try decodeLine(
      String(decoding: encodeLine(trial.scenario.loaded(search, to: level)), as: UTF8.self))
    let probe = Trial(
      scenario: scenario, contender: trial.contender, repetition: trial.repetition,
      seed: trial.seed, isControl: trial.isControl)
    return TrialRun(
      probe, on: target, executable: executable, startedAt: startedAt,
      checksInterface: checksInterface)
  }
}

/// What a rig writes its backlog to.
final class BacklogBox {
  var value = Backlog()
}
