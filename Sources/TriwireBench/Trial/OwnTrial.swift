import Triwire

/// A trial with a server that was started for it alone.
final class OwnTrial: TrialService, Sendable {
  private let scenario: Scenario
  private let server: TriwireServer
  private let trial: ServedTrial
  let certificate: String?

  init(_ setup: TrialSetup) throws {
    scenario = setup.scenario
    var configuration = MeasuredConnections.server
    configuration.topics = setup.scenario.groups
    // A connection for messages upwards lives as long as the trial, however rarely it is used.
    configuration.keepAliveSeconds = MeasuredConnections.longestSeconds
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
    trial = ServedTrial(
      setup, on: server, groups: (0..<setup.scenario.groups).map { server.topic("\($0)") })
  }

  func listen() async throws -> UInt16? {
    let trial = trial
    server.session(
      at: TrialPath.client("{number}"), synchronously: { session in trial.opened(session) })
    if scenario.idle != nil {
      var options = RouteOptions()
      options.limits = HeartbeatProbe.limits(from: server.configuration.session)
      server.session(at: TrialPath.beat, options: options, synchronously: { _ in })
    }
    if let readers = scenario.slow {
      var options = RouteOptions()
      options.limits = readers.limits(from: server.configuration.session)
      server.session(
        at: TrialPath.slow("{number}"), options: options,
        synchronously: { session in trial.openedSlow(session) })
    }
    if scenario.visitors != nil {
      server.session(at: TrialPath.visit, synchronously: { session in trial.visited(session) })
    }
    return try await server.start(on: "127.0.0.1:0").port
  }

  func start(at start: UInt64, upTo end: UInt64) async { await trial.start(at: start, upTo: end) }
  func read() async -> WireReading { await trial.read() }
  func progress() async -> ControlReply { await trial.progress() }
  func readSlow() async -> SlowServed { await trial.readSlow() }
  func finish() async -> ControlReply { await trial.finish() }
}
