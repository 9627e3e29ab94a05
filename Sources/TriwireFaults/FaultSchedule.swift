import TriwireIO

/// Faults by time.
public enum FaultSchedule {
  /// One fault and when it is there.
  public struct Entry: Sendable, Hashable {
    /// When it begins, from the start of the schedule.
    public var at: Duration
    /// How long its rule is in force.
    ///
    /// Nil lets it strike the connections that are there at that moment, and no later ones.
    public var lasting: Duration?
    /// What happens.
    public var rule: FaultRule

    /// Makes an entry.
    public init(at: Duration, for lasting: Duration? = nil, _ rule: FaultRule) {
      self.at = at
      self.lasting = lasting
      self.rule = rule
    }
  }
}

/// Goes through a schedule on the relay's loop; coarse, at most 16 ms late.
final class SchedulePlayer: TimerOwner {
  private enum Act {
    case add
    case remove
    case strike
  }

  private unowned let home: RelayLoop
  /// What is left to do, the next last.
  private var acts: [(time: UInt64, act: Act, rule: FaultRule)] = []
  private var timer: TimerID?

  init(_ schedule: [FaultSchedule.Entry], on home: RelayLoop) {
    self.home = home
    let start = EventLoop.clock()
    for entry in schedule {
      let begin = start + entry.at.nanoseconds
      guard let lasting = entry.lasting else {
        acts.append((begin, .strike, entry.rule))
        continue
      }
      acts.append((begin, .add, entry.rule))
      acts.append((begin + lasting.nanoseconds, .remove, entry.rule))
    }
    // Of two at one time the earlier in the schedule comes first.
    let order = acts.enumerated().sorted { one, other in
      (one.element.time, one.offset) > (other.element.time, other.offset)
    }
    acts = order.map(\.element)
    if let first = acts.last { timer = home.loop.wheel.arm(self, at: first.time) }
  }

  func stop() {
    if let timer { home.loop.wheel.cancel(timer) }
    timer = nil
    acts = []
  }

  func timerFired(now: UInt64) -> UInt64 {
    home.obey()
    while let next = acts.last, next.time <= now {
      acts.removeLast()
      switch next.act {
      case .add: home.add(next.rule)
      case .remove: home.remove(next.rule)
      case .strike: home.strike(next.rule)
      }
    }
    if let next = acts.last { return next.time }
    timer = nil
    return 0
  }
}
