import Synchronization
import Triwire
import TriwireFaults

/// The way from the clients of a trial to its server, as long and as bad as the scenario says.
final class RelayedPath: Sendable {
  /// Who watches what faults do; `nil` without any.
  let watch: FaultWatch?
  private let relay: FaultRelay
  private let faults: [ScheduledFault]
  private let duration: TimeSpan
  private let late: Lateness?

  /// How much later than it should the relay let go of bytes, while something is measured.
  private final class Lateness: Sendable {
    private let histogram = Mutex(Histogram())
    private let start = Atomic<UInt64>(.max)

    /// Begins at a moment, forgetting what was before.
    func begin(at time: UInt64) { start.store(time, ordering: .relaxed) }

    func record(_ nanoseconds: UInt64) {
      guard EventLoop.clock() >= start.load(ordering: .relaxed) else { return }
      histogram.withLock { $0.record(nanoseconds) }
    }

    var durations: Durations { Durations(histogram.withLock { $0 }) }
  }

  /// A way to the server, at `HOST:PORT`; strikes are told on `loop`.
  init(to place: String, _ trial: Trial, on loop: EventLoop) {
    faults = trial.scenario.faults ?? []
    duration = trial.scenario.duration
    let watch = trial.scenario.faults.map { FaultWatch($0) }
    self.watch = watch
    var configuration = FaultRelay.Configuration()
    configuration.seed = trial.seed
    if let watch {
      // A record is on its way to the clients' loop before the fault itself is.
      configuration.onFault = { record in
        let time = EventLoop.clock()
        loop.execute { watch.struck(record, at: time) }
      }
    }
    late = trial.scenario.network == nil ? nil : Lateness()
    configuration.network = trial.scenario.network?.conditions
    if let late {
      configuration.onRelease = { late.record($0) }
    }
    relay = FaultRelay(to: place, configuration: configuration)
  }

  /// Opens the way, and returns the port to connect to.
  func open() async throws -> UInt16 { try await relay.start().port }

  /// Breaks things from a moment to come, when what is measured begins, and watches its own lateness.
  func play(from start: UInt64) {
    late?.begin(at: start)
    guard !faults.isEmpty else { return }
    let now = EventLoop.clock()
    let delay = start > now ? start - now : 0
    relay.play(faults.flatMap { $0.entries(within: duration, delay: delay) })
  }

  /// Mends all: what is under way can arrive.
  func mend() { if !faults.isEmpty { relay.restore() } }

  /// What the relay counted.
  func counters() async -> RelayCounters { await relay.counters() }

  /// How well the relay imitated the network of the scenario; `nil` where there is none.
  func network() async -> NetworkMeasurement? {
    guard let late else { return nil }
    let counters = await relay.counters()
    return NetworkMeasurement(
      segments: counters.segments, lostSegments: counters.lostSegments,
      lateMicroseconds: late.durations)
  }

  func close() async { await relay.stop() }
}
