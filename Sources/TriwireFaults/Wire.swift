import TriwireCodec

/// One direction of a connection, as a network would carry its bytes: when each of them arrives.
///
/// It has no clock and no socket. Bytes are cut into segments, which leave one after the other at
/// the rate of the line, take half a round trip, and arrive in order. A lost one is held until TCP
/// would have sent it again, and everything behind it waits. How long that is, the sender's timer says,
/// which an acknowledgement slows down that was lost with what it rode on.
package struct Wire {
  /// What comes out at the end.
  package enum Arrival: Equatable {
    case bytes([UInt8])
    case end(Fault.Ending)
  }

  private struct Segment {
    var count: Int
    var due: UInt64
    var ending: Fault.Ending?
  }

  /// A lost segment of which it is not decided yet how soon TCP would have found out.
  private struct Loss {
    /// The number of the segment.
    let number: UInt64
    /// When it would have arrived.
    let due: UInt64
    let departed: UInt64
    /// How often it is lost.
    let times: UInt64
    /// The sender's timer then.
    let timer: RetransmissionTimer
    var followers = 0
  }

  /// A segment whose acknowledgement is under way.
  private struct Awaited {
    /// When it was sent, the last time if it was lost.
    let sent: UInt64
    let due: UInt64
    /// When what carries the acknowledgement arrives, if that is more than an acknowledgement.
    var told: UInt64?
  }

  /// Bytes of a segment on an Ethernet, with TCP timestamps.
  package static let segment = 1448
  /// What each segment takes of the rate besides its bytes: the headers of TCP and IPv4.
  package static let header = 52
  /// Bytes on a line without a rate, before the sender has to wait.
  package static let unlimited = 4 << 20
  /// Segments behind a lost one that let TCP find the loss at once (RFC 5681 §3.2, RFC 8985 §6.2).
  private static let duplicates = 3
  /// How long an acknowledgement may wait for something to ride on (Linux' TCP_DELACK_MIN).
  private static let delayedAcknowledgement: UInt64 = 40_000_000
  /// How closely Linux' timers go: two that end within it may go off in either order.
  private static let tick: UInt64 = 4_000_000
  /// How often one segment is lost, at most.
  private static let mostLosses = 6

  /// How many segments have entered.
  package private(set) var entered: UInt64 = 0
  /// How many of them were lost at first.
  package private(set) var lost: UInt64 = 0
  /// Bytes before the line may take more; what is over waits outside.
  package let capacity: Int
  private let delay: UInt64
  private let jitter: UInt64
  private let roundTrip: UInt64
  private let longest: UInt64
  private var chance: LossChance
  /// Nanoseconds for each byte; 0 without a rate.
  private let pace: Double
  /// When the first byte may leave: the connect of TCP took a round trip.
  private let opened: UInt64
  private var draws: Draws
  private var departed: UInt64 = 0
  private var arrived: UInt64 = 0
  private var segments: [Segment] = []
  private var first = 0
  private var gone: UInt64 = 0
  private var losses: [Loss] = []
  private var timer: RetransmissionTimer
  private var awaited: Awaited?
  private var bytes: [UInt8] = []
  private var start = 0
  /// Bytes of segments.
  private var carried = 0
  private var ending: Fault.Ending?

  /// - Parameters:
  ///   - conditions: The network.
  ///   - way: Which direction of it.
  ///   - accepted: When the connection was accepted.
  ///   - seed: Where chances come from; `way` is mixed in.
  package init(_ conditions: NetworkConditions, _ way: Directions, accepted: UInt64, seed: UInt64) {
    roundTrip = conditions.roundTrip.nanoseconds
    delay = roundTrip / 2
    jitter = min(conditions.jitter.nanoseconds, delay)
    timer = RetransmissionTimer(roundTrip: roundTrip)
    longest = Self.longestHold(conditions)
    let rate = conditions.rate(way)
    pace = rate.map { 8e9 / max($0, 1) } ?? 0
    let queue = max(conditions.queueBytes, Self.segment)
    let seconds = Double(conditions.roundTrip.nanoseconds) / 1e9
    let flight = rate.map { min($0 / 8 * seconds, 1e9) }
    let onLine = flight.map { Int($0) } ?? Wire.unlimited
    capacity = queue + onLine
    opened = accepted + roundTrip
    draws = Draws(seed: seed ^ UInt64(way.rawValue) &* 0xA076_1D64_78BD_642F)
    chance = LossChance(conditions, &draws)
  }

  /// The longest that losses hold a segment of a network, in nanoseconds.
  package static func longestHold(_ conditions: NetworkConditions) -> UInt64 {
    let roundTrip = conditions.roundTrip.nanoseconds
    // Twice what it is as long as no acknowledgement is lost.
    return 2 * RetransmissionTimer(roundTrip: roundTrip).hold(UInt64(mostLosses))
  }

  /// Bytes that are on the line or wait for it.
  package var waiting: Int { bytes.count - start }
  /// Whether the sender has to wait.
  package var isFull: Bool { waiting >= capacity }
  /// When the next thing comes out.
  package var nextDue: UInt64? {
    // What waited behind another is due with it.
    first < segments.count ? max(segments[first].due, arrived) : nil
  }

  /// Takes bytes that came at a moment, which never goes back.
  ///
  /// - Returns: When the first segment arrives that entered the line with them, unless another tells
  ///   sooner that it was lost; nil if there was no room for any.
  @discardableResult
  package mutating func enter(_ input: Span<UInt8>, at now: UInt64) -> UInt64? {
    bytes.append(copying: input)
    let number = entered
    fill(at: now)
    return entered > number ? segments[first + Int(number - gone)].due : nil
  }

  /// Takes note of a segment of the other direction, which carries the acknowledgement of what has
  /// arrived and was not acknowledged yet.
  ///
  /// - Parameters:
  ///   - due: When it arrives.
  ///   - now: When it leaves.
  package mutating func answered(by due: UInt64, at now: UInt64) {
    guard let waits = awaited else { return }
    if let told = waits.told {
      // Each acknowledges all that earlier ones did (RFC 9293 §3.4).
      awaited?.told = min(told, due)
    } else if now >= waits.due, now - waits.due <= Self.delayedAcknowledgement {
      awaited?.told = due
    }
  }

  /// Takes the end of the direction.
  package mutating func end(_ ending: Fault.Ending, at now: UInt64) {
    self.ending = ending
    fill(at: now)
  }

  /// Gives the next thing that is due, and the time it was due.
  package mutating func take(at now: UInt64) -> (arrival: Arrival, due: UInt64)? {
    guard let due = nextDue, due <= now else { return nil }
    arrived = due
    if let ending = segments[first].ending {
      remove()
      return (.end(ending), due)
    }
    var count = 0
    while first < segments.count, segments[first].ending == nil, segments[first].due <= now {
      count += segments[first].count
      arrived = max(arrived, segments[first].due)
      remove()
    }
    let taken = Array(bytes[start..<start + count])
    start += count
    carried -= count
    if start == bytes.count {
      bytes.removeAll(keepingCapacity: bytes.capacity < 65_536)
      start = 0
    } else if start > 65_536, start > bytes.count / 2 {
      bytes.removeFirst(start)
      start = 0
    }
    fill(at: now)
    return (.bytes(taken), due)
  }

  private mutating func remove() {
    first += 1
    gone += 1
    if first == segments.count {
      segments.removeAll(keepingCapacity: true)
      first = 0
    } else if first > 256, first > segments.count / 2 {
      segments.removeFirst(first)
      first = 0
    }
  }

  /// Lets as much of what waits outside onto the line as there is room for.
  private mutating func fill(at now: UInt64) {
    while carried < waiting, carried < capacity {
      let count = min(Self.segment, waiting - carried, capacity - carried)
      add(count, at: now)
      carried += count
    }
    guard carried == waiting, let ending else { return }
    self.ending = nil
    segments.append(Segment(count: 0, due: max(now, opened, departed) + delay, ending: ending))
  }

  private mutating func add(_ count: Int, at now: UInt64) {
    departed =
      max(now, opened, departed) + UInt64((Double(count + Self.header) * pace).rounded(.up))
    let swing = jitter == 0 ? 0 : UInt64(Double(2 * jitter) * draws.fraction())
    let due = departed + delay - jitter + swing
    if chance.isPossible { acknowledge() }
    let times = drawLosses()
    let hold = min(timer.hold(times), longest)
    if times == 0 {
      follow()
    } else {
      lost += 1
      losses.append(
        Loss(number: entered, due: due, departed: departed, times: times, timer: timer))
    }
    segments.append(Segment(count: count, due: due + hold, ending: nil))
    if chance.isPossible { awaited = Awaited(sent: departed + hold, due: due + hold) }
    entered += 1
  }

  /// Tells the timer how long the acknowledgement took of the segment before the one that leaves.
  private mutating func acknowledge() {
    guard let waits = awaited else { return }
    awaited = nil
    // One of its own, lost or not, costs no more: the sender's probe brings another.
    let probed = waits.sent + timer.probe + roundTrip + Self.tick
    guard let told = waits.told, told <= probed else { return timer.saw(roundTrip) }
    // What leaves now is acknowledged with it.
    let seen = min(told, departed + roundTrip)
    timer.saw(seen > waits.sent ? seen - waits.sent : roundTrip)
  }

  /// Draws how often the segment that enters is lost.
  private mutating func drawLosses() -> UInt64 {
    guard chance.isPossible else { return 0 }
    var times: UInt64 = 0
    while times < Self.mostLosses, chance.strikes(&draws) { times += 1 }
    return times
  }

  /// Another segment arrives behind those that were lost: it tells the receiver, who tells the sender.
  private mutating func follow() {
    guard !losses.isEmpty else { return }
    for index in losses.indices.reversed() {
      let loss = losses[index]
      let after = departed - loss.departed
      guard loss.number >= gone, after < loss.timer.probe else {
        losses.remove(at: index)
        continue
      }
      losses[index].followers += 1
      var due = segments[first + Int(loss.number - gone)].due
      if losses[index].followers == 1 {
        // RFC 8985 §6.2: what was sent before something that arrived is lost after a quarter of a
        // round trip more; what is lost again, with nothing behind it, a timer finds.
        let again = min(loss.timer.hold(loss.times - 1), longest)
        due = min(due, loss.due + after + roundTrip + roundTrip / 4 + again)
      } else if losses[index].followers == Self.duplicates, after <= roundTrip {
        due = min(due, loss.due + after + loss.times * roundTrip)
      }
      segments[first + Int(loss.number - gone)].due = due
      if losses[index].followers >= Self.duplicates { losses.remove(at: index) }
    }
  }
}
