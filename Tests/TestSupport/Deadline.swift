import TriwireIO

/// A test waited for something that did not come.
package struct DeadlinePassed: Error, CustomStringConvertible {
  package let description: String
}

/// Runs `body` and returns what it returns; gives up on it after a while, so that a test that
/// waits for something that never comes fails with a text instead of hanging.
///
/// The deadline is far beyond what any machine needs: no test passes or fails by its speed.
package func within<Value: Sendable>(
  _ what: String, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  let race = Race<Value>()
  let seconds = 600 * slowness
  let work = Task {
    do {
      race.finish(.success(try await body()))
    } catch {
      race.finish(.failure(error))
    }
  }
  let clock = Task {
    guard (try? await Task.sleep(for: .seconds(seconds))) != nil else { return }
    race.finish(.failure(DeadlinePassed(description: "\(what): not within \(seconds) s")))
    work.cancel()
  }
  defer { clock.cancel() }
  return try await race.result()
}

/// Who comes first decides; `body` may never come, so nobody waits for it.
private final class Race<Value: Sendable>: Sendable {
  private struct State {
    var result: Result<Value, any Error>?
    var waiter: UnsafeContinuation<Value, any Error>?
  }

  private let state = Guarded(State())

  func finish(_ result: Result<Value, any Error>) {
    let waiter = state.withLock { state -> UnsafeContinuation<Value, any Error>? in
      guard state.result == nil else { return nil }
      state.result = result
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(with: result)
  }

  func result() async throws -> Value {
    try await withUnsafeThrowingContinuation { continuation in
      let result = state.withLock { state in
        if state.result == nil { state.waiter = continuation }
        return state.result
      }
      if let result { continuation.resume(with: result) }
    }
  }
}
