import FoundationEssentials
import Triwire

/// Work or time that a trial's server spends on purpose for each message, so that it can be seen
/// whether a comparison finds it.
///
/// It comes from the environment, `TRIWIRE_SLOWDOWN="cpu 10 %"` or `"delay 200 us"` or both with a
/// comma between them, and not from an option: nobody measures with it by mistake. A trial that has it
/// says so.
public struct Slowdown: Sendable, Equatable, Codable {
  /// CPU time on top of what the server needs, as a part of that.
  public var cpu: Double?
  /// How much later each echo is sent, and nothing else done meanwhile.
  public var delay: TimeSpan?

  /// The name of the variable.
  static let variable = "TRIWIRE_SLOWDOWN"
  /// More would be a fault and no slowdown.
  private static let most = (cpu: 10.0, delay: TimeSpan.milliseconds(100))

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
      guard words.count == 2 else { throw Slowdown.refusal(of: text) }
      switch words[0] {
      case "cpu":
        let number = words[1].hasSuffix(" %") ? Double(words[1].dropLast(2)) : nil
        guard let number, number > 0, number / 100 <= Slowdown.most.cpu else {
          throw Slowdown.refusal(of: text)
        }
        cpu = number / 100
      case "delay":
        let time = try? TimeSpan(parsing: String(words[1]))
        guard let time, time <= Slowdown.most.delay else { throw Slowdown.refusal(of: text) }
        delay = time
      default: throw Slowdown.refusal(of: text)
      }
    }
  }

  private static func refusal(of text: String) -> TrialFailure {
    TrialFailure(
      "\(variable) is \"\(text)\", write \"cpu 10 %\", up to \(Figures.percent(most.cpu)), or "
        + "\"delay 200 us\", up to \(most.delay), or leave it out")
  }

  /// It in words.
  var text: String {
    [cpu.map { "cpu \(Figures.percent($0))" }, delay.map { "delay \($0)" }].compactMap { $0 }
      .joined(separator: ", ")
  }
}

/// Spends CPU time on top of what a thread needs, as a part of that.
///
/// A part and no fixed time: on a machine that runs slower for a while it is as much of that.
final class CPUBurner {
  /// Reading the clock for each message would be a slowdown itself.
  private static let messages = 32

  private let part: Double
  private var count = 0
  private var last: UInt64?

  /// Spends this part of what the thread that calls it needs.
  init(part: Double) { self.part = part }

  /// Counts a message, and spends what is due now and then; on one thread.
  func burn() {
    count += 1
    guard count >= CPUBurner.messages else { return }
    count = 0
    let now = Process.threadCPUNanoseconds
    guard let last else {
      self.last = now
      return
    }
    let end = now + UInt64(Double(now - last) * part)
    while Process.threadCPUNanoseconds < end {}
    self.last = Process.threadCPUNanoseconds
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
