import FoundationEssentials
import Synchronization
public import Triwire

/// What a server offers to whoever measures it from elsewhere: one trial at a time, told over a session
/// what to do as a child process is over its pipes.
///
/// A trial lasts as long as the session of its driver, which heartbeats watch. What a driver asks for is
/// read by the rules of scenario files, with all their limits.
final class OfferedTrials: Sendable {
  private struct State {
    /// The session whose trial it is.
    var driver: UInt64?
    var trial: ServedTrial?
  }

  private let server: TriwireServer
  private let secret: String?
  private let state = Mutex(State())

  init(_ server: TriwireServer, secret: String?) {
    self.server = server
    self.secret = secret
  }

  /// The limits of the driver's session, on both sides: results are large, who is gone is noticed in
  /// half a minute, and no trial lasts longer than a connection of it may.
  static var limits: SessionLimits {
    var limits = SessionLimits()
    limits.messageBytes = 64 << 20
    limits.queuedBytesHard = 64 << 20
    limits.heartbeatSeconds = 5
    // A large trial is planned on the loop that answers heartbeats.
    limits.heartbeatGraceSeconds = 25
    limits.lifetimeSeconds = MeasuredConnections.longestSeconds
    return limits
  }

  /// Which start of this machine it is; the same in all its processes.
  static let bootID = readText("/proc/sys/kernel/random/boot_id")

  /// Adds the routes of trials.
  func addRoutes() {
    var control = RouteOptions()
    control.limits = OfferedTrials.limits
    server.session(at: TrialPath.control, options: control) { [self] session in
      try await converse(session)
    }
    var measured = RouteOptions()
    measured.limits = MeasuredConnections.session
    server.session(
      at: TrialPath.client("{number}"), options: measured,
      synchronously: { [self] session in open(session) { $0.opened(session) } })
    server.session(
      at: TrialPath.visit, options: measured,
      synchronously: { [self] session in open(session) { $0.visited(session) } })
  }

  private func open(_ session: Session, _ take: (ServedTrial) -> Void) {
    guard let trial = state.withLock({ $0.trial }) else {
      return session.close(.policyViolation, "no trial runs here")
    }
    take(trial)
  }

  /// Serves one driver.
  private func converse(_ session: Session) async throws {
    var conversation = TrialConversation { [self] setup in try begin(setup, for: session.id) }
    var isWelcome = false
    var failure: (any Error)?
    do {
      for try await message in session.messages {
        guard isWelcome else {
          let answer = answer(to: message, session)
          isWelcome = answer.refusal == nil
          try await session.send(Message(.text, [UInt8](JSONEncoder().encode(answer))))
          guard isWelcome else { break }
          continue
        }
        let reply = await reply(to: message, &conversation)
        try await session.send(Message(.text, [UInt8](JSONEncoder().encode(reply))))
      }
    } catch {
      failure = error
    }
    await end(session.id)
    if let failure { throw failure }
  }

  private func reply(
    to message: Message, _ conversation: inout TrialConversation
  ) async -> ControlReply {
    do {
      return try await conversation.answer(
        JSONDecoder().decode(ControlRequest.self, from: Data(message.bytes)))
    } catch {
      return .failed("\(error)")
    }
  }

  /// Whether a driver may measure here.
  private func answer(to message: Message, _ session: Session) -> TargetAnswer {
    let greeting = try? JSONDecoder().decode(TargetGreeting.self, from: Data(message.bytes))
    var answer = TargetAnswer()
    guard isKnown(session.request) else {
      answer.refusal = "the secret is wrong or missing, write --trials-secret FILE"
      return answer
    }
    guard let greeting else {
      answer.refusal = "this is no greeting that this version knows"
      return answer
    }
    answer.refusal = greeting.disagreement(with: TargetGreeting())
    guard answer.refusal == nil else { return answer }
    let isFree = state.withLock { state in
      guard state.driver == nil else { return false }
      state.driver = session.id
      return true
    }
    guard isFree else {
      answer.refusal = "somebody else measures here, one at a time: try again later"
      return answer
    }
    answer.server = .own
    answer.bootID = OfferedTrials.bootID
    answer.compresses = server.configuration.deflate != nil && server.configuration.gzip != nil
    return answer
  }

  private func isKnown(_ request: RequestHead) -> Bool {
    guard let secret else { return true }
    let given = Array((request.headers["authorization"] ?? "").utf8)
    let wanted = Array("Bearer \(secret)".utf8)
    guard given.count == wanted.count else { return false }
    // How long it takes says nothing about how much of it is right.
    return zip(given, wanted).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// Makes what serves a trial, if it is one that a scenario file could ask for.
  private func begin(_ setup: TrialSetup, for driver: UInt64) throws -> any TrialService {
    let text = [UInt8](try JSONEncoder().encode(setup.scenario))
    let scenario = try ScenarioFile(text: text, path: "the trial's scenario").scenario
    guard scenario.idle == nil, scenario.faults == nil, scenario.slow == nil,
      setup.isNull != true, setup.slowdown == nil
    else { throw TrialFailure("a target serves no such trial") }
    let groups = (0..<scenario.groups).map { Topic(name: "\($0)") }
    let trial = ServedTrial(setup, on: server, groups: groups)
    let isTheirs = state.withLock { state in
      guard state.driver == driver else { return false }
      state.trial = trial
      return true
    }
    guard isTheirs else { throw TrialFailure("the trial is over") }
    return OfferedTrial(trial: trial)
  }

  /// Ends what a driver began.
  private func end(_ driver: UInt64) async {
    let trial = state.withLock { state -> ServedTrial? in
      guard state.driver == driver else { return nil }
      defer { state.trial = nil }
      return state.trial
    }
    await trial?.end()
    state.withLock { state in
      if state.driver == driver { state.driver = nil }
    }
  }
}

/// A trial whose sessions come from a server that serves others as well.
private struct OfferedTrial: TrialService {
  let trial: ServedTrial

  /// It is secured as the server is, if it is.
  var certificate: String? { nil }
  /// The server listens already.
  func listen() async throws -> UInt16? { nil }
  func start(at start: UInt64, upTo end: UInt64) async { await trial.start(at: start, upTo: end) }
  func read() async -> WireReading { await trial.read() }
  func progress() async -> ControlReply { await trial.progress() }
  func readSlow() async -> SlowServed { await trial.readSlow() }
  func finish() async -> ControlReply { await trial.finish() }
}

extension TriwireServer {
  /// Lets `triwire run --target` measure this server, one trial at a time.
  ///
  /// Whoever may open a session at `/trials/control` can put load on it; the server has to run on one
  /// loop, with ``Configuration/settingsOfTrials``. All routes are below `/trials/`.
  ///
  /// - Parameter secret: What a driver has to know, sent as a bearer token (RFC 6750 §2.1); `nil` asks
  ///   for nothing.
  public func addTrialRoutes(secret: String?) {
    precondition(configuration.loops == 1, "trials are served on one loop")
    OfferedTrials(self, secret: secret).addRoutes()
  }
}

extension TriwireServer.Configuration {
  /// The settings that measured connections need, on top of others: one loop on a core of its own, what
  /// fits an Ethernet in a segment, connections that are kept for hours.
  public var settingsOfTrials: TriwireServer.Configuration {
    let measured = MeasuredConnections.server
    var settings = self
    settings.loops = measured.loops
    settings.cpus = measured.cpus
    settings.maximumSegment = measured.maximumSegment
    settings.congestionControl = measured.congestionControl
    settings.keepAliveSeconds = MeasuredConnections.longestSeconds
    settings.resume = MeasuredConnections.window
    return settings
  }
}
