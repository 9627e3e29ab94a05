import Triwire

/// Takes the messages of one side of a trial: audits each, and records how long it took.
final class Receiver: @unchecked Sendable {
  // Touched on one loop alone, which is what makes `@unchecked Sendable` hold.

  private let plan: SendPlan
  private var audit: Audit
  private var latencies: [Histogram]
  private var service = Histogram()
  /// For each point of the timeline.
  private var timeline: [Histogram]
  private let pointNanoseconds: UInt64
  /// The start of the trial on the monotonic clock; 0 before it is known.
  var start: UInt64 = 0
  /// How many measured messages have arrived, each counted once.
  private(set) var measured: UInt64 = 0
  /// How many messages have arrived.
  private(set) var arrived: UInt64 = 0

  init(_ scenario: Scenario, _ plan: SendPlan, of side: Audit.Side) {
    self.plan = plan
    audit = Audit(scenario, plan, of: side)
    latencies = scenario.traffic.map { _ in Histogram() }
    let point = UInt64(Timeline.secondsPerPoint(of: plan.measuredTime)) * 1_000_000_000
    pointNanoseconds = point
    timeline = Array(
      repeating: Histogram(), count: max(1, Int((plan.measuredTime + point - 1) / point)))
  }

  /// Takes one message that arrived at a client (or from it, on the server's side) just now.
  func receive(_ message: Span<UInt8>, at receiver: Int) {
    guard let stamp = Stamp(of: message) else { return audit.receiveDamaged() }
    receive(stamp, at: receiver)
  }

  /// Takes the stamp of a message that arrived just now.
  func receive(_ stamp: Stamp, at receiver: Int) {
    let now = EventLoop.clock()
    arrived += 1
    switch audit.receive(stamp, at: receiver) {
    case .again, .stray: return
    case .inOrder, .late: break
    }
    guard stamp.intended >= plan.measuredFrom else { return }
    let due = start + stamp.intended
    let sent = due + stamp.slip
    measured += 1
    record(now > due ? now - due : 0, of: stamp.flow, dueAt: stamp.intended)
    service.record(now > sent ? now - sent : 0)
  }

  private func record(_ latency: UInt64, of flow: Int, dueAt: UInt64) {
    latencies[flow].record(latency)
    let point = Int((dueAt - plan.measuredFrom) / pointNanoseconds)
    timeline[min(point, timeline.count - 1)].record(latency)
  }

  /// Whether everything has come that had to.
  var isComplete: Bool { audit.isComplete }

  /// The latencies of all flows together, so far.
  var latency: Histogram { latencies.reduce(into: Histogram()) { $0.merge($1) } }

  /// What came of all messages, when nothing more is waited for.
  ///
  /// Lost messages that should have been measured count with the time until now: less than the
  /// truth, but not nothing.
  func finish() -> Received {
    let now = EventLoop.clock()
    let lost = audit.lost
    if !lost.isEmpty {
      let times = plan.times(ofFlowsIn: lost)
      for message in lost {
        guard let at = times[message.key], at >= plan.measuredFrom else { continue }
        record(now > start + at ? now - start - at : 0, of: message.flow, dueAt: at)
      }
    }
    return Received(
      deliveries: audit.deliveries, latencies: latencies, service: service, timeline: timeline,
      strays: audit.strays, measured: measured)
  }
}

/// What came of the messages that one side had to receive.
struct Received: Codable, Sendable {
  /// For each flow.
  var deliveries: [Delivery]
  /// For each flow, from the intended time to arrival.
  var latencies: [Histogram]
  /// From the actual time of sending to arrival.
  var service: Histogram
  /// For each point of the timeline, from the intended time to arrival.
  var timeline: [Histogram]
  /// Messages that were damaged or belonged elsewhere.
  var strays: UInt64
  /// Measured messages that arrived.
  var measured: UInt64

  /// Adds what the other side received.
  mutating func merge(_ other: Received) {
    for index in deliveries.indices {
      deliveries[index] += other.deliveries[index]
      latencies[index].merge(other.latencies[index])
    }
    service.merge(other.service)
    for index in timeline.indices { timeline[index].merge(other.timeline[index]) }
    strays += other.strays
    measured += other.measured
  }
}

extension Audit.Lost {
  /// Which message it was, whoever should have received it.
  fileprivate var key: SendPlan.Key {
    SendPlan.Key(flow: flow, sender: sender, sequence: sequence)
  }
}

extension SendPlan {
  /// What tells one planned message from all others.
  fileprivate struct Key: Hashable {
    let flow: Int
    let sender: Int
    let sequence: UInt32
  }

  /// When the messages of those flows were to be sent that lost some.
  fileprivate func times(ofFlowsIn lost: [Audit.Lost]) -> [Key: UInt64] {
    let flows = Set(lost.map(\.flow))
    var times: [Key: UInt64] = [:]
    for send in fromClients + fromServer where flows.contains(Int(send.flow)) {
      times[Key(flow: Int(send.flow), sender: Int(send.sender), sequence: send.sequence)] = send.at
    }
    return times
  }
}
