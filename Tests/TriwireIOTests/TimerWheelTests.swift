import Testing
import TestSupport
import TriwireIO

/// Keeps what became of one timer.
private final class Owner: TimerOwner {
  var fired: [UInt64] = []
  var next: (UInt64) -> UInt64 = { _ in 0 }

  func timerFired(now: UInt64) -> UInt64 {
    fired.append(now)
    return next(now)
  }
}

@Suite("Timer wheel")
struct TimerWheelTests {
  static let millisecond: UInt64 = 1_000_000
  static let tick = 16 * millisecond

  @Test("A timer fires once, never early and at most one tick late")
  func precision() {
    for deadline in stride(from: UInt64(0), through: 700 * Self.tick, by: 7_777_777) {
      let wheel = TimerWheel(now: 0)
      let owner = Owner()
      _ = wheel.arm(owner, at: deadline)
      var now: UInt64 = 0
      while owner.fired.isEmpty, now < deadline + 10 * Self.tick {
        now += Self.millisecond
        wheel.advance(to: now)
      }
      #expect(owner.fired == [now])
      #expect(now >= deadline && now <= max(deadline, 1) + Self.tick + Self.millisecond)
      wheel.advance(to: now + 9_000 * Self.millisecond)
      #expect(owner.fired.count == 1)
    }
  }

  @Test("The loop sleeps to the next timer and no further, and for ever without one")
  func sleeping() {
    let wheel = TimerWheel(now: 0)
    #expect(wheel.millisecondsUntilNext(from: 0) == -1)
    let owner = Owner()
    let timer = wheel.arm(owner, at: 100 * Self.millisecond)
    let sleep = wheel.millisecondsUntilNext(from: 0)
    #expect((100...117).contains(sleep))
    wheel.advance(to: UInt64(sleep) * Self.millisecond)
    #expect(owner.fired.count == 1)
    #expect(wheel.millisecondsUntilNext(from: UInt64(sleep) * Self.millisecond) == -1)
    wheel.cancel(timer)
  }

  @Test("Sleeping as told meets every deadline, near and far, in order")
  func sleepingMeetsAll() {
    let wheel = TimerWheel(now: 5_000_000_000)
    var generator = SystemRandomNumberGenerator()
    var owners: [(Owner, UInt64)] = []
    for _ in 0..<500 {
      let deadline = 5_000_000_000 + UInt64.random(in: 0...60_000_000_000, using: &generator)
      let owner = Owner()
      owners.append((owner, deadline))
      _ = wheel.arm(owner, at: deadline)
    }
    var now: UInt64 = 5_000_000_000
    while case let sleep = wheel.millisecondsUntilNext(from: now), sleep >= 0 {
      #expect(sleep <= 8_300, "a round is 8 s")
      now += max(1, UInt64(sleep)) * Self.millisecond
      wheel.advance(to: now)
    }
    for (owner, deadline) in owners {
      let late = owner.fired.first.map { Int64($0) - Int64(deadline) } ?? .max
      #expect(owner.fired.count == 1 && late >= 0 && late <= Int64(2 * Self.tick), "\(late)")
    }
  }

  @Test("A timer that is moved fires at its new deadline only", arguments: [5, 50, 600, 20_000])
  func move(milliseconds: UInt64) {
    let wheel = TimerWheel(now: 0)
    let owner = Owner()
    let timer = wheel.arm(owner, at: 100 * Self.millisecond)
    wheel.move(timer, to: milliseconds * Self.millisecond)
    var now: UInt64 = 0
    while now < 30_000 * Self.millisecond {
      now += 4 * Self.millisecond
      wheel.advance(to: now)
    }
    #expect(owner.fired.count == 1)
    #expect((owner.fired.first ?? 0) >= milliseconds * Self.millisecond)
  }

  @Test("A cancelled timer never fires, and its owner is let go")
  func cancel() {
    let wheel = TimerWheel(now: 0)
    weak var gone: Owner?
    do {
      let owner = Owner()
      gone = owner
      let timer = wheel.arm(owner, at: 100 * Self.millisecond)
      wheel.cancel(timer)
      wheel.cancel(timer)
      wheel.move(timer, to: 1)
    }
    #expect(gone == nil)
    wheel.advance(to: 20_000 * Self.millisecond)
    #expect(wheel.millisecondsUntilNext(from: 0) == -1)
  }

