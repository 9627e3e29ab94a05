import CLinux
import Glibc

/// Few deadlines that must be met to the tens of microseconds: a heap behind one `timerfd`.
final class PreciseTimers: EventSource {
  private struct Item {
    let deadline: UInt64
    let order: UInt64
    let work: () -> Void

    func isBefore(_ other: Item) -> Bool {
      deadline != other.deadline ? deadline < other.deadline : order < other.order
    }
  }

  private unowned let loop: EventLoop
  private let descriptor: Int32
  private var heap: [Item] = []
  private var nextOrder: UInt64 = 0
  private var armedFor: UInt64 = 0

  init?(loop: EventLoop) {
    let descriptor = tw_timerfd()
    guard descriptor >= 0 else { return nil }
    self.loop = loop
    self.descriptor = descriptor
    guard (try? loop.add(self, descriptor, TW_IN)) != nil else {
      close(descriptor)
      return nil
    }
  }

  deinit { close(descriptor) }

  func add(_ deadline: UInt64, _ work: @escaping () -> Void) {
    heap.append(Item(deadline: deadline, order: nextOrder, work: work))
    nextOrder += 1
    siftUp(heap.count - 1)
    rearm()
  }

  func ready(_ events: UInt32) {
    _ = tw_timerfd_clear(descriptor)
    loop.systemCalls.wake += 1
    armedFor = 0
    // Work that is added while this runs, even if due at once, waits for the next turn:
    // else a chain of overdue deadlines would starve the sockets.
    let last = nextOrder
    let now = EventLoop.clock()
    while let first = heap.first, first.deadline <= now, first.order < last {
      removeFirst()
      first.work()
    }
    rearm()
  }

  private func rearm() {
    guard let first = heap.first, armedFor == 0 || first.deadline < armedFor else { return }
    armedFor = max(first.deadline, 1)
    _ = tw_timerfd_set(descriptor, armedFor)
    loop.systemCalls.wake += 1
  }

  private func siftUp(_ start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].isBefore(heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if heap[child].isBefore(heap[smallest]) { smallest = child }
      }
      if smallest == parent { return }
      heap.swapAt(parent, smallest)
      parent = smallest
    }
  }
}
