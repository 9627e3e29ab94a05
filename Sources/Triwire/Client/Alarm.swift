import TriwireIO

/// Calls something later, on a loop, unless it is set anew before.
final class Alarm: TimerOwner {
  private let loop: EventLoop
  private var timer: TimerID?
  private var body: (() -> Void)?

  init(_ loop: EventLoop) { self.loop = loop }

  var isSet: Bool { timer != nil }

  func set(after nanoseconds: UInt64, _ body: @escaping () -> Void) {
    cancel()
    self.body = body
    timer = loop.wheel.arm(self, at: max(loop.now, EventLoop.clock()) + nanoseconds)
  }

  func cancel() {
    if let timer { loop.wheel.cancel(timer) }
    timer = nil
    body = nil
  }

  func timerFired(now: UInt64) -> UInt64 {
    timer = nil
    let body = body
    self.body = nil
    body?()
    return 0
  }
}
