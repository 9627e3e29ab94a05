import Triwire
import TriwireFaults

/// The way from the clients of a trial to its server, which breaks when the scenario says so.
final class FaultyPath: Sendable {
  let watch: FaultWatch
  private let relay: FaultRelay
  private let faults: [ScheduledFault]
  private let duration: TimeSpan

  /// A way to the server's port; strikes are told on `loop`.
  init(to port: UInt16, _ faults: [ScheduledFault], _ trial: Trial, on loop: EventLoop) {
    self.faults = faults
    duration = trial.scenario.duration
    let watch = FaultWatch(faults)
    self.watch = watch
    var configuration = FaultRelay.Configuration()
    configuration.seed = trial.seed
    // A record is on its way to the clients' loop before the fault itself is.
    configuration.onFault = { record in
      let time = EventLoop.clock()
      loop.execute { watch.struck(record, at: time) }
    }
    relay = FaultRelay(to: "127.0.0.1:\(port)", configuration: configuration)
  }

  /// Opens the way, and returns the port to connect to.
  func open() async throws -> UInt16 { try await relay.start().port }

  /// Breaks things from a moment to come, when what is measured begins.
  func play(from start: UInt64) {
    let now = EventLoop.clock()
    let delay = start > now ? start - now : 0
    relay.play(faults.flatMap { $0.entries(within: duration, delay: delay) })
  }

  /// Mends all: what is under way can arrive.
  func mend() { relay.restore() }

  /// What the relay counted.
  func counters() async -> RelayCounters { await relay.counters() }

  func close() async { await relay.stop() }
}
