package import Testing
import TriwireIO

/// Lets so many cases of the suites that bear it run at a time, and no more.
///
/// All tests of a process start at once otherwise. Those that keep real connections busy then hold
/// each other up for minutes, and what a session allows its peer to be silent is over before the
/// peer had a core.
package struct TakesTurns: TestTrait, SuiteTrait, TestScoping {
  private static let turns = Turns(6)

  package var isRecursive: Bool { true }

  package func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    guard testCase != nil else { return try await function() }
    await Self.turns.take()
    defer { Self.turns.giveBack() }
    try await function()
  }
}

extension Trait where Self == TakesTurns {
  /// Lets a few cases of such suites run at a time.
  package static var takesTurns: Self { Self() }
}

/// A number of turns; who finds none waits, and the first who waits is the first served.
private final class Turns: Sendable {
  private struct State {
    var free: Int
    var waiters: [UnsafeContinuation<Void, Never>] = []
  }

  private let state: Guarded<State>

  init(_ count: Int) { state = Guarded(State(free: count)) }

  func take() async {
    await withUnsafeContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.free > 0 else {
          state.waiters.append(continuation)
          return false
        }
        state.free -= 1
        return true
      }
      if isFree { continuation.resume() }
    }
  }

  func giveBack() {
    let next = state.withLock { state -> UnsafeContinuation<Void, Never>? in
      guard state.waiters.isEmpty else { return state.waiters.removeFirst() }
      state.free += 1
      return nil
    }
    next?.resume()
  }
}