  @Test("An identity that is void does not touch the timer that took its place")
  func staleIdentity() {
    let wheel = TimerWheel(now: 0)
    let old = Owner()
    let stale = wheel.arm(old, at: 10 * Self.millisecond)
    wheel.advance(to: 50 * Self.millisecond)
    #expect(old.fired.count == 1)
    let new = Owner()
    _ = wheel.arm(new, at: 100 * Self.millisecond)
    wheel.cancel(stale)
    wheel.move(stale, to: 60_000 * Self.millisecond)
    wheel.advance(to: 200 * Self.millisecond)
    #expect(new.fired.count == 1)
  }

  @Test("An owner that returns another deadline is called again then")
  func rearm() {
    let wheel = TimerWheel(now: 0)
    let owner = Owner()
    owner.next = { now in owner.fired.count < 5 ? now + 10_000 * Self.millisecond : 0 }
    _ = wheel.arm(owner, at: Self.millisecond)
    var now: UInt64 = 0
    while now < 100_000 * Self.millisecond {
      now += 10 * Self.millisecond
      wheel.advance(to: now)
    }
    #expect(owner.fired.count == 5)
    for (earlier, later) in zip(owner.fired, owner.fired.dropFirst()) {
      #expect(later - earlier >= 10_000 * Self.millisecond)
    }
  }

  @Test("A pause longer than a round fires all that came due, and nothing else")
  func longPause() {
    let wheel = TimerWheel(now: 0)
    let owners = (0..<100).map { _ in Owner() }
    for (index, owner) in owners.enumerated() {
      _ = wheel.arm(owner, at: UInt64(index) * 1000 * Self.millisecond)
    }
    wheel.advance(to: 50_500 * Self.millisecond)
    #expect(owners.map(\.fired.count) == (0..<100).map { $0 <= 50 ? 1 : 0 })
  }

  @Test("A timer that another one moves away while both are due does not fire early")
  func movedWhileDue() {
    let wheel = TimerWheel(now: 0)
    let (first, second) = (Owner(), Owner())
    var timers: [TimerID] = []
    for owner in [first, second] {
      timers.append(wheel.arm(owner, at: 20 * Self.millisecond))
      owner.next = { now in
        for timer in timers { wheel.move(timer, to: now + 5000 * Self.millisecond) }
        return 0
      }
    }
    wheel.advance(to: 100 * Self.millisecond)
    #expect(first.fired.count + second.fired.count == 1)
    wheel.advance(to: 5200 * Self.millisecond)
    #expect(first.fired.count + second.fired.count == 2)
  }

  @Test("Owners may arm, move and cancel timers while they are fired")
  func changesWhileFiring() {
    let wheel = TimerWheel(now: 0)
    let (first, second, third) = (Owner(), Owner(), Owner())
    var timers: [TimerID] = []
    for owner in [first, second] {
      timers.append(wheel.arm(owner, at: 20 * Self.millisecond))
      owner.next = { now in
        for timer in timers { wheel.cancel(timer) }
        _ = wheel.arm(third, at: now)
        return now + 1
      }
    }
    wheel.advance(to: 100 * Self.millisecond)
    #expect(first.fired.count + second.fired.count == 1)
    wheel.advance(to: 200 * Self.millisecond)
    #expect(third.fired.count == 1)
  }

  @Test("100,000 timers are armed, moved and cancelled, and the rest fires")
  func many() {
    let wheel = TimerWheel(now: 0)
    let owner = Owner()
    var timers: [TimerID] = []
    for index in 0..<100_000 {
      timers.append(wheel.arm(owner, at: UInt64(index) * 100_000))
    }
    for (index, timer) in timers.enumerated() {
      switch index % 4 {
      case 0: wheel.cancel(timer)
      case 1: wheel.move(timer, to: UInt64(index) * 50_000)
      default: break
      }
    }
    var now: UInt64 = 0
    while now < 11_000 * Self.millisecond {
      now += Self.tick
      wheel.advance(to: now)
    }
    #expect(owner.fired.count == 75_000)
    #expect(wheel.millisecondsUntilNext(from: now) == -1)
  }
}
