import TriwireIO

/// Ends a session that says nothing for too long, or that has lasted long enough.
///
/// Only sessions whose limits ask for it have one. Belongs to the session's loop.
final class SessionExpiry: TimerOwner {
  private weak var session: Session?
  private let idle: UInt64
  private let end: UInt64
  private var timer: TimerID?
  /// When a message last went either way.
  var lastMessage: UInt64

  /// Watches a session from now on; nil when its limits do not ask for it.
  init?(_ session: Session) {
    let limits = session.limits
    guard limits.idleSeconds != nil || limits.lifetimeSeconds != nil else { return nil }
    let now = EventLoop.clock()
    self.session = session
    lastMessage = now
    idle = limits.idleSeconds?.nanoseconds ?? .max
    // Sessions that opened together shall not all come back together.
    let jitter = Double.random(in: 0.9...1.1)
    end = limits.lifetimeSeconds.map { now + ($0 * jitter).nanoseconds } ?? .max
    timer = session.loop.wheel.arm(self, at: deadline)
  }

  private var deadline: UInt64 {
    let (quiet, isNever) = lastMessage.addingReportingOverflow(idle)
    return min(end, isNever ? .max : quiet)
  }

  func timerFired(now: UInt64) -> UInt64 {
    guard let session, session.isOpen else { return 0 }
    if now < deadline { return deadline }
    timer = nil
    let isOld = now >= end
    session.close(.goingAway, isOld ? "the session has lasted its time" : "no message for too long")
    return 0
  }

  func cancel(on loop: EventLoop) {
    if let timer { loop.wheel.cancel(timer) }
    timer = nil
  }
}
