import FoundationEssentials
import Triwire

/// The server and the clients of one trial, and the order in which things happen to them.
final class TrialRig {
  let trial: Trial
  let plan: SendPlan
  let server: any MeasuredServer
  let clients: LoadClients
  let watcher: TrialRun.Watcher?
  /// Whether to compare what is counted with what the interface carries.
  let checksInterface: Bool
  /// Whether the server does next to nothing, to see what the load generator alone can do.
  private let isNull: Bool
  /// Whether the two sides counted the same bytes so far; not where something in between speaks HTTP
  /// itself, or nobody tells what the server counted.
  private var isDirect: Bool
  /// Where to note how many messages wait while they are measured; `nil` is nobody asks.
  var backlog: BacklogBox?
  private var isClosed = false

  /// What has to agree with each other.
  enum Reconciled { case nothing, clients, bothSides }

  /// Whether each byte that leaves one process arrives at the other: not where a session changes its
  /// connections.
  ///
  /// A relay that imitates a network passes on each byte that it gets.
  /// The null server counts nothing.
  var reconciled: Reconciled {
    guard trial.scenario.sessions == .plain, !isNull else { return .nothing }
    return isDirect ? .bothSides : .clients
  }

  init(
    _ trial: Trial, on server: any MeasuredServer, checksInterface: Bool, isNull: Bool = false,
    _ watcher: TrialRun.Watcher?
  ) throws {
    self.trial = trial
    self.server = server
    isDirect = server.tellsBytes
    self.isNull = isNull
    self.checksInterface = checksInterface
    self.watcher = watcher
    plan = SendPlan(trial.scenario, seed: trial.seed)
    clients = try LoadClients(trial, plan)
  }

  /// Starts serving and opens all sessions in steps, reading at each what they cost.
  func connect(_ measurement: inout Measurement) async throws {
    let scenario = trial.scenario
    try checkDescriptors()
    measurement.slowdown = try Slowdown.ofEnvironment()
    let setup = TrialSetup(
      scenario: scenario, tls: trial.contender.tls, compression: trial.contender.compression,
      seed: trial.seed, isNull: isNull ? true : nil, slowdown: measurement.slowdown)
    try await clients.reach(try await server.prepare(setup))
    try await clients.prepareToResume()
    let before = try await Reading.agreed(self)
    var steps: [MemoryCost.Step] = []
    for step in scenario.idle?.steps ?? TrialRig.steps(to: scenario.clients) {
      try await clients.connect(upTo: step) { [watcher] connected in
        watcher?(TrialProgress(phase: .connecting, connected: connected))
      }
      if let step = try await idle(step) { steps.append(step) }
    }
    await clients.pausePolls(true)
    // Acknowledgements that TCP has delayed belong to the openings.
    try await pause(scenario.quiet.nanoseconds)
    let after = try await Reading.agreed(self)
    measurement.memory = MemoryCost(steps: steps)
    guard reconciled != .nothing else { return }
    look(at: after)
    measurement.connection = ConnectionCost(
      await clients.openings(), trial.contender.tls, from: before, to: after, reconciled)
    measurement.check(\.opening, "sessions were opened", from: before, to: after)
    if scenario.traffic.isEmpty { measurement.failures += after.disagreements(reconciled) }
    measurement.heartbeat = try await clients.heartbeat()
  }

  /// Finds out whether something between the two sides speaks HTTP itself: then each side's bytes are
  /// its own, and its own kernel's.
  ///
  /// A server that was started here has nothing in between.
  func look(at reading: Reading) {
    guard server.isElsewhere, isDirect, reading.disagreements(.clients).isEmpty else { return }
    isDirect = reading.disagreements(.bothSides).isEmpty
  }

