package import TriwireIO

/// Runs `body` with loops that are stopped afterwards.
package func withLoops<Value: Sendable>(
  _ count: Int = 1, _ body: @escaping @Sendable (EventLoopGroup) async throws -> Value
) async throws -> Value {
  let group = try EventLoopGroup(count: count)
  let result: Result<Value, any Error>
  do {
    result = .success(try await body(group))
  } catch {
    result = .failure(error)
  }
  try await within("the loops stop") { await group.stop() }
  return try result.get()
}

extension EventLoop {
  /// Runs `body` on the loop and returns what it returned.
  package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws
    -> Value
  {
    try await within("a loop runs what it was given") {
      try await withUnsafeThrowingContinuation { continuation in
        self.execute { continuation.resume(with: Result { try body() }) }
      }
    }
  }

  /// Waits until `condition` holds on the loop; looks at it with each step of a fine timer.
  package func wait(_ what: String, until condition: @escaping @Sendable () -> Bool) async throws {
    try await within(what) {
      await withUnsafeContinuation { continuation in
        self.execute { self.look(condition) { continuation.resume() } }
      }
    }
  }

  private func look(_ condition: @escaping () -> Bool, _ done: @escaping () -> Void) {
    if condition() { return done() }
    schedule(at: Self.clock() + 1_000_000) { self.look(condition, done) }
  }
}
