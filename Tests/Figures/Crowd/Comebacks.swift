import Synchronization
import Triwire

/// What became of the sessions that got another connection, and who waits for that.
final class Comebacks: Sendable {
  private struct State {
    var all: [Int: [SessionRecovery]] = [:]
    var waiter: (count: Int, continuation: UnsafeContinuation<Void, Never>)?
  }

  private let state = Mutex(State())

  /// The recoveries of each session that had one, in order.
  var all: [Int: [SessionRecovery]] { state.withLock(\.all) }

  func watch(_ number: Int, _ session: Session) {
    session.whenRecovered { [self] recovery in add(recovery, of: number) }
  }

  private func add(_ recovery: SessionRecovery, of number: Int) {
    let ready = state.withLock { state -> UnsafeContinuation<Void, Never>? in
      state.all[number, default: []].append(recovery)
      guard let waiter = state.waiter, state.all.count >= waiter.count else { return nil }
      state.waiter = nil
      return waiter.continuation
    }
    ready?.resume()
  }

  /// Waits until so many sessions had a recovery; the script that started the program bounds it.
  func have(_ count: Int) async {
    await withUnsafeContinuation { continuation in
      let isReady = state.withLock { state in
        if state.all.count >= count { return true }
        state.waiter = (count, continuation)
        return false
      }
      if isReady { continuation.resume() }
    }
  }
}
