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
    var conversation = TrialConversation { setup in
      if setup.isNull == true { return NullTrial(setup) }
      return try OwnTrial(setup)
    }
    while let line = readLine() {
      let reply: ControlReply
      do {
        let request: ControlRequest = try decodeLine(line)
        reply = try await conversation.answer(request)
      } catch {
        reply = .failed("\(error)")
      }
      guard (try? writeOutput(try encodeLine(reply))) != nil else { return }
    }
  }
}

/// What is said about one trial, from its setup to its end.
struct TrialConversation {
  /// Makes what serves a trial.
  let begin: (TrialSetup) throws -> any TrialService
  private var served: (any TrialService)?

  init(_ begin: @escaping (TrialSetup) throws -> any TrialService) { self.begin = begin }

  /// Does what it is told, and says what came of it.
  ///
  /// - Throws: Whatever keeps a trial from being served.
  mutating func answer(_ request: ControlRequest) async throws -> ControlReply {
    if case .configure(let setup) = request {
      guard served == nil else { return .failed("the trial is configured already") }
      let trial = try begin(setup)
      served = trial
      return .ready(port: try await trial.listen(), certificate: trial.certificate)
    }
    if case .time = request { return .time(EventLoop.clock()) }
    guard let served else { return .failed("the trial is not configured") }
    switch request {
    case .configure, .time: return .failed("the trial is configured already")
    case .start(let start, let end):
      await served.start(at: start, upTo: end)
      return .started
    case .read: return .reading(await served.read())
    case .progress: return await served.progress()
    case .readProcess: return .process(.own)
    case .readSlow: return .slow(await served.readSlow())
    case .finish: return await served.finish()
    }
  }
}

/// What the server's process does for a trial.
protocol TrialService: Sendable {
  /// The certificate of the trial, which nobody else knows; `nil` without TLS.
  var certificate: String? { get }
  /// Starts listening, and returns the port; `nil` where somebody listens for it.
  func listen() async throws -> UInt16?
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
