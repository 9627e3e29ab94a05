import FoundationEssentials
import Triwire

/// The server of a trial, as the process with the clients sees it: a process of its own here, a server
/// that runs elsewhere, or one that nobody here wrote.
protocol MeasuredServer: AnyObject {
  /// Makes it ready for a trial.
  ///
  /// - Returns: Where its clients find it.
  /// - Throws: ``TrialFailure`` when it is not to be had; `CancellationError`.
  func prepare(_ setup: TrialSetup) async throws -> TrialPlace
  /// Asks one thing and waits for the answer; times are those of this process's clock.
  ///
  /// - Throws: ``TrialFailure`` when the server has ended or could not do it; `CancellationError`.
  func ask(_ request: ControlRequest) async throws -> ControlReply
  /// Whether it runs where other things may be in between.
  var isElsewhere: Bool { get }
  /// Whether it tells what its sessions have moved.
  var tellsBytes: Bool { get }
  /// How long it takes to ask, in nanoseconds, where that is not next to nothing.
  var roundTrip: UInt64 { get }
  /// What it counts for itself; `nil` is not known.
  func process() async throws -> ServerReading?
  /// What it holds with so many clients; `nil` where that says nothing about them.
  func memory(clients: Int, cpuShare: Double) -> MemoryCost.Step?
  /// What has to be said of figures that came from elsewhere; `nil` of a process here.
  func target() async throws -> TargetMeasurement?
  /// Ends its part of the trial.
  func stop() async
}

/// Where the clients of a trial find its server.
struct TrialPlace: Sendable {
  /// What all URLs begin with, such as `http://127.0.0.1:8080`.
  var url: String
  /// The certificate or the authorities to trust, as PEM; `nil` is those of the system.
  var authorities: String?
  /// Where they go instead, of a server that nobody here wrote.
  var foreign: ForeignPlaces?

  /// Whether connections are secured.
  var isSecure: Bool { url.hasPrefix("https:") }
  /// Where to connect to: `HOST:PORT`.
  var hostAndPort: String {
    let rest = url.drop { $0 != "/" }.drop { $0 == "/" }
    let authority = String(rest.prefix { $0 != "/" })
    let hasPort =
      authority.drop { $0 != "]" }.contains(":")
      || !authority.contains("]") && authority.contains(":")
    return hasPort ? authority : "\(authority):\(isSecure ? 443 : 80)"
  }
  /// What the paths of the URLs begin with; empty is nothing.
  var path: String { String(url.drop { $0 != "/" }.drop { $0 == "/" }.drop { $0 != "/" }) }
}

/// What a server's process counts for itself.
struct ServerReading: Codable, Sendable {
  /// CPU time of all its threads so far, in nanoseconds.
  var work: UInt64
  /// How long its threads had to wait for a core so far, in nanoseconds.
  var waited: UInt64

  /// What this process counts for itself.
  static var own: ServerReading {
    ServerReading(
      work: Process.cpuNanoseconds,
      waited: ProcessReading.waited(ProcessInfo.processInfo.processIdentifier))
  }
}
