import Testing
import TestSupport
import TriwireIO

private final class Step: TurnEnd {
  private let body: () -> Void
  init(_ body: @escaping () -> Void) { self.body = body }
  func turnEnded() { body() }
}

@Suite("Event loop")
struct LoopTests {
  @Test("What one thread posts runs in order, and never within the call")
  func postsInOrder() async throws {
    try await withLoops { group in
      let loop = group.loops[0]
      let seen = Shared<[Int]>([])
      for number in 0..<10_000 { loop.post { seen.change { $0.append(number) } } }
      #expect(try await loop.run { seen.value } == Array(0..<10_000))
      let isLater = try await loop.run {
        let flag = Shared(false)
        loop.post { flag.change { $0 = true } }
        return !flag.value
      }
      #expect(isLater)
    }
  }

  @Test("What many threads post runs all, each thread's in its order")
  func postsFromThreads() async throws {
    try await withLoops { group in
      let loop = group.loops[0]
      let seen = Shared<[[Int]]>(Array(repeating: [], count: 8))
      try await withThrowingTaskGroup { tasks in
        for thread in 0..<8 {
          tasks.addTask {
            try await onThread {
              for number in 0..<5000 { loop.post { seen.change { $0[thread].append(number) } } }
            }
          }
        }
        try await tasks.waitForAll()
      }
      let all = try await loop.run { seen.value }
      #expect(all.allSatisfy { $0 == Array(0..<5000) })
    }
  }

  @Test("Execute runs at once on the loop itself, and there alone")
  func execute() async throws {
    try await withLoops(2) { group in
      let (first, second) = (group.loops[0], group.loops[1])
      #expect(!first.isCurrent)
      let facts = try await first.run { () -> [Bool] in
        let flag = Shared(false)
        first.execute { flag.change { $0 = true } }
        return [first.isCurrent, !second.isCurrent, flag.value]
      }
      #expect(facts == [true, true, true])
    }
  }

  @Test("A task that prefers a loop stays on its thread across suspensions, with its children")
  func tasksStay() async throws {
    try await withLoops(2) { group in
      let loop = group.loops[0]
      try await within("the task ends") {
        await Task(executorPreference: loop) {
          #expect(loop.isCurrent)
          for _ in 0..<100 {
            await Task.yield()
            #expect(loop.isCurrent)
          }
          try? await Task.sleep(for: .milliseconds(1))
          #expect(loop.isCurrent)
          await withTaskGroup { tasks in
            for _ in 0..<10 { tasks.addTask { #expect(loop.isCurrent) } }
          }
          async let child: Bool = loop.isCurrent
          #expect(await child)
          await withUnsafeContinuation { continuation in
            group.loops[1].post { continuation.resume() }
          }
          #expect(loop.isCurrent)
        }.value
      }
    }
  }

  @Test(
    "Precise timers fire in order, those of one instant in the order they were set, never early")
  func preciseTimers() async throws {
    try await withLoops { group in
      let loop = group.loops[0]
      let fired = Mailbox<(number: Int, deadline: UInt64, at: UInt64)>()
      var generator = SystemRandomNumberGenerator()
      let start = EventLoop.clock()
      let deadlines = (0..<500).map { index in
        index % 5 == 0
          ? start + 20_000_000 : start + UInt64.random(in: 0...50_000_000, using: &generator)
      }
      try await loop.run {
        for (number, deadline) in deadlines.enumerated() {
          loop.schedule(at: deadline) { fired.put((number, deadline, EventLoop.clock())) }
        }
      }
      let all = try await fired.next(500, "a timer fires")
      let expected = deadlines.enumerated().sorted {
        ($0.element, $0.offset) < ($1.element, $1.offset)
      }.map(\.offset)
      #expect(all.map(\.number) == expected)
      #expect(all.allSatisfy { $0.at >= $0.deadline })
    }
  }

  @Test("A timer whose deadline has passed fires in a later turn, so that a chain starves nobody")
  func overdueTimers() async throws {
    try await withLoops { group in
      let loop = group.loops[0]
      let order = Mailbox<String>()
      try await loop.run {
        loop.schedule(at: 0) {
          order.put("first")
          loop.schedule(at: 0) { order.put("third") }
          loop.post { order.put("second") }
        }
        order.put("set")
      }
      let seen = try await order.next(4, "a step")
      #expect(seen.first == "set" && seen[1] == "first" && Set(seen[2...]) == ["second", "third"])
    }
  }

  @Test("Work at the end of a turn comes after all else of the turn, and may add more")
  func endOfTurn() async throws {
    try await withLoops { group in
      let loop = group.loops[0]
      let order = Mailbox<Int>()
      loop.post {
        loop.atEndOfTurn(
          Step {
            order.put(2)
            loop.atEndOfTurn(Step { order.put(3) })
          })
        order.put(1)
      }
      let seen = try await order.next(3, "a step")
      #expect(seen == [1, 2, 3])
    }
  }

  @Test("What is given to a loop that was stopped still runs, so that nobody waits for it for ever")
  func afterStop() async throws {
    let group = try EventLoopGroup(count: 1)
    let loop = group.loops[0]
    try await within("the loop stops") { await group.stop() }
    #expect(try await loop.run { loop.isCurrent })
    try await within("a task on it ends") {
      await Task(executorPreference: loop) {
        await Task.yield()
        #expect(loop.isCurrent)
      }.value
    }
    try await within("it stops again") { await group.stop() }
  }

  @Test("A loop that was stopped lets go of what it carried, and of its descriptors")
  func letsGo() async throws {
    let gone = Mailbox<Void>()
    do {
      let group = try EventLoopGroup(count: 1)
      let lobby = try Lobby(on: group)
      let notice = DeathNotice(gone)
      let handler = Recorder { input, _ in
        withExtendedLifetime(notice) { input.count }
      }
      let (peer, stream) = try await lobby.rawPeer(handler)
      try await stream.send([1])
      #expect(try await peer.receive(1) == [1])
      await lobby.listener.stop()
      try await within("the loop stops") { await group.stop() }
    }
    try await gone.next("the handler is let go")
  }

  @Test("Timers of a loop that stops are told so, once, and what they set then is not kept")
  func timersEnd() async throws {
    let told = Shared(0)
    let gone = Mailbox<Void>()
    let group = try EventLoopGroup(count: 1)
    let loop = group.loops[0]
    try await loop.run {
      for _ in 0..<3 { Again(loop, told, gone).arm() }
    }
    try await within("the loop stops") { await group.stop() }
    _ = try await gone.next(3, "the owners are let go")
    #expect(told.value == 3)
  }
}

/// Sets its timer anew whenever it is told of the end.
private final class Again: TimerOwner {
  private let loop: EventLoop
  private let told: Shared<Int>
  private let notice: DeathNotice

  init(_ loop: EventLoop, _ told: Shared<Int>, _ gone: Mailbox<Void>) {
    (self.loop, self.told, notice) = (loop, told, DeathNotice(gone))
  }

  func arm() { _ = loop.wheel.arm(self, at: .max) }

  func timerFired(now: UInt64) -> UInt64 { 0 }

  func loopEnded() {
    told.change { $0 += 1 }
    arm()
  }
}
