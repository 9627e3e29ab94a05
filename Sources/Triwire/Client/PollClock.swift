package import TriwireIO

/// When the clients of one loop ask again, if they are to ask at an interval: short polling.
///
/// The answer to such a poll is never held, whether there is something to say or not. It is here to be
/// compared with, not to be used: messages wait for half an interval on average. Belongs to one loop.
package final class PollClock: @unchecked Sendable {
  // Touched on its loop alone, which is what makes `@unchecked Sendable` hold.

  /// From one poll to the next, in nanoseconds.
  package let interval: UInt64
  private let loop: EventLoop
  private var phase = 0.0
  private var held: [() -> Void] = []
  /// Whether polls that are due wait until this is taken back.
  package var isPaused = false {
    didSet {
      guard !isPaused else { return }
      let due = held
      held = []
      for poll in due { poll() }
    }
  }

  /// A clock of an interval, for sessions of a loop.
  package init(interval: UInt64, on loop: EventLoop) {
    (self.interval, self.loop) = (interval, loop)
  }

  /// Has a session poll for the first time at a moment of its own, so that all of them are spread
  /// over the interval.
  func first(_ poll: @escaping () -> Void) {
    // Multiples of the golden ratio are spread evenly, however many there are.
    phase = (phase + 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1)
    schedule(at: EventLoop.clock() + UInt64(phase * Double(interval)), poll)
  }

  /// Has a session poll an interval after its last poll, or at once where that has passed.
  func next(after last: UInt64, _ poll: @escaping () -> Void) {
    schedule(at: last + interval, poll)
  }

  private func schedule(at time: UInt64, _ poll: @escaping () -> Void) {
    loop.schedule(at: time) { [self] in
      if isPaused { held.append(poll) } else { poll() }
    }
  }
}
