import TriwireIO

/// Calls something later, on a loop, unless it is set anew before.
final class Alarm: TimerOwner {
  private let loop: EventLoop
  private var timer: TimerID?
  private var body: (() -> Void)?
  private var orphaned: (() -> Void)?

  init(_ loop: EventLoop) { self.loop = loop }

  var isSet: Bool { timer != nil }

  /// Calls `body` when the time has passed, or `orphaned` when the loop is stopped before.
  func set(
    after nanoseconds: UInt64, orphaned: (() -> Void)? = nil, _ body: @escaping () -> Void
  ) {
    cancel()
    // A loop that was stopped fires no timer.
    guard loop.running else { return orphaned?() ?? () }
    self.body = body
    self.orphaned = orphaned
    timer = loop.wheel.arm(self, at: max(loop.now, EventLoop.clock()) + nanoseconds)
  }

  func cancel() {
    if let timer { loop.wheel.cancel(timer) }
    timer = nil
    body = nil
    orphaned = nil
  }

  func timerFired(now: UInt64) -> UInt64 {
    timer = nil
    let body = body
    self.body = nil
    orphaned = nil
    body?()
    return 0
  }

  func loopEnded() {
    timer = nil
    body = nil
    let orphaned = orphaned
    self.orphaned = nil
    orphaned?()
  }
}
