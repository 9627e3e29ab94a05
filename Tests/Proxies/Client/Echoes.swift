import Synchronization
import Triwire

/// Numbered messages that were sent, and what came back of them.
final class Echoes: Sendable {
  struct Tally {
    /// The messages from 1 on that are sent, or about to be.
    var sent = 0
    /// What came, of whatever kind.
    var came = 0
    var doubled = 0
    var disordered = 0
    /// What came and is no message that was sent.
    var altered = 0
    fileprivate var seen: Set<Int> = []
    fileprivate var newest = 0
    fileprivate var hasEnded = false

    var lost: Int { sent - seen.count }

    fileprivate mutating func take(_ message: Message) {
      came += 1
      guard let number = Echoes.number(of: message), 1...max(1, sent) ~= number,
        message == Echoes.message(number)
      else {
        altered += 1
        return
      }
      if !seen.insert(number).inserted { doubled += 1 } else if number < newest { disordered += 1 }
      newest = max(newest, number)
    }
  }

  private struct Waiter {
    let number: Int
    let continuation: UnsafeContinuation<Void, Never>
  }

  private let state = Mutex<(tally: Tally, waiters: [Waiter])>((Tally(), []))

  var tally: Tally { state.withLock(\.tally) }

  /// Takes the next numbers, for messages that are sent now.
  func next(_ count: Int) -> ClosedRange<Int> {
    state.withLock { state in
      let first = state.tally.sent + 1
      state.tally.sent += count
      return first...state.tally.sent
    }
  }

  func take(_ message: Message) {
    wake { $0.take(message) }
  }

  /// Nothing more comes.
  func end() {
    wake { $0.hasEnded = true }
  }

  private func wake(_ change: (inout Tally) -> Void) {
    let ready = state.withLock { state in
      change(&state.tally)
      let tally = state.tally
      let ready = state.waiters.filter { tally.hasEnded || tally.seen.count >= $0.number }
      state.waiters.removeAll { tally.hasEnded || tally.seen.count >= $0.number }
      return ready
    }
    for waiter in ready { waiter.continuation.resume() }
  }

  /// Waits until so many different messages came, or nothing more can.
  func have(_ number: Int) async {
    await withUnsafeContinuation { continuation in
      let isReady = state.withLock { state in
        if state.tally.hasEnded || state.tally.seen.count >= number { return true }
        state.waiters.append(Waiter(number: number, continuation: continuation))
        return false
      }
      if isReady { continuation.resume() }
    }
  }

  /// Waits until all that was sent came back.
  func all() async { await have(tally.sent) }

  /// The message of a number: every third is binary, and their lengths differ.
  static func message(_ number: Int) -> Message {
    let filler = String(repeating: number % 2 == 0 ? "e" : "ü", count: number * 37 % 1500)
    let text = "\(number) \(filler)"
    return number % 3 == 0 ? Message(binary: Array(text.utf8)) : Message(text)
  }

  private static func number(of message: Message) -> Int? {
    let digits = message.bytes.prefix { $0 != UInt8(ascii: " ") }
    return Int(String(decoding: digits, as: UTF8.self))
  }
}
