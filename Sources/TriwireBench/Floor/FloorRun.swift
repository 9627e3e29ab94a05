import FoundationEssentials
import Triwire

/// Measures how far each transport is from bare TCP on this machine.
///
/// A server process on one core, clients on another; a closed loop, since the question is what a
/// message costs and not how long it takes. Each round starts a fresh server and measures every
/// cell once.
public struct FloorRun: Sendable {
  /// Takes news: how many cells are measured, and which one is next.
  public typealias Watcher = @Sendable (_ done: Int, _ next: FloorTrial) -> Void

  private let plan: FloorPlan
  private let executable: String

  /// Prepares a benchmark.
  ///
  /// - Parameters:
  ///   - plan: How large it is.
  ///   - executable: A program that calls ``FloorServer/run(payload:)`` when started with the word
  ///     ``FloorServer/word``; this program itself unless given.
  public init(_ plan: FloorPlan, executable: String? = nil) {
    self.plan = plan
    self.executable = executable ?? ownExecutable
  }

  /// Measures all rounds.
  ///
  /// - Parameter watcher: Whom to tell before each cell.
  /// - Returns: What was measured; when the task is cancelled, what was measured until then.
  /// - Throws: An error with a sentence when a connection fails or a message is lost.
  public func measure(_ watcher: Watcher?) async throws -> FloorReport {
    try checkDescriptors()
    let group = try MeasuredConnections.loopOfClients()
    var report = FloorReport(plan, load: .current)
    do {
      for round in 0..<plan.rounds { try await measure(round, on: group, &report, watcher) }
    } catch is CancellationError {
      // What was measured until now is whole.
    } catch {
      await group.stop()
      throw error
    }
    await group.stop()
    report.load.append(.current)
    return report
  }

  private func measure(
    _ round: Int, on group: EventLoopGroup, _ report: inout FloorReport, _ watcher: Watcher?
  ) async throws {
    let server = try ServerProcess(
      executable: executable, words: [FloorServer.word, "\(plan.payload.bytes)"])
    defer { server.stop() }
    let ports: FloorServer.Ports = try await server.hear()
    for (position, trial) in plan.trials(of: round).enumerated() {
      watcher?(round * FloorTrial.all.count + position, trial)
      let clients = FloorClients(trial.load, on: group)
      do {
        try await clients.connect(trial.carrier, of: plan, to: ports)
        report.add(try await sample(clients, server), of: trial)
      } catch {
        await clients.close()
        throw error
      }
      await clients.close()
    }
  }

  /// One cell, whose connections are open.
  private func sample(_ clients: FloorClients, _ server: ServerProcess) async throws -> FloorSample
  {
    try await clients.greet()
    await clients.begin()
    try await Task.sleep(nanoseconds: plan.window.nanoseconds / 3)
    let before = try await Moment(clients, server)
    var after = before
    // A machine that is busy otherwise may need several short windows for the first message, and
    // until the kernel has counted what it took.
    while after.messages == before.messages || after.work == before.work {
      try await Task.sleep(nanoseconds: plan.window.nanoseconds)
      after = try await Moment(clients, server)
    }
    try await clients.settle()
    return FloorSample(
      messages: after.messages - before.messages, nanoseconds: after.time - before.time,
      work: after.work - before.work)
  }

  /// What was done up to a moment.
  private struct Moment {
    let messages: UInt64
    let work: UInt64
    let time: UInt64

    init(_ clients: FloorClients, _ server: ServerProcess) async throws {
      messages = await clients.count()
      work = try ProcessReading.work(of: server.identifier)
      time = EventLoop.clock()
    }
  }

  private func checkDescriptors() throws {
    let needed = 2 * max(plan.connections, plan.subscribers) + 50
    let limit = Process.raiseDescriptorLimit()
    guard needed > limit else { return }
    throw TrialFailure(
      "so many connections need \(grouped(needed)) descriptors and the limit is "
        + "\(grouped(limit)): lower them, or raise the limit (ulimit -n)")
  }
}

/// What one cell did in one window.
struct FloorSample: Sendable, Equatable {
  /// Messages that arrived: round trips, answers or deliveries.
  var messages: UInt64
  /// How long the window was.
  var nanoseconds: UInt64
  /// The server's CPU time in it, in nanoseconds.
  var work: UInt64

  /// The server's CPU time per message, in microseconds.
  var cost: Double { Double(work) / Double(messages) / 1000 }
  /// Messages per second.
  var rate: Double { Double(messages) * 1e9 / Double(nanoseconds) }
  /// How busy the server's core was, from 0 to 1.
  var busy: Double { Double(work) / Double(nanoseconds) }
}