  /// Sends all messages of the plan, and accounts for them and for what they cost.
  func exchange(_ measurement: inout Measurement) async throws {
    guard !trial.scenario.traffic.isEmpty else { return }
    try await clients.connectSlow()
    let empty = server.memory(clients: 0, cpuShare: 0)
    let lead: UInt64 = 50_000_000 + 2 * server.roundTrip
    let due = backlog.map { _ in DueMessages(plan, of: trial.scenario) }
    var before = try await Reading.agreed(self)
    var start = EventLoop.clock() + lead
    if plan.measuredFrom > 0 {
      try await send(from: start, upTo: plan.measuredFrom)
      let quiet = start + plan.measuredFrom - 100_000_000
      if let poll = trial.contender.poll {
        // The last messages of the warm-up are asked for, and then nobody asks any more.
        try await watch(.warmingUp, until: quiet + poll.nanoseconds)
        await clients.pausePolls(true)
        try await pause(trial.scenario.quiet.nanoseconds)
      }
      // In the quiet between warm-up and measuring, as late as the reading itself allows.
      try await watch(.warmingUp, until: quiet)
      before = try await Reading.agreed(self)
      // A reading that takes longer, on a busy machine, puts off what is measured: a message that
      // left before it would count as one that cost nothing.
      start = max(start + plan.measuredFrom, EventLoop.clock() + lead) - plan.measuredFrom
    }
    try await send(from: start, upTo: plan.end)
    await clients.breakThings(from: start + plan.measuredFrom)
    clients.beginVisits(at: start + plan.measuredFrom)
    try await measure(from: start, due)
    await clients.mend()
    measurement.slow = try await slow(since: empty)
    let deadline = start + plan.end + trial.scenario.patience.nanoseconds
    measurement.visits = await clients.finishVisits(by: deadline)
    let after = try await drain(until: deadline)
    try await account(&measurement, from: before, to: after)
  }

  /// Waits until all that is measured was due.
  private func measure(from start: UInt64, _ due: DueMessages?) async throws {
    guard let backlog, let due else { return try await watch(.measuring, until: start + plan.end) }
    for quarter in UInt64(1)...4 {
      try await watch(
        .measuring, until: start + plan.measuredFrom + plan.measuredTime * quarter / 4)
      let time = EventLoop.clock()
      guard case .progress(let served, _) = try await server.ask(.progress) else { continue }
      let arrived = served + (await clients.arrived())
      backlog.value.add(due: due.count(before: time - min(time, start)), arrived: arrived)
    }
  }

  /// What became of slow clients, and of the server's memory meanwhile; `nil` without any.
  private func slow(since empty: MemoryCost.Step?) async throws -> SlowMeasurement? {
    guard let readers = trial.scenario.slow,
      case .slow(let served) = try await server.ask(.readSlow),
      let empty, let full = server.memory(clients: 0, cpuShare: 0)
    else { return nil }
    return SlowMeasurement(
      clients: UInt64(readers.clients), offered: served.offered,
      read: await clients.readBySlow(), dropped: served.dropped, closed: served.closed,
      memoryGrowth: Int64(full.anonymous) - Int64(empty.anonymous))
  }

  /// Has both processes send the plan up to a time of it; its times count from `start`.
  private func send(from start: UInt64, upTo end: UInt64) async throws {
    await clients.pausePolls(false)
    _ = try await server.ask(.start(at: start, upTo: end))
    await clients.start(at: start, upTo: end)
  }

  /// Waits for the last messages and for the acknowledgements after them.
  private func drain(until deadline: UInt64) async throws -> Reading {
    while EventLoop.clock() < deadline {
      if await clients.isComplete(),
        case .progress(_, isComplete: true) = try await server.ask(.progress)
      {
        break
      }
      try await pause(10_000_000)
    }
    await clients.pausePolls(true)
    try await pause(trial.scenario.quiet.nanoseconds)
    return try await Reading.agreed(self)
  }

  /// What the server holds with so many idle clients, and how busy it is with them.
  private func idle(_ clients: Int) async throws -> MemoryCost.Step? {
    var share = 0.0
    if let hold = trial.scenario.idle?.hold.nanoseconds, hold > 0 {
      watcher?(TrialProgress(phase: .idling, connected: clients))
      let before = try await server.process()
      try await pause(hold)
      if let before, let after = try await server.process() {
        share = Double(after.work - before.work) / Double(hold)
      }
    }
    return server.memory(clients: clients, cpuShare: share)
  }

  /// Waits until a moment, and tells the watcher how it goes.
  private func watch(_ phase: TrialProgress.Phase, until deadline: UInt64) async throws {
    guard let watcher else {
      return try await pause(deadline - min(deadline, EventLoop.clock()))
    }
    let begin = EventLoop.clock()
    var (last, lastTime) = (try await arrived(), begin)
    while case let now = EventLoop.clock(), now < deadline {
      try await pause(min(250_000_000, deadline - now))
      let (next, nextTime) = (try await arrived(), EventLoop.clock())
      let seen = await clients.progress()
      let rate = Double(next - min(last, next)) * 1e9 / Double(max(1, nextTime - lastTime))
      watcher(
        TrialProgress(
          phase: phase, part: min(1, Double(nextTime - begin) / Double(max(1, deadline - begin))),
          messagesPerSecond: rate, p50: seen.p50, p99: seen.p99, errors: seen.errors))
      (last, lastTime) = (next, nextTime)
    }
  }

