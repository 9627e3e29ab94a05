import Synchronization
import Triwire

/// The sessions of one trial on the server's side.
final class ServedTrial: @unchecked Sendable {
  // What changes is touched on the server's one loop alone, and only after a session opened
  // there; which is what makes `@unchecked Sendable` hold.

  private let scenario: Scenario
  private let plan: SendPlan
  private let server: TriwireServer
  private let receiver: Receiver
  private let groups: [Topic]
  private var sessions: [Session?]
  private var pacer: Pacer?
  private var ends: [String] = []
  private let isBroadcast: Bool
  private let greeting: [UInt8]
  private var slow: [Session?]
  private var slowServed = SlowServed()
  private let burner: CPUBurner?
  private var delayed: DelayedEchoes?
  /// The server's loop, which the first session shows.
  private let firstLoop = Mutex<EventLoop?>(nil)
  private var loop: EventLoop? { firstLoop.withLock { $0 } }

  /// Prepares to serve a trial.
  ///
  /// - Parameters:
  ///   - setup: The trial.
  ///   - server: The server its sessions come from, on one loop.
  ///   - groups: A topic for each group of clients.
  init(_ setup: TrialSetup, on server: TriwireServer, groups: [Topic]) {
    scenario = setup.scenario
    plan = SendPlan(setup.scenario, seed: setup.seed)
    receiver = Receiver(setup.scenario, plan, of: .server)
    sessions = Array(repeating: nil, count: setup.scenario.clients)
    slow = Array(repeating: nil, count: setup.scenario.slow?.clients ?? 0)
    greeting = Greeting.bytes(setup.scenario.snapshot)
    burner = setup.slowdown?.cpu.map { CPUBurner(part: $0) }
    isBroadcast = setup.scenario.traffic.contains { $0.direction == .broadcast }
    self.server = server
    self.groups = groups
    delayed = setup.slowdown?.delay.map { delay in
      DelayedEchoes(delay: delay.nanoseconds) { [unowned self] client, kind, message in
        sessions[client]?.sendNow(kind, message)
      }
    }
  }

  /// Takes a client's session: greets it, so that the client sees a first message arrive.
  func opened(_ session: Session) {
    guard let client = Int(session.parameter), sessions.indices.contains(client) else {
      return session.close(.policyViolation, "there is no client \(session.parameter)")
    }
    if loop == nil { firstLoop.withLock { $0 = session.loop } }
    sessions[client] = session
    if isBroadcast { session.subscribe(to: groups[client % groups.count]) }
    session.receive { [self] kind, message in received(kind, message, from: client) }
    session.whenEnded { [self] end in
      if !end.isClean { ends.append("client \(client): \(end.code) \(end.reason)") }
      sessions[client] = nil
    }
    let greeting = greeting
    session.sendNow(.text, greeting.span)
  }

  /// Takes the session of a client that reads too slowly.
  func openedSlow(_ session: Session) {
    guard let number = Int(session.parameter), slow.indices.contains(number) else {
      return session.close(.policyViolation, "there is no slow client \(session.parameter)")
    }
    slow[number] = session
    if isBroadcast { session.subscribe(to: groups[number % groups.count]) }
    session.whenEnded { [self] _ in
      slowServed.add(session.slowConsumerCounters)
      slow[number] = nil
    }
  }

  /// Takes the session of one who comes and goes.
  func visited(_ session: Session) {
    guard let visitors = scenario.visitors else {
      return session.close(.policyViolation, "this trial has no visitors")
    }
    VisitServed(session, visitors, on: session.loop).go()
  }

  /// Sends a slow client what another is sent.
  private func sendSlow(_ number: Int, _ flow: Int, _ kind: MessageKind, _ message: Span<UInt8>) {
    guard slow.indices.contains(number) else { return }
    slowServed.offered += 1
    slow[number]?.sendNow(kind, message, key: "\(flow)")
  }

  /// What was counted for slow clients.
  func readSlow() async -> SlowServed {
    guard let loop else { return SlowServed() }
    return await loop.perform { [self] in
      var served = slowServed
      for session in slow.compactMap({ $0 }) { served.add(session.slowConsumerCounters) }
      return served
    }
  }

  private func received(_ kind: MessageKind, _ message: Span<UInt8>, from client: Int) {
    guard let stamp = Stamp(of: message), scenario.traffic.indices.contains(stamp.flow) else {
      return receiver.receive(message, at: client)
    }
    burner?.burn()
    switch scenario.traffic[stamp.flow].direction {
    case .up, .down: receiver.receive(stamp, at: client)
    case .echo:
      if let delayed, let loop {
        delayed.add(client, kind, message, on: loop)
      } else {
        sessions[client]?.sendNow(kind, message)
      }
    case .broadcast:
      let group = groups[client % groups.count]
      group.publish(Message(kind, copying: message), except: sessions[client])
    }
  }

  /// Sends the server's part of the plan up to a time of it; its times count from `start`.
  func start(at start: UInt64, upTo end: UInt64) async {
    guard let loop else { return }
    await loop.perform { [self] in
      receiver.start = start
      let pacer = pacer ?? newPacer(on: loop)
      self.pacer = pacer
      pacer.begin(at: start, upTo: end)
    }
  }

  private func newPacer(on loop: EventLoop) -> Pacer {
    Pacer(
      plan.fromServer, of: scenario, measuredFrom: plan.measuredFrom, on: loop
    ) { [self] send, kind, message in
      burner?.burn()
      if scenario.traffic[Int(send.flow)].direction == .broadcast {
        let group = Int(send.sender)
        let key = slow.isEmpty ? nil : "\(send.flow)"
        groups[group].publish(Message(kind, copying: message), key: key)
        // As many of the slow ones hear it as are of the group.
        let hearers = slow.indices.count { $0 % groups.count == group }
        slowServed.offered += UInt64(hearers)
      } else {
        sessions[Int(send.sender)]?.sendNow(kind, message)
        sendSlow(Int(send.sender), Int(send.flow), kind, message)
      }
    }
  }

  func read() async -> WireReading {
    var reading =
      await loop?.perform { [self] in
        WireReading(of: sessions.lazy.compactMap { $0 }, at: "server")
      } ?? WireReading(of: [], at: "server")
    reading.systemCalls = await server.systemCalls().total
    return reading
  }

  func progress() async -> ControlReply {
    guard let loop else { return .progress(arrived: 0, isComplete: true) }
    return await loop.perform { [self] in
      .progress(arrived: receiver.arrived, isComplete: receiver.isComplete)
    }
  }

  func finish() async -> ControlReply {
    guard let loop else { return .failed("no client has connected") }
    return await loop.perform { [self] in
      pacer?.stop()
      return .finished(
        receiver.finish(), slip: pacer?.slip ?? Histogram(), ends: ends,
        resumed: sessions.compactMap { $0?.resumeCounters })
    }
  }

  /// Ends all sessions without a word, and sends nothing any more.
  func end() async {
    guard let loop else { return }
    await loop.perform { [self] in
      pacer?.stop()
      pacer = nil
      for session in sessions + slow { session?.abort() }
    }
  }
}
