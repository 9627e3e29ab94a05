import Triwire

/// The slow clients of a trial.
final class SlowClients: @unchecked Sendable {
  // What changes is touched on the loop alone, which is what makes `@unchecked Sendable` hold.

  private let loop: EventLoop
  private let readers: SlowReaders
  private var sessions: [Session] = []
  private var tasks: [Task<Void, Never>] = []
  private var messages: UInt64 = 0

  init(_ readers: SlowReaders, on loop: EventLoop) {
    self.readers = readers
    self.loop = loop
  }

  /// Opens their sessions, and begins to read.
  ///
  /// - Throws: `ConnectError` when one cannot be opened.
  func open(
    at server: String, over transport: TransportKind, _ configuration: TriwireClient.Configuration
  ) async throws {
    var configuration = configuration
    configuration.receiveBuffer = readers.receiveBuffer.bytes
    configuration.session.queuedBytes = readers.receiveBuffer.bytes
    for number in 0..<readers.clients {
      let session = try await TriwireClient(
        server + TrialPath.slow("\(number)"), configuration: configuration
      ).connect(over: [transport])
      await loop.perform { [self] in
        sessions.append(session)
        tasks.append(Task(executorPreference: loop) { [self] in await read(session) })
      }
    }
  }

  private func read(_ session: Session) async {
    let began = EventLoop.clock()
    var bytes: UInt64 = 0
    do {
      for try await message in session.messages {
        bytes += UInt64(message.bytes.count)
        loop.execute { [self] in messages += 1 }
        let due = began + bytes * 1_000_000_000 / UInt64(readers.reads.bytes)
        let now = EventLoop.clock()
        if due > now { try await Task.sleep(nanoseconds: due - now) }
      }
    } catch {
      // The server has closed the session, or the trial is over.
    }
  }

  /// How many messages they have read.
  func read() async -> UInt64 { await loop.perform { [self] in messages } }

  /// Ends their sessions without ceremony.
  func close() async {
    let tasks = await loop.perform { [self] in
      for session in sessions { session.abort() }
      sessions = []
      defer { self.tasks = [] }
      return self.tasks
    }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
  }
}
