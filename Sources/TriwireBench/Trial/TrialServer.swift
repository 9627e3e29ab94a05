import FoundationEssentials
import Glibc
import Triwire

/// The server's process of a trial, told over standard input what to do.
///
/// The command starts itself again for each trial with the word `trial-server`, which help does
/// not show. It reads ``ControlRequest`` lines, answers each with one ``ControlReply`` line, and
/// ends when its input is closed: when the process that measures ends, however that comes about.
public enum TrialServer {
  /// Serves one trial until standard input is closed.
  public static func run() async {
    // Ctrl-C goes to the whole foreground group; the process that measures decides what it means.
    signal(SIGINT, SIG_IGN)
    Process.raiseDescriptorLimit()
    var served: (any TrialService)?
    while let line = readLine() {
      let reply: ControlReply
      do {
        reply = try await answer(try decodeLine(line), &served)
      } catch {
        reply = .failed("\(error)")
      }
      guard (try? writeOutput(try encodeLine(reply))) != nil else { return }
    }
  }

  private static func answer(
    _ request: ControlRequest, _ served: inout (any TrialService)?
  ) async throws -> ControlReply {
    if case .configure(let setup) = request {
      let trial: any TrialService =
        setup.isNull == true ? NullTrial(setup) : try ServedTrial(setup)
      served = trial
      return .ready(port: try await trial.listen(), certificate: trial.certificate)
    }
    guard let served else { return .failed("the trial is not configured") }
    switch request {
    case .configure: return .failed("the trial is configured already")
    case .start(let start, let end):
      await served.start(at: start, upTo: end)
      return .started
    case .read: return .reading(await served.read())
    case .progress: return await served.progress()
    case .readSlow: return .slow(await served.readSlow())
    case .finish: return await served.finish()
    }
  }
}

/// What the server's process does for a trial.
protocol TrialService: Sendable {
  /// The certificate of the trial, which nobody else knows; `nil` without TLS.
  var certificate: String? { get }
  /// Starts listening, and returns the port.
  func listen() async throws -> UInt16
  /// Sends the server's part of the plan up to a time of it; its times count from `start`.
  func start(at start: UInt64, upTo end: UInt64) async
  /// What the sessions have moved.
  func read() async -> WireReading
  /// How many messages have arrived.
  func progress() async -> ControlReply
  /// What was counted for clients that read too slowly.
  func readSlow() async -> SlowServed
  /// What came of the messages.
  func finish() async -> ControlReply
}

/// The sessions of one trial on the server's side.
private final class ServedTrial: TrialService, @unchecked Sendable {
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
  private let slowdown: Slowdown?
  private var delayed: DelayedEchoes?
  /// The certificate of the trial, which nobody else knows; `nil` without TLS.
  let certificate: String?

  init(_ setup: TrialSetup) throws {
    scenario = setup.scenario
    plan = SendPlan(setup.scenario, seed: setup.seed)
    receiver = Receiver(setup.scenario, plan, of: .server)
    sessions = Array(repeating: nil, count: setup.scenario.clients)
    slow = Array(repeating: nil, count: setup.scenario.slow?.clients ?? 0)
    greeting = Greeting.bytes(setup.scenario.snapshot)
    slowdown = setup.slowdown
    isBroadcast = setup.scenario.traffic.contains { $0.direction == .broadcast }
    var configuration = MeasuredConnections.server
    configuration.topics = setup.scenario.groups
    // A connection for messages upwards lives as long as the trial, however rarely it is used.
    configuration.keepAliveSeconds = 7200
    configuration.resume = MeasuredConnections.window
    if setup.compression == .on {
      configuration.deflate = DeflateOptions()
      configuration.gzip = GzipOptions()
    }
    if setup.scenario.faults != nil {
      configuration.session = MeasuredConnections.hurried(configuration.session)
    }
    let identity = setup.tls == .off ? nil : try TLSIdentity.selfSigned()
    certificate = identity?.certificate
    configuration.tls = identity.map {
      TLSServerOptions(certificate: .text($0.certificate), key: .text($0.key))
    }
    let server = TriwireServer(configuration: configuration)
    self.server = server
    groups = (0..<setup.scenario.groups).map { server.topic("\($0)") }
    delayed = setup.slowdown?.delay.map { delay in
      DelayedEchoes(delay: delay.nanoseconds) { [unowned self] client, kind, message in
        sessions[client]?.sendNow(kind, message)
      }
    }
  }

  /// Starts listening, and returns the port.
  func listen() async throws -> UInt16 {
    server.session(at: "/client/{number}", synchronously: { [self] in opened($0) })
    if scenario.idle != nil {
      var options = RouteOptions()
      options.limits = HeartbeatProbe.limits(from: server.configuration.session)
      server.session(at: HeartbeatProbe.path, options: options, synchronously: { _ in })
    }
    if let readers = scenario.slow {
      var options = RouteOptions()
      options.limits = readers.limits(from: server.configuration.session)
      server.session(
        at: "/slow/{number}", options: options, synchronously: { [self] in openedSlow($0) })
    }
    if let visitors = scenario.visitors {
      server.session(
        at: "/visit",
        synchronously: { session in VisitServed(session, visitors, on: session.loop).go() })
    }
    return try await server.start(on: "127.0.0.1:0").port
  }

  /// Takes a client's session: greets it, so that the client sees a first message arrive.
  private func opened(_ session: Session) {
    guard let client = Int(session.parameter), sessions.indices.contains(client) else {
      return session.close(.policyViolation, "there is no client \(session.parameter)")
    }
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
  private func openedSlow(_ session: Session) {
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
    slowdown?.burn()
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
      slowdown?.burn()
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
    guard let loop else { return WireReading(of: [], at: "server") }
    var reading = await loop.perform { [self] in
      WireReading(of: sessions.lazy.compactMap { $0 }, at: "server")
    }
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

  /// The server's loop, which the first session shows.
  private var loop: EventLoop? { sessions.lazy.compactMap { $0 }.first?.loop }
}

/// The first message of every session, so that its arrival can be timed.
enum Greeting {
  /// No measured message begins with it: it is not a letter of a stamp, and no record has it first.
  private static let mark = UInt8(ascii: "!")

  /// The greeting: a few bytes, or a snapshot of what the session is about.
  static func bytes(_ snapshot: ByteCount?) -> [UInt8] {
    guard let snapshot else { return [mark] + Array("hello".utf8) }
    return [mark] + Flow.Content.json.bytes(.text, snapshot.bytes - 1)
  }

  /// Whether a message is the greeting.
  static func matches(_ message: Span<UInt8>) -> Bool { message.count > 0 && message[0] == mark }
}