  /// How many messages have arrived; the server is asked where some of them go upwards.
  private func arrived() async throws -> UInt64 {
    let mine = await clients.arrived()
    guard trial.scenario.traffic.contains(where: { $0.direction == .up }),
      case .progress(let served, _) = try await server.ask(.progress)
    else { return mine }
    return mine + served
  }

  private func pause(_ nanoseconds: UInt64) async throws {
    try await Task.sleep(nanoseconds: nanoseconds)
  }

  /// Ends both processes' part of the trial.
  func close() async {
    guard !isClosed else { return }
    isClosed = true
    await clients.close()
    await server.stop()
  }

  /// Refuses more clients than either process can have connections for.
  private func checkDescriptors() throws {
    let hasOwnWayUp = trial.transport == .webSocket
    let sendsUp = !hasOwnWayUp && !plan.fromClients.isEmpty
    let plain = trial.scenario.clients * (sendsUp ? 2 : 1)
    // A relay has both ends of each connection, clients may fall back to two, and what was muted
    // is still there when the next is.
    let relayed = trial.scenario.faults == nil ? plain * 3 : trial.scenario.clients * 12
    let needed = (trial.scenario.isRelayed ? relayed : plain) + 50
    let limit = Process.raiseDescriptorLimit()
    guard needed > limit else { return }
    throw TrialFailure(
      "\(grouped(trial.scenario.clients)) clients need \(grouped(needed)) descriptors and the limit "
        + "is \(grouped(limit)): lower clients, or raise the limit (ulimit -n)")
  }

  /// Four equal steps, or as many as there are clients.
  private static func steps(to clients: Int) -> [Int] {
    Set((1...4).map { clients * $0 / 4 }).filter { $0 > 0 }.sorted()
  }
}

/// What both processes have moved and worked so far.
struct Reading: Sendable {
  /// `nil` where nobody tells.
  let server: WireReading?
  let clients: WireReading
  /// How long threads of the server had to wait for a core so far, in nanoseconds; `nil` is not
  /// known.
  let serverWaited: UInt64?
  /// How long threads of the clients' process had to wait for a core so far, in nanoseconds.
  let clientsWaited: UInt64
  /// How long some task of the machine had to wait for a core so far, in microseconds (PSI).
  let pressure: UInt64?
  /// What the interface has carried, where that is compared.
  let interface: InterfaceCount?
  /// When it was read, on the monotonic clock.
  let time: UInt64
  /// The same on the clock that nobody adjusts.
  let rawTime: UInt64

  init(_ rig: TrialRig) async throws {
    clients = await rig.clients.read()
    if rig.server.tellsBytes {
      guard case .reading(let server) = try await rig.server.ask(.read) else {
        throw TrialFailure("the server did not say what its sessions moved")
      }
      self.server = server
    } else {
      server = nil
    }
    serverWaited = try await rig.server.process()?.waited
    clientsWaited = ProcessReading.waited(ProcessInfo.processInfo.processIdentifier)
    pressure = ProcessReading.pressure
    interface = rig.checksInterface && rig.reconciled == .bothSides ? .ownLoopback : nil
    rawTime = ProcessReading.rawClock
    time = EventLoop.clock()
  }

  /// Reads until all who counted agree, or for two seconds: on a busy machine bytes may be on their
  /// way, such as a ping, when a count is taken.
  ///
  /// What never agrees is a failure of the trial.
  static func agreed(_ rig: TrialRig) async throws -> Reading {
    var reading = try await Reading(rig)
    guard rig.reconciled != .nothing else { return reading }
    for _ in 0..<20 where !reading.disagreements(rig.reconciled).isEmpty {
      try await Task.sleep(for: .milliseconds(100))
      reading = try await Reading(rig)
    }
    return reading
  }

  /// What does not agree, within each process and between them, of what has to.
  func disagreements(_ reconciled: TrialRig.Reconciled) -> [String] {
    guard reconciled == .bothSides, let server else {
      return [clients.disagreement].compactMap { $0 }
    }
    let pairs = [
      ("clients sent", clients.sent.socket, "server received", server.received.socket),
      ("server sent", server.sent.socket, "clients received", clients.received.socket),
    ]
    let between = pairs.filter { $0.1 != $0.3 }.map { one, sent, other, received in
      "the \(one) \(grouped(sent)) bytes and the \(other) \(grouped(received))"
    }
    return [clients.disagreement, server.disagreement].compactMap { $0 } + between
  }
}
