import CLinux
import Glibc
import Synchronization

/// Something the kernel reports readiness for, registered in one loop's slot table.
protocol EventSource: AnyObject {
  /// Called on the loop with the `TW_…` bits that the kernel reported.
  func ready(_ events: UInt32)

  /// Called on the loop when it stops: nothing will be reported any more.
  func loopEnded()
}

extension EventSource {
  func loopEnded() {}
}

/// Something that has work to do once, when the current turn of the loop ends.
package protocol TurnEnd: AnyObject {
  /// Called on the loop after all events of the turn were handled and before output is flushed.
  func turnEnded()
}

/// One thread that waits for sockets and time, and runs everything that belongs to them.
///
/// What belongs to a connection stays on its loop. Async handlers run here as well: a loop is a
/// task executor, and a task started with it as its executor preference never leaves the thread.
/// Code on a loop must not block: the loop's other connections wait meanwhile.
///
/// `execute` and `enqueue` may be called from any thread; all else only on the loop itself.
@safe public final class EventLoop: TaskExecutor, @unchecked Sendable {
  // Every stored property but `mailbox` and the constants is touched by the loop's thread alone,
  // which is what makes `@unchecked Sendable` and the unchecked exclusivity hold.
  private let epoll: Int32
  private let wakeup: Int32
  private let mailbox = Guarded(Mailbox())
  private let threadID = Atomic<UInt>(0)

  private var slots: [Slot] = []
  private var freeSlots: [UInt32] = []
  private var jobs: [UnownedJob] = []
  private var jobsDone = 0
  private var turnEnds: [any TurnEnd] = []
  private var dirty: [ByteStream] = []
  private var replays: [ByteStream] = []
  /// Whether it will go on taking turns; on the loop.
  package private(set) var running = false
  private var precise: PreciseTimers?
  private var ends: [@Sendable () -> Void] = []

  /// The clock as of the start of this turn, in nanoseconds of CLOCK_MONOTONIC.
  public private(set) var now: UInt64 = EventLoop.clock()
  package let wheel = TimerWheel(now: EventLoop.clock())
  /// System calls made by this loop, by name.
  public package(set) var systemCalls = SystemCalls()

  // Shared by all streams of the loop: one receive buffer, before which there is room for a head,
  // and one output buffer.
  private let received: UnsafeMutableRawBufferPointer
  let input: UnsafeMutableBufferPointer<UInt8>
  let output: UnsafeMutableBufferPointer<UInt8>
  /// The ciphertext of the loop's secured streams; there when the first of them is.
  var tlsBuffers: TLSBuffers?
  var outputCount = 0
  var outputOwner: ByteStream?
  var corked: ByteStream?

  /// The number of the loop in its group.
  public let index: Int

  private struct Slot {
    var source: (any EventSource)?
    var generation: UInt32 = 0
  }

  private struct Mailbox {
    var jobs: [UnownedJob] = []
    var work: [@Sendable () -> Void] = []
    var signalled = false
    /// The loop's thread has ended, and takes nothing any more.
    var isRetired = false

    enum Wake {
      case no
      case loop
      case retired
    }

    mutating func add(work one: @escaping @Sendable () -> Void) -> Wake {
      work.append(one)
      return signal()
    }

    mutating func add(job: UnownedJob) -> Wake {
      jobs.append(job)
      return signal()
    }

    private mutating func signal() -> Wake {
      defer { signalled = true }
      return signalled ? .no : isRetired ? .retired : .loop
    }
  }

  /// Bytes of the receive buffer and of the output buffer that all streams of a loop share.
  static let bufferBytes = 512 * 1024
  /// Bytes before the receive buffer, so that what goes back as it came can get a head there.
  ///
  /// The payload of a masked frame, eight bytes behind its first, begins a cache line then.
  static let headRoom = 56

  /// Starts a loop on a thread of its own.
  ///
  /// - Throws: `IOError` when the process is out of descriptors.
  init(index: Int, cpu: Int?) throws(IOError) {
    self.index = index
    epoll = try check(tw_epoll_create(), "create an event loop")
    wakeup = try check(tw_eventfd(), "create an event loop")
    unsafe received = .allocate(byteCount: Self.headRoom + Self.bufferBytes, alignment: 64)
    unsafe input = UnsafeMutableRawBufferPointer(rebasing: received[Self.headRoom...])
      .bindMemory(to: UInt8.self)
    unsafe output = .allocate(capacity: Self.bufferBytes)
    // Token 0 of generation 0 is the wake-up descriptor, which is no slot's.
    slots.append(Slot())
    slots[0].source = nil
    _ = try check(tw_epoll_add(epoll, wakeup, TW_IN, 0), "create an event loop")
    Thread.detach(named: "triwire-\(index)") { [self] in
      if let cpu { _ = tw_pin_thread(Int32(cpu)) }
      run()
    }
  }

