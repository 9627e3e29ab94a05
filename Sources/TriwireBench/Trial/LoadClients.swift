import Triwire

/// The clients of a trial: all their sessions, on one loop of their own.
final class LoadClients: @unchecked Sendable {
  // What changes is touched on the loop alone, which is what makes `@unchecked Sendable` hold.

  let loop: EventLoop
  private let group: EventLoopGroup
  private let trial: Trial
  private let plan: SendPlan
  private let receiver: Receiver
  /// By the number of the client; `nil` is not open yet.
  private var sessions: [Session?]
  private var pacer: Pacer?
  private var ends: [String] = []
  /// Clients whose session is open and waits for its first message.
  private var awaited: [Int: CheckedContinuation<Bool, Never>] = [:]
  private var isClosing = false
  private var server = "http://127.0.0.1"
  private var configuration = TriwireClient.Configuration()
  private var path: RelayedPath?
  /// Where clients go at servers that nobody here wrote.
  private var foreign: ForeignPlaces?
  private var slow: SlowClients?
  /// When clients ask, in the control that polls at an interval.
  private var polls: PollClock?
  private var visits: Visits?

  /// Nanoseconds a greeting may take, on top of what a slow network takes.
  private static let patience: UInt64 = 10_000_000_000
  /// Sessions that open at the same time where a network makes each of them take long.
  private static let together = 64

  init(_ trial: Trial, _ plan: SendPlan) throws {
    self.trial = trial
    self.plan = plan
    group = try MeasuredConnections.loopOfClients()
    loop = group.next()
    sessions = Array(repeating: nil, count: trial.scenario.clients)
    receiver = Receiver(trial.scenario, plan, of: .clients)
  }

  /// Says where the server is, and whom to trust with it.
  ///
  /// Where the scenario has faults or a network, all goes through a relay that the clients' process
  /// runs.
  ///
  /// - Throws: `IOError` when the relay cannot be started.
  func reach(_ place: TrialPlace) async throws {
    configuration = MeasuredConnections.clients(on: group)
    if trial.contender.compression == .on {
      configuration.deflate = DeflateOptions()
      configuration.gzip = GzipOptions()
    }
    if let interval = trial.contender.poll {
      polls = PollClock(interval: interval.nanoseconds, on: loop)
      configuration.pollClock = polls
    }
    if trial.scenario.sessions == .resumable {
      configuration.resume = MeasuredConnections.window
    }
    if trial.scenario.faults != nil {
      configuration.fallback = (trial.scenario.reconnect ?? .usual)
        .options(from: MeasuredConnections.resumed)
      configuration.session = MeasuredConnections.hurried(configuration.session)
    }
    server = place.url
    foreign = place.foreign
    if trial.scenario.isRelayed {
      let path = RelayedPath(to: place.hostAndPort, trial, on: loop)
      self.path = path
      let scheme = place.isSecure ? "https" : "http"
      server = "\(scheme)://127.0.0.1:\(try await path.open())\(place.path)"
    }
    configuration.send(trial.scenario.headers ?? .minimal, to: server)
    if let authorities = place.authorities { configuration.tls.caFile = .text(authorities) }
    guard let version = trial.contender.tls.version else { return }
    configuration.tls.minimumVersion = version
    configuration.tls.maximumVersion = version
    configuration.tls.resumesSessions = trial.contender.tls == .v1_3Resumed
  }

  /// Opens a session that the server refuses, so that it leaves a ticket for all that follow; over
  /// the transport that opens before it is refused.
  func prepareToResume() async throws {
    guard trial.contender.tls == .v1_3Resumed else { return }
    let url = server + TrialPath.client("nobody")
    let session = try await TriwireClient(url, configuration: configuration)
      .connect(over: [.webSocket])
    _ = await session.ended()
  }

