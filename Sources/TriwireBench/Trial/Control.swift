import FoundationEssentials
import Triwire

/// What the process that measures tells the server of a trial, one JSON object per line.
enum ControlRequest: Codable, Sendable {
  /// Serve this trial; answered by ``ControlReply/ready(port:certificate:)``.
  case configure(TrialSetup)
  /// Send your part of the plan up to a time of it; its times count from this moment of the
  /// monotonic clock.
  case start(at: UInt64, upTo: UInt64)
  /// Say what your clock says.
  case time
  /// Say what your sessions have moved.
  case read
  /// Say how many messages have arrived, and whether that is all.
  case progress
  /// Say what you counted for clients that read too slowly.
  case readSlow
  /// Say what your process counts for itself.
  case readProcess
  /// Say what came of the messages you had to receive, and how late you sent yours.
  case finish
}

/// What the server of a trial answers, one JSON object per line.
enum ControlReply: Codable, Sendable {
  /// It listens, at a port of its own unless it is reached already, and has made this certificate for the trial if it speaks TLS.
  case ready(port: UInt16?, certificate: String?)
  /// It will send.
  case started
  /// What its clock says, in nanoseconds.
  case time(UInt64)
  /// What its sessions have moved.
  case reading(WireReading)
  /// What it counted for clients that read too slowly.
  case slow(SlowServed)
  /// What its process counts for itself.
  case process(ServerReading)
  /// How many messages have arrived, and whether that is all.
  case progress(arrived: UInt64, isComplete: Bool)
  /// What came of the messages it had to receive, how late it sent its own, the sessions that
  /// ended before they should, and what resumable ones did.
  case finished(Received, slip: Histogram, ends: [String], resumed: [ResumeCounters])
  /// It could not do what it was told.
  case failed(String)
}

/// Everything both processes of a trial need to know.
struct TrialSetup: Codable, Sendable {
  var scenario: Scenario
  var tls: TLSMode
  var compression: Compression
  var seed: UInt64
  /// Whether to serve it with as little work as possible; `nil` is not.
  var isNull: Bool?
  /// What slows the server down on purpose; `nil` is nothing.
  var slowdown: Slowdown?
}

/// One JSON object as a line.
func encodeLine(_ value: some Encodable) throws -> [UInt8] {
  [UInt8](try JSONEncoder().encode(value)) + [UInt8(ascii: "\n")]
}

/// The JSON object of a line.
func decodeLine<Value: Decodable>(_ line: String) throws -> Value {
  try JSONDecoder().decode(Value.self, from: Data(line.utf8))
}

extension EventLoop {
  /// Runs `work` on the loop and returns what it returned.
  func perform<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
      execute { continuation.resume(returning: work()) }
    }
  }
}
