import Triwire

/// A server that nobody here wrote: it echoes, and it cannot be asked for anything.
final class ForeignServer: MeasuredServer {
  private let servers: ForeignServers
  private let authorities: String?
  private var setup: TrialSetup?

  init(_ servers: ForeignServers, _ authorities: String?) {
    self.servers = servers
    self.authorities = authorities
  }

  var isElsewhere: Bool { true }
  var tellsBytes: Bool { false }
  var roundTrip: UInt64 { 0 }

  func prepare(_ setup: TrialSetup) async throws -> TrialPlace {
    guard setup.slowdown == nil else {
      throw TrialFailure(
        "a foreign server is not slowed down on purpose: unset \(Slowdown.variable)")
    }
    self.setup = setup
    return TrialPlace(url: "", authorities: authorities, foreign: ForeignPlaces(servers))
  }

  /// Answers for a server that sends nothing of its own and has to receive nothing that is counted.
  func ask(_ request: ControlRequest) async throws -> ControlReply {
    guard let setup else { throw TrialFailure("the trial is not configured") }
    switch request {
    case .start: return .started
    case .progress: return .progress(arrived: 0, isComplete: true)
    case .finish:
      let plan = SendPlan(setup.scenario, seed: setup.seed)
      let receiver = Receiver(setup.scenario, plan, of: .server)
      return .finished(receiver.finish(), slip: Histogram(), ends: [], resumed: [])
    case .configure, .time, .read, .readProcess, .readSlow:
      throw TrialFailure("a foreign server cannot be asked for that")
    }
  }

  func process() async throws -> ServerReading? { nil }
  func memory(clients: Int, cpuShare: Double) -> MemoryCost.Step? { nil }
  /// Every time begins and ends on the clients' clock.
  func target() async throws -> TargetMeasurement? { .ofEchoes }
  func stop() async {}
}
