@unsafe @preconcurrency import Dispatch
import Glibc

/// Does something that Ctrl-C or SIGTERM cancels, from its first step on.
func interruptibly<Result: Sendable>(
  _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  let (watched, isWatched) = AsyncStream<Void>.makeStream()
  let task = Task {
    for await _ in watched {}
    return try await work()
  }
  let interrupt = Interrupt(cancels: task)
  defer { interrupt.stop() }
  isWatched.finish()
  return try await task.value
}

/// Turns Ctrl-C (and SIGTERM) into the end of a task, so that what it has done is kept.
///
/// The first signal cancels the task; a second one ends the process at once.
final class Interrupt: Sendable {
  private let sources: [any DispatchSourceSignal]

  /// Cancels `task` when a signal comes.
  init<Success, Failure>(cancels task: Task<Success, Failure>) {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if task.isCancelled { exit(ExitStatus.interrupted.rawValue) }
        task.cancel()
      }
      source.resume()
      return source
    }
  }

  /// Stops listening for signals; they are ignored from now on.
  func stop() {
    for source in sources { source.cancel() }
  }
}