  deinit {
    close(epoll)
    close(wakeup)
    unsafe received.deallocate()
    unsafe output.deallocate()
  }

  /// The monotonic clock, in nanoseconds: the same for all processes of this host.
  public static func clock() -> UInt64 { tw_monotonic_ns() }

  /// Whether the caller runs on this loop.
  public var isCurrent: Bool {
    threadID.load(ordering: .relaxed) == UInt(pthread_self())
  }

  /// Runs `work` on the loop: at once when called there, else in one of its next turns.
  ///
  /// Calls from one thread keep their order.
  public func execute(_ work: @escaping @Sendable () -> Void) {
    if isCurrent { return work() }
    post(work)
  }

  /// Runs `work` on the loop in one of its next turns, never within this call.
  public func post(_ work: @escaping @Sendable () -> Void) {
    wake(mailbox.withLock { $0.add(work: work) })
  }

  /// Runs a job of the concurrency runtime (the requirement of `TaskExecutor`).
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isCurrent {
      jobs.append(job)
      return
    }
    wake(mailbox.withLock { $0.add(job: job) })
  }

  /// Calls `work` on the loop at `deadline` (nanoseconds of `clock()`), as precisely as the
  /// kernel's timers allow: tens of microseconds.
  ///
  /// For pacing load, not for idle deadlines.
  ///
  /// Call it on the loop. A deadline in the past fires within the next turn.
  public func schedule(at deadline: UInt64, _ work: @escaping () -> Void) {
    if precise == nil {
      tw_precise_timers()
      precise = PreciseTimers(loop: self)
    }
    precise?.add(deadline, work)
  }

  private func run() {
    threadID.store(UInt(pthread_self()), ordering: .relaxed)
    running = true
    let events = UnsafeMutableBufferPointer<tw_event>.allocate(capacity: 1024)
    defer { unsafe events.deallocate() }
    while running {
      let count = unsafe tw_epoll_wait(epoll, events.baseAddress, 1024, timeout())
      systemCalls.wait += 1
      now = Self.clock()
      for index in 0..<max(0, Int(count)) {
        unsafe dispatch(events[index].token, events[index].events)
        // What one connection brought is answered before the next is read, while the kernel's and
        // our own state of it is still in the caches, and so that none waits for all.
        runJobs()
        flushOutput()
      }
      finishTurn()
    }
    retire()
  }

  private func timeout() -> Int32 {
    if !jobs.isEmpty || !replays.isEmpty || !turnEnds.isEmpty || !dirty.isEmpty { return 0 }
    return wheel.millisecondsUntilNext(from: now)
  }

  private func dispatch(_ token: UInt64, _ events: UInt32) {
    if token == 0 { return drainMailbox() }
    let slot = Int(UInt32(truncatingIfNeeded: token))
    // A source that went away earlier in the same batch left a newer generation behind.
    guard slots[slot].generation == UInt32(token >> 32) else { return }
    slots[slot].source?.ready(events)
  }

  private func finishTurn() {
    wheel.advance(to: now)
    repeat {
      runJobs()
      while !replays.isEmpty {
        let waiting = replays
        replays.removeAll(keepingCapacity: true)
        for stream in waiting { stream.replay() }
      }
      while !turnEnds.isEmpty {
        let waiting = turnEnds
        turnEnds.removeAll(keepingCapacity: true)
        for each in waiting { each.turnEnded() }
      }
    } while !jobs.isEmpty || !replays.isEmpty
    flushOutput()
    var index = 0
    while index < dirty.count {
      dirty[index].flushDirty()
      index += 1
    }
    dirty.removeAll(keepingCapacity: true)
  }

  private func wake(_ wake: Mailbox.Wake) {
    switch wake {
    case .no: break
    case .loop: _ = tw_eventfd_signal(wakeup)
    case .retired: Thread.detach(named: "triwire-late") { [self] in runLate() }
    }
  }

  private func drainMailbox() {
    _ = tw_eventfd_clear(wakeup)
    systemCalls.wake += 1
    let mail = mailbox.withLock { mail in
      defer { mail = Mailbox() }
      return mail
    }
    jobs.append(contentsOf: mail.jobs)
    for work in mail.work { work() }
  }

  // MARK: After the last turn

  /// Lets go of all that the loop carries, since it will not be told of anything again.
  private func retire() {
    for slot in slots { slot.source?.loopEnded() }
    for index in slots.indices { slots[index].source = nil }
    wheel.endAll()
    precise = nil
    mailbox.withLock { mail in
      mail.isRetired = true
      mail.signalled = true
    }
    runLate()
  }

  /// Runs what is given to a loop that was stopped, so that nobody waits for it for ever.
  ///
  /// Timers and sockets stay silent.
  private func runLate() {
    threadID.store(UInt(pthread_self()), ordering: .relaxed)
    while let mail = takeLateMail() {
      jobs.append(contentsOf: mail.jobs)
      for work in mail.work { work() }
      finishTurn()
      let ends = ends
      self.ends = []
      for end in ends { end() }
    }
  }

  private func takeLateMail() -> Mailbox? {
    mailbox.withLock { mail in
      guard !mail.jobs.isEmpty || !mail.work.isEmpty || !ends.isEmpty else {
        threadID.store(0, ordering: .relaxed)
        // Whoever gives something from now on starts another thread for it.
        mail.signalled = false
        return nil
      }
      defer {
        mail.jobs = []
        mail.work = []
      }
      return mail
    }
  }

  /// Runs the tasks that became ready, until none is.
  func runJobs() {
    guard !jobs.isEmpty else { return }
    let executor = unsafe asUnownedTaskExecutor()
    while jobsDone < jobs.count {
      let job = jobs[jobsDone]
      jobsDone += 1
      unsafe job.runSynchronously(on: executor)
    }
    jobs.removeAll(keepingCapacity: true)
    jobsDone = 0
  }

  func add(_ source: any EventSource, _ descriptor: Int32, _ events: UInt32) throws(IOError)
    -> UInt64
  {
    let slot: UInt32
    if let free = freeSlots.popLast() {
      slot = free
    } else {
      slot = UInt32(slots.count)
      slots.append(Slot())
    }
    let token = UInt64(slots[Int(slot)].generation) << 32 | UInt64(slot)
    let status = tw_epoll_add(epoll, descriptor, events, token)
    systemCalls.register += 1
    if status < 0 {
      freeSlots.append(slot)
      throw IOError("watch a descriptor", code: -status)
    }
    slots[Int(slot)].source = source
    return token
  }

  func modify(_ descriptor: Int32, _ events: UInt32, _ token: UInt64) {
    _ = tw_epoll_modify(epoll, descriptor, events, token)
    systemCalls.register += 1
  }

  /// Forgets a source.
  ///
  /// Closing the descriptor takes it out of the kernel's set; pass it only when it stays open.
  func remove(_ token: UInt64, keepingOpen descriptor: Int32? = nil) {
    let slot = UInt32(truncatingIfNeeded: token)
    guard slots[Int(slot)].generation == UInt32(token >> 32) else { return }
    slots[Int(slot)].source = nil
    slots[Int(slot)].generation &+= 1
    freeSlots.append(slot)
    if let descriptor {
      _ = tw_epoll_remove(epoll, descriptor)
      systemCalls.register += 1
    }
  }

  /// Calls `end.turnEnded()` when this turn ends.
  ///
  /// Registering twice calls twice.
  package func atEndOfTurn(_ end: any TurnEnd) { turnEnds.append(end) }

  func markDirty(_ stream: ByteStream) { dirty.append(stream) }
  func replayLater(_ stream: ByteStream) { replays.append(stream) }

  /// Drops what is planned for a stream that goes to another loop.
  func forget(_ stream: ByteStream) {
    dirty.removeAll { $0 === stream }
    replays.removeAll { $0 === stream }
  }

  /// Sends what the stream that owns the shared output buffer has put there.
  func flushOutput() {
    guard outputCount > 0, let owner = outputOwner else { return }
    owner.flushShared()
  }

  /// Ends the thread after this turn, then calls `done`.
  ///
  /// Streams must be closed before.
  func stop(_ done: @escaping @Sendable () -> Void) {
    post { [self] in
      running = false
      ends.append(done)
    }
  }
}
