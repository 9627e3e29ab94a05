/// Something with a deadline on a loop's wheel.
package protocol TimerOwner: AnyObject {
  /// Called on the loop when the deadline has come.
  ///
  /// - Returns: The next deadline, or 0 when the timer is done and its identity is void.
  ///   A deadline that merely moved is checked here, so that activity costs a store and no more.
  func timerFired(now: UInt64) -> UInt64

  /// Called on the loop when it stops, instead of the deadline that will not come any more.
  ///
  /// The timer's identity is void.
  func loopEnded()
}

extension TimerOwner {
  // What has a stream hears of the end from that.
  package func loopEnded() {}
}

/// Names one timer of a wheel.
package struct TimerID: Sendable {
  fileprivate let index: Int32
  fileprivate let generation: UInt32
}

/// Many coarse deadlines: arming, moving and cancelling take constant time.
///
/// A hashed wheel of 512 slots of 16 ms; timers further away than one round (8 s) stay in their
/// slot and are looked at once per round. Deadlines fire up to 16 ms late, never early.
/// Belongs to one loop; owners may arm, move and cancel timers while they are being fired.
package final class TimerWheel {
  private static let slotCount = 512
  private static let tick: UInt64 = 16_000_000

  private struct Entry {
    var deadline: UInt64 = 0
    var owner: (any TimerOwner)?
    var previous: Int32 = -1
    var next: Int32 = -1
    var slot: Int32 = -1
    var generation: UInt32 = 0
  }

  // Linked lists by index: a head per slot, and a bit per slot that is not empty.
  private var heads = [Int32](repeating: -1, count: slotCount)
  private var occupied = [UInt64](repeating: 0, count: slotCount / 64)
  private var entries: [Entry] = []
  private var free: Int32 = -1
  private var currentTick: UInt64
  /// No slot that is not empty comes before this tick; `.max` when all are empty.
  private var earliest = UInt64.max
  /// Whether its loop has stopped: nothing is kept for a deadline that will not come.
  private var hasEnded = false

  package init(now: UInt64) { currentTick = now / Self.tick }

  /// Calls `owner.timerFired` at `deadline`.
  ///
  /// Once the loop has stopped that never happens, and the owner is not held.
  package func arm(_ owner: any TimerOwner, at deadline: UInt64) -> TimerID {
    guard !hasEnded else { return TimerID(index: -1, generation: 0) }
    let index: Int32
    if free >= 0 {
      index = free
      free = entries[Int(index)].next
    } else {
      index = Int32(entries.count)
      entries.append(Entry())
    }
    entries[Int(index)].owner = owner
    entries[Int(index)].deadline = deadline
    link(index)
    return TimerID(index: index, generation: entries[Int(index)].generation)
  }

  /// Changes the deadline of a timer that has not ended.
  package func move(_ timer: TimerID, to deadline: UInt64) {
    guard isLive(timer) else { return }
    unlink(timer.index)
    entries[Int(timer.index)].deadline = deadline
    link(timer.index)
  }

  /// Ends a timer; one that has ended already is ignored.
  package func cancel(_ timer: TimerID) {
    guard isLive(timer) else { return }
    unlink(timer.index)
    release(timer.index)
  }

  /// Ends all timers, and tells their owners that the loop has ended.
  func endAll() {
    hasEnded = true
    for index in entries.indices {
      guard let owner = entries[index].owner else { continue }
      unlink(Int32(index))
      release(Int32(index))
      owner.loopEnded()
    }
  }

  /// Fires what is due.
  package func advance(to now: UInt64) {
    let target = now / Self.tick
    guard target > currentTick else { return }
    let first = currentTick
    currentTick = target
    guard earliest < target else { return }
    // After a pause longer than a round, one round sees every slot.
    let slots = min(target - first, UInt64(Self.slotCount))
    var due: [TimerID] = []
    for distance in 0..<slots {
      takeDue(slot: Int((first + distance) % UInt64(Self.slotCount)), now, into: &due)
    }
    findEarliest()
    // An owner that is fired may have cancelled or moved one that waits for its turn here.
    for timer in due where isLive(timer) && entries[Int(timer.index)].slot < 0 { fire(timer, now) }
  }

  /// How long `epoll_wait` may sleep; -1 when no timer is armed.
  package func millisecondsUntilNext(from now: UInt64) -> Int32 {
    if earliest == .max { return -1 }
    let due = (earliest + 1) * Self.tick
    return due <= now ? 0 : Int32((due - now) / 1_000_000 + 1)
  }

  private func takeDue(slot: Int, _ now: UInt64, into due: inout [TimerID]) {
    var index = heads[slot]
    while index >= 0 {
      let entry = entries[Int(index)]
      if entry.deadline <= now {
        unlink(index)
        due.append(TimerID(index: index, generation: entry.generation))
      }
      index = entry.next
    }
  }

  private func fire(_ timer: TimerID, _ now: UInt64) {
    let again = entries[Int(timer.index)].owner?.timerFired(now: now) ?? 0
    // The owner may have cancelled or moved the timer itself.
    guard isLive(timer), entries[Int(timer.index)].slot < 0 else { return }
    if again > 0 {
      entries[Int(timer.index)].deadline = again
      link(timer.index)
    } else {
      release(timer.index)
    }
  }

  private func isLive(_ timer: TimerID) -> Bool {
    let index = Int(timer.index)
    return index >= 0 && entries[index].generation == timer.generation
      && entries[index].owner != nil
  }

  private func link(_ index: Int32) {
    let tick = max(entries[Int(index)].deadline / Self.tick, currentTick)
    let slot = Int(tick % UInt64(Self.slotCount))
    let head = heads[slot]
    entries[Int(index)].slot = Int32(slot)
    entries[Int(index)].previous = -1
    entries[Int(index)].next = head
    if head >= 0 { entries[Int(head)].previous = index }
    heads[slot] = index
    occupied[slot / 64] |= 1 << UInt64(slot % 64)
    let round = UInt64(Self.slotCount)
    earliest = min(earliest, tick - currentTick < round ? tick : currentTick + tick % round)
  }

  private func unlink(_ index: Int32) {
    let entry = entries[Int(index)]
    guard entry.slot >= 0 else { return }
    let slot = Int(entry.slot)
    if entry.previous >= 0 {
      entries[Int(entry.previous)].next = entry.next
    } else {
      heads[slot] = entry.next
      if entry.next < 0 { occupied[slot / 64] &= ~(1 << UInt64(slot % 64)) }
    }
    if entry.next >= 0 { entries[Int(entry.next)].previous = entry.previous }
    entries[Int(index)].slot = -1
  }

  private func release(_ index: Int32) {
    entries[Int(index)].owner = nil
    entries[Int(index)].generation &+= 1
    entries[Int(index)].next = free
    free = index
  }

  private func findEarliest() {
    earliest = .max
    for distance in 0..<UInt64(Self.slotCount) {
      let slot = Int((currentTick + distance) % UInt64(Self.slotCount))
      guard occupied[slot / 64] & (1 << UInt64(slot % 64)) != 0 else { continue }
      earliest = currentTick + distance
      return
    }
  }
}