  /// Opens sessions until there are so many: one after the other, or many at a time where a network
  /// makes each of them take long.
  ///
  /// - Throws: `ConnectError` when one cannot be opened, ``TrialFailure`` when it stays silent,
  ///   `CancellationError`.
  func connect(upTo count: Int, _ show: ((Int) -> Void)?) async throws {
    let first = await self.count
    let width = trial.scenario.network == nil ? 1 : LoadClients.together
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for (index, client) in (first..<count).enumerated() {
        if index >= width { try await tasks.next() }
        try Task.checkCancellation()
        tasks.addTask { [self] in try await open(client) }
        show?(max(first, client + 1 - width))
      }
      try await tasks.waitForAll()
      show?(count)
    }
  }

  /// Opens the sessions of those who read too slowly, where the scenario has some.
  func connectSlow() async throws {
    guard let readers = trial.scenario.slow else { return }
    let slow = SlowClients(readers, on: loop)
    self.slow = slow
    try await slow.open(at: server, over: trial.transport, configuration)
  }

  /// What keeping a session alive costs; `nil` where clients do not idle, or ask at an interval.
  func heartbeat() async throws -> HeartbeatMeasurement? {
    guard trial.scenario.idle != nil, !trial.scenario.isRelayed, polls == nil else { return nil }
    return try await HeartbeatProbe.measure(
      at: server, over: trial.transport, configuration)
  }

  /// Lets visitors come from a moment on, where the scenario has some.
  func beginVisits(at start: UInt64) {
    guard let visitors = trial.scenario.visitors else { return }
    let visits = Visits(visitors, on: loop)
    self.visits = visits
    visits.begin(
      at: start, count: visitors.count(within: trial.scenario.duration),
      to: server + TrialPath.visit,
      over: trial.transport, configuration)
  }

  /// What visits cost, when the last visitor has gone, or at a moment at the latest.
  func finishVisits(by deadline: UInt64) async -> VisitMeasurement? {
    await visits?.finish(by: deadline)
  }

  /// How many messages slow clients have read.
  func readBySlow() async -> UInt64 { await slow?.read() ?? 0 }

  private func open(_ client: Int) async throws {
    let place =
      foreign?.place(of: client, over: trial.transport, configuration)
      ?? (url: server + TrialPath.client("\(client)"), configuration: configuration)
    let session = try await TriwireClient(place.url, configuration: place.configuration)
      .connect(over: order)
    guard await takeIn(session, client) else {
      guard foreign != nil else {
        throw TrialFailure("client \(client) was not greeted within 10 s of its opening")
      }
      let reason = await ended(client)
      throw TrialFailure(
        "client \(client) sent a message to \(place.url) and it did not come back: "
          + reason)
    }
  }

  /// The trial's transport, and behind it, where it may break, the others.
  private var order: [TransportKind] {
    let others = TransportKind.allCases.filter { $0 != trial.transport }
    return [trial.transport] + (path?.watch == nil ? [] : others)
  }

  private var count: Int {
    get async { await loop.perform { [self] in sessions.count { $0 != nil } } }
  }

  /// Listens to a new session, and returns whether its first message came.
  private func takeIn(_ session: Session, _ client: Int) async -> Bool {
    await withCheckedContinuation { continuation in
      loop.execute { [self] in
        sessions[client] = session
        awaited[client] = continuation
        session.receive { [self] _, message in received(message, by: client) }
        session.whenEnded { [self] end in ended(end, client) }
        if let watch = path?.watch {
          watch.opened(over: session.transport, client)
          session.whenRecovered { watch.recovered($0, client) }
        }
        loop.schedule(at: EventLoop.clock() + LoadClients.patience) { [self] in
          giveUpGreeting(client)
        }
        if foreign != nil { greet(client) }
      }
    }
  }

  /// Sends a greeting that has to come back, again each second until it does: a server that keeps
  /// nothing may not have heard yet that somebody listens.
  private func greet(_ client: Int) {
    guard awaited[client] != nil else { return }
    let greeting = Greeting.bytes(nil)
    sessions[client]?.sendNow(.text, greeting.span)
    loop.schedule(at: EventLoop.clock() + 1_000_000_000) { [self] in greet(client) }
  }

  /// What is known of why a client's session ended.
  private func ended(_ client: Int) async -> String {
    await loop.perform { [self] in
      ends.first { $0.hasPrefix("client \(client):") }
        ?? "does the server send back what it is sent?"
    }
  }

  private func received(_ message: Span<UInt8>, by client: Int) {
    guard Greeting.matches(message) else { return receiver.receive(message, at: client) }
    awaited.removeValue(forKey: client)?.resume(returning: true)
  }

  private func giveUpGreeting(_ client: Int) {
    awaited.removeValue(forKey: client)?.resume(returning: false)
  }

  private func ended(_ end: SessionEnd, _ client: Int) {
    guard !isClosing else { return }
    ends.append("client \(client): \(end.code) \(end.reason)")
    giveUpGreeting(client)
  }

  /// Sends the clients' part of the plan up to a time of it; its times count from `start`.
  func start(at start: UInt64, upTo end: UInt64) async {
    await loop.perform { [self] in
      receiver.start = start
      let pacer =
        pacer
        ?? Pacer(
          plan.fromClients, of: trial.scenario, measuredFrom: plan.measuredFrom, on: loop
        ) { [self] send, kind, message in
          sessions[Int(send.sender)]?.sendNow(kind, message)
        }
      self.pacer = pacer
      pacer.begin(at: start, upTo: end)
    }
  }

  /// Has no client ask, so that nothing is under way when counts are taken, or all go on.
  func pausePolls(_ isPaused: Bool) async {
    guard let polls else { return }
    await loop.perform { polls.isPaused = isPaused }
  }

  /// Breaks what the scenario wants broken, from the start of what is measured.
  func breakThings(from start: UInt64) async {
    guard let path else { return }
    path.play(from: start)
    await loop.perform { path.watch?.begin(at: start) }
  }

  /// Takes all faults back, at the end of what is measured.
  func mend() async {
    guard let path else { return }
    path.mend()
    await loop.perform { path.watch?.stop(at: EventLoop.clock()) }
  }

  /// What faults did, together with what the server's sessions counted; `nil` without any.
  func faults(_ server: [ResumeCounters]) async -> FaultMeasurement? {
    guard let path, let watch = path.watch else { return nil }
    let relay = await path.counters()
    return await loop.perform { [self] in
      watch.finish(clients: sessions.compactMap { $0?.resumeCounters }, server: server, relay)
    }
  }

  /// How well the network of the scenario was imitated; `nil` where there is none.
  func network() async -> NetworkMeasurement? { await path?.network() }

  /// What the sessions have moved.
  func read() async -> WireReading {
    await loop.perform { [self] in
      var reading = WireReading(of: sessions.lazy.compactMap { $0 }, at: "clients")
      reading.systemCalls = loop.systemCalls.total
      return reading
    }
  }

  /// How many messages have arrived.
  func arrived() async -> UInt64 { await loop.perform { [self] in receiver.arrived } }

  /// How many messages have arrived, how long they took so far, and how many sessions have ended.
  func progress() async -> (arrived: UInt64, p50: UInt64?, p99: UInt64?, errors: Int) {
    await loop.perform { [self] in
      let latency = receiver.latency.soundPercentiles([50, 99])
      return (receiver.arrived, latency[0], latency[1], ends.count)
    }
  }

  /// Whether everything has come that had to.
  func isComplete() async -> Bool { await loop.perform { [self] in receiver.isComplete } }

  /// When the steps of all openings were done.
  func openings() async -> [Opening] {
    await loop.perform { [self] in sessions.compactMap { $0?.opening } }
  }

  /// What came of all messages, and the sessions that ended before they should.
  func finish() async -> (received: Received, slip: Histogram, ends: [String]) {
    await loop.perform { [self] in
      pacer?.stop()
      return (receiver.finish(), pacer?.slip ?? Histogram(), ends)
    }
  }

  /// Ends all sessions without ceremony, and the loop.
  func close() async {
    await visits?.stop()
    await slow?.close()
    await loop.perform { [self] in
      isClosing = true
      pacer?.stop()
      // It holds the clients, as they hold it.
      pacer = nil
      for session in sessions { session?.abort() }
      sessions = []
    }
    await path?.close()
    await group.stop()
  }
}
