import Triwire

/// Sends planned messages at their times, whatever became of the earlier ones: an open loop.
///
/// It never waits for an answer. When it is late it sends at once, each message still stamped
/// with the time it was meant for.
final class Pacer: @unchecked Sendable {
  // Touched on its loop alone, which is what makes `@unchecked Sendable` hold.

  /// How a message leaves: to or from the sender's session, or to a group.
  typealias Deliver = (SendPlan.Send, MessageKind, Span<UInt8>) -> Void

  private let loop: EventLoop
  private let sends: [SendPlan.Send]
  private let measuredFrom: UInt64
  private let kinds: [MessageKind]
  private let deliver: Deliver
  private var buffers: [PayloadBuffer]
  private var start: UInt64 = 0
  private var end: UInt64 = 0
  private var next = 0
  private var isScheduled = false
  /// How much later than planned the measured messages were sent.
  private(set) var slip = Histogram()

  /// Messages sent in one turn of the loop before others get theirs.
  private static let batch = 64

  init(
    _ sends: [SendPlan.Send], of scenario: Scenario, measuredFrom: UInt64, on loop: EventLoop,
    _ deliver: @escaping Deliver
  ) {
    self.loop = loop
    self.sends = sends
    self.measuredFrom = measuredFrom
    self.deliver = deliver
    kinds = scenario.traffic.map { $0.kind == .text ? .text : .binary }
    buffers = scenario.traffic.map { PayloadBuffer(for: $0) }
  }

  /// Starts sending, or goes on, on the loop: what the plan has before its time `end`.
  ///
  /// The times of the plan count from `start` on the monotonic clock.
  func begin(at start: UInt64, upTo end: UInt64) {
    self.start = start
    self.end = end
    if !isScheduled { sendDue() }
  }

  /// Sends no more; on the loop.
  func stop() { next = sends.count }

  private func sendDue() {
    isScheduled = false
    for _ in 0..<Pacer.batch {
      guard hasMore else { return }
      let due = start + sends[next].at
      let now = EventLoop.clock()
      guard due <= now else { break }
      send(sends[next], late: now - due)
      next += 1
    }
    guard hasMore else { return }
    isScheduled = true
    loop.schedule(at: start + sends[next].at) { [self] in sendDue() }
  }

  private var hasMore: Bool { next < sends.count && sends[next].at < end }

  private func send(_ send: SendPlan.Send, late: UInt64) {
    if send.at >= measuredFrom { slip.record(late) }
    let flow = Int(send.flow)
    let stamp = Stamp(
      intended: send.at, slip: late, sender: Int(send.sender), flow: flow, sequence: send.sequence)
    let message = buffers[flow].message(stamp, size: Int(send.size))
    deliver(send, kinds[flow], message.span)
  }
}
