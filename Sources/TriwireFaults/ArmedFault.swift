import TriwireIO

/// A fault that is to strike a link, or that lasts there.
final class ArmedFault: TimerOwner {
  let active: ActiveRule
  private unowned let link: Link
  private var timer: TimerID?
  /// The last arrival when the link seemed idle for the first time.
  private var looked: UInt64?
  private(set) var hasStruck = false

  var rule: FaultRule { active.rule }

  init(_ active: ActiveRule, on link: Link) {
    self.active = active
    self.link = link
  }

  /// Whether it belongs to one answer rather than to the connection.
  var isOfAnswer: Bool {
    if case .answer = rule.moment { return true }
    return isBuffer
  }

  var isBuffer: Bool {
    if case .buffer = rule.fault { return true }
    return false
  }

  func wait(_ time: Duration) {
    let deadline = link.loop.now + time.nanoseconds
    timer = link.loop.wheel.arm(self, at: deadline)
  }

  func stopWaiting() {
    if let timer { link.loop.wheel.cancel(timer) }
    timer = nil
  }

  func strike() {
    guard !hasStruck else { return }
    hasStruck = true
    stopWaiting()
    link.strike(self)
  }

  func timerFired(now: UInt64) -> UInt64 {
    link.home.obey()
    guard timer != nil else { return 0 }
    if !hasStruck, case .idle(let time) = rule.moment {
      let due = link.lastArrival + time.nanoseconds
      if due > now { return due }
      // A loop that was kept from running has not seen what waits in the kernel: it looks once more.
      guard looked == link.lastArrival else {
        looked = link.lastArrival
        return now + 1
      }
    }
    timer = nil
    if hasStruck { link.lift(self) } else { strike() }
    return 0
  }
}
