/// How thoroughly to measure: the same scenarios, for less or more time.
public enum Profile: String, Sendable, CaseIterable, Codable {
  /// One short repetition each: does it work, and roughly how do they compare?
  case smoke
  /// Three repetitions of ten seconds: figures to work with.
  case quick
  /// Everything as the scenario file says, six repetitions unless it says otherwise.
  case full

  /// What the profile shortens: never below nothing, never beyond what the file says.
  var limits: (repetitions: Int, warmUp: TimeSpan, duration: TimeSpan)? {
    switch self {
    case .smoke: (1, .seconds(1), .seconds(3))
    case .quick: (3, .seconds(2), .seconds(10))
    case .full: nil
    }
  }
}

extension Profile {
  /// How often a trial is repeated that the machine disturbed, unless the command line says.
  public var retries: Int {
    switch self {
    case .smoke: 0
    case .quick: 1
    case .full: 2
    }
  }
}

/// What a scenario file changes for one profile.
struct ProfileChanges: Sendable, Equatable {
  var clients: Int?
  var idle: IdleSteps?
  var warmUp: TimeSpan?
  var duration: TimeSpan?
  var drain: TimeSpan?
  var repetitions: Int?
}

extension Scenario {
  /// The scenario cut to a profile, with what its file changes for that profile.
  func shortened(to profile: Profile, with changes: ProfileChanges) -> Scenario {
    var result = self
    if let limits = profile.limits {
      result.repetitions = min(repetitions, limits.repetitions)
      result.warmUp = min(warmUp, limits.warmUp)
      // Not so much that a fault which happens once would fall out of it.
      let needed = (faults ?? []).map(\.end).max() ?? 0
      result.duration = min(
        duration, max(limits.duration, TimeSpan(nanoseconds: needed)))
    }
    result.clients = changes.clients ?? changes.idle?.steps.last ?? result.clients
    result.idle = changes.idle ?? result.idle
    result.warmUp = changes.warmUp ?? result.warmUp
    result.duration = changes.duration ?? result.duration
    result.drain = changes.drain ?? result.drain
    result.repetitions = changes.repetitions ?? result.repetitions
    return result
  }
}
