import Triwire

/// A server that is started for one trial, in a process of its own on this machine.
final class OwnServer: MeasuredServer {
  private let child: ServerProcess

  /// Starts the executable again as the server of a trial.
  ///
  /// - Throws: ``TrialFailure`` when it cannot be started.
  init(executable: String) throws {
    child = try ServerProcess(executable: executable, words: [TrialServer.word])
  }

  func prepare(_ setup: TrialSetup) async throws -> TrialPlace {
    guard case .ready(let port?, let certificate) = try await ask(.configure(setup)) else {
      throw TrialFailure("the server did not say where it listens")
    }
    let scheme = certificate == nil ? "http" : "https"
    return TrialPlace(url: "\(scheme)://127.0.0.1:\(port)", authorities: certificate)
  }

  func ask(_ request: ControlRequest) async throws -> ControlReply {
    try await child.ask(request)
  }

  var isElsewhere: Bool { false }
  var tellsBytes: Bool { true }
  var roundTrip: UInt64 { 0 }

  /// The kernel tells it, and nobody has to be asked.
  func process() async throws -> ServerReading? {
    ServerReading(
      work: try ProcessReading.work(of: child.identifier),
      waited: ProcessReading.waited(child.identifier))
  }

  func memory(clients: Int, cpuShare: Double) -> MemoryCost.Step? {
    ProcessReading.memory(of: child.identifier, clients: clients, cpuShare: cpuShare)
  }

  func target() async throws -> TargetMeasurement? { nil }

  func stop() async { child.stop() }
}
