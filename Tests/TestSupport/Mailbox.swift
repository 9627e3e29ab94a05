import TriwireIO

/// Values on their way from any thread to the test that waits for them.
package final class Mailbox<Value: Sendable>: Sendable {
  private struct State {
    var values: [Value] = []
    var waiters: [UnsafeContinuation<Value, Never>] = []
  }

  private let state = Guarded(State())

  package init() {}

  /// Hands a value over.
  package func put(_ value: Value) {
    let waiter = state.withLock { state -> UnsafeContinuation<Value, Never>? in
      guard state.waiters.isEmpty else { return state.waiters.removeFirst() }
      state.values.append(value)
      return nil
    }
    waiter?.resume(returning: value)
  }

  /// The next value, once it is there.
  package func next(_ what: String) async throws -> Value {
    try await within(what) { await self.take() }
  }

  /// The next `count` values.
  package func next(_ count: Int, _ what: String) async throws
    -> [Value]
  {
    try await within("\(count) times: \(what)") {
      var values: [Value] = []
      while values.count < count { values.append(await self.take()) }
      return values
    }
  }

  /// What is there and nobody took.
  package var waiting: [Value] { state.withLock { $0.values } }

  private func take() async -> Value {
    await withUnsafeContinuation { continuation in
      let value = state.withLock { state -> Value? in
        guard state.values.isEmpty else { return state.values.removeFirst() }
        state.waiters.append(continuation)
        return nil
      }
      if let value { continuation.resume(returning: value) }
    }
  }
}

/// Puts a value into a mailbox when the last who holds it lets go.
package final class DeathNotice: Sendable {
  private let mailbox: Mailbox<Void>

  package init(_ mailbox: Mailbox<Void>) { self.mailbox = mailbox }

  deinit { mailbox.put(()) }
}
