import FoundationEssentials
import Triwire

/// Work or time that a trial's server spends on purpose for each message, so that it can be seen
/// whether a comparison finds it.
///
/// It comes from the environment, `TRIWIRE_SLOWDOWN="cpu 900 ns"` or `"delay 200 us"` or both with a
/// comma between them, and not from an option: nobody measures with it by mistake. A trial that has it
/// says so.
public struct Slowdown: Sendable, Equatable, Codable {
  /// CPU time for each message.
  public var cpu: TimeSpan?
  /// How much later each echo is sent, and nothing else done meanwhile.
  public var delay: TimeSpan?

  /// The name of the variable.
  static let variable = "TRIWIRE_SLOWDOWN"
  /// More would be a fault and no slowdown.
  private static let most = TimeSpan.milliseconds(100)

  /// What the environment asks for; `nil` without the variable.
  ///
  /// - Throws: ``TrialFailure`` when it cannot be read.
  static func ofEnvironment() throws -> Slowdown? {
    guard let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty else {
      return nil
    }
    return try Slowdown(parsing: text)
  }

  /// Reads what the variable says.
  ///
  /// - Throws: ``TrialFailure`` when it is something else.
  init(parsing text: String) throws {
    for part in text.split(separator: ",") {
      let words = part.split(separator: " ", maxSplits: 1)
      let time = words.count == 2 ? try? TimeSpan(parsing: String(words[1])) : nil
      guard let time, time <= Slowdown.most else { throw Slowdown.refusal(of: text) }
      switch words[0] {
      case "cpu": cpu = time
      case "delay": delay = time
      default: throw Slowdown.refusal(of: text)
      }
    }
  }

  private static func refusal(of text: String) -> TrialFailure {
    TrialFailure(
      "\(variable) is \"\(text)\", write \"cpu 900 ns\" or \"delay 200 us\", up to \(most), or leave "
        + "it out")
  }

  /// It in words.
  var text: String {
    [cpu.map { "cpu \($0)" }, delay.map { "delay \($0)" }].compactMap { $0 }.joined(separator: ", ")
  }

  /// Spends the CPU time of one message.
  func burn() {
    guard let cpu else { return }
    let end = EventLoop.clock() + cpu.nanoseconds
    while EventLoop.clock() < end {}
  }
}

/// Echoes that are sent later than they came, in the order they came.
final class DelayedEchoes {
  typealias Send = (_ client: Int, _ kind: MessageKind, _ message: Span<UInt8>) -> Void

  private var queue: [(at: UInt64, client: Int, kind: MessageKind, bytes: [UInt8])] = []
  private var isScheduled = false
  private let delay: UInt64
  private let send: Send

  /// Holds each echo back for so many nanoseconds.
  init(delay: UInt64, _ send: @escaping Send) { (self.delay, self.send) = (delay, send) }

  /// Takes an echo; on the loop.
  func add(_ client: Int, _ kind: MessageKind, _ message: Span<UInt8>, on loop: EventLoop) {
    let bytes = message.indices.map { message[$0] }
    queue.append((EventLoop.clock() + delay, client, kind, bytes))
    schedule(on: loop)
  }

  private func schedule(on loop: EventLoop) {
    guard !isScheduled, let first = queue.first else { return }
    isScheduled = true
    loop.schedule(at: first.at) { [self] in
      isScheduled = false
      let now = EventLoop.clock()
      let due = queue.prefix { $0.at <= now }
      for echo in due { send(echo.client, echo.kind, echo.bytes.span) }
      queue.removeFirst(due.count)
      schedule(on: loop)
    }
  }
}
