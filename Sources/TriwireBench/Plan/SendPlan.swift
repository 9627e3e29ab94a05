import Glibc

/// Every message of a trial with the time it is to be sent, decided before the trial starts.
///
/// Both processes of a trial make the same plan from the same scenario and seed, each sends its
/// part of it, and each knows from it what it has to receive. The plan does not look at the
/// transport: all transports are given the same messages at the same times.
struct SendPlan: Sendable {
  /// One message to send.
  struct Send: Sendable, Equatable {
    /// When, in nanoseconds after the start of the trial.
    let at: UInt64
    /// The client that sends it, or the group the server sends it to.
    let sender: Int32
    let sequence: UInt32
    let size: Int32
    let flow: UInt8
  }

  /// A pause between warm-up and measuring in which nothing is sent, so that what belongs to the
  /// one is not counted for the other: longer than TCP may delay an acknowledgement (200 ms).
  static let quiet = TimeSpan.milliseconds(300)

  /// What the clients send, in order of time.
  let fromClients: [Send]
  /// What the server sends, in order of time.
  let fromServer: [Send]
  /// When measuring starts, in nanoseconds after the start of the trial.
  let measuredFrom: UInt64
  /// When the last message may be sent, in nanoseconds after the start of the trial.
  let end: UInt64
  /// For how long messages are measured, in nanoseconds.
  var measuredTime: UInt64 { end - measuredFrom }
  /// How many messages each sender of each flow sends: `counts[flow][sender]`.
  let counts: [[UInt32]]

  init(_ scenario: Scenario, seed: UInt64) {
    let timing = Timing(scenario)
    var fromClients: [Send] = []
    var fromServer: [Send] = []
    var counts: [[UInt32]] = []
    for (index, flow) in scenario.traffic.enumerated() {
      let senders = scenario.senders(of: flow)
      var sends: [Send] = []
      sends.reserveCapacity(Int(senders.messages * 1.05) + 16)
      let perSender = (0..<senders.count).map { sender in
        let own = seed.derived(for: index).derived(for: sender)
        var arrivals = ArrivalTimes(flow, perSecond: senders.perSecond, RandomSource(seed: own))
        let early = flow.from == .clients ? timing.early(own) : nil
        return timing.append(
          &arrivals, after: early, of: flow, at: index, sender: sender, to: &sends)
      }
      counts.append(perSender)
      if flow.from == .server { fromServer += sends } else { fromClients += sends }
    }
    let byTime: (Send, Send) -> Bool = {
      ($0.at, $0.flow, $0.sender, $0.sequence) < ($1.at, $1.flow, $1.sender, $1.sequence)
    }
    self.fromClients = fromClients.sorted(by: byTime)
    self.fromServer = fromServer.sorted(by: byTime)
    self.counts = counts
    measuredFrom = timing.measuredFrom
    end = timing.end
  }

  private struct Timing {
    let warmUp, duration, pause: UInt64

    init(_ scenario: Scenario) {
      warmUp = scenario.warmUp.nanoseconds
      duration = scenario.duration.nanoseconds
      pause = warmUp == 0 ? 0 : scenario.quiet.nanoseconds
    }

    var measuredFrom: UInt64 { warmUp + pause }
    var end: UInt64 { measuredFrom + duration }

    /// A moment of the warm-up for one that would send nothing in it.
    func early(_ seed: UInt64) -> UInt64? {
      guard warmUp > 0 else { return nil }
      var source = RandomSource(seed: seed.derived(for: "early"))
      return UInt64(source.fraction() * Double(warmUp))
    }

    /// Adds one sender's messages, and returns how many they are.
    ///
    /// One that sends only after the warm-up sends one `early` as well: where messages go up by POST,
    /// the first opens a connection, which is no part of what the others cost.
    func append(
      _ arrivals: inout ArrivalTimes, after early: UInt64?, of flow: Flow, at index: Int,
      sender: Int, to sends: inout [Send]
    ) -> UInt32 {
      var sequence: UInt32 = 0
      while true {
        let time = arrivals.next()
        guard time < warmUp + duration else { return sequence }
        if sequence == 0, time >= warmUp, let early {
          sends.append(
            Send(
              at: early, sender: Int32(sender), sequence: sequence,
              size: Int32(arrivals.size(flow.payload)), flow: UInt8(index)))
          sequence += 1
        }
        sends.append(
          Send(
            at: time < warmUp ? time : time + pause, sender: Int32(sender), sequence: sequence,
            size: Int32(arrivals.size(flow.payload)), flow: UInt8(index)))
        sequence += 1
      }
    }
  }
}

/// The times and sizes of one sender's messages, one after the other.
private struct ArrivalTimes {
  private var source: RandomSource
  private let arrivals: Flow.Arrivals
  private let burst: Burst?
  private let perSecond: Double
  /// How many seconds into its bursts this sender is at the start.
  private let shift: Double
  /// How many messages the average sender would have sent at the next one's time.
  private var position: Double

  init(_ flow: Flow, perSecond: Double, _ source: RandomSource) {
    self.source = source
    self.perSecond = perSecond
    arrivals = flow.arrivals
    burst = flow.burst
    position = 0
    let isApart = flow.burst?.apart ?? false
    shift = isApart ? self.source.fraction() * (flow.burst?.every.seconds ?? 0) : 0
    position = arrivals == .periodic ? self.source.fraction() : exponential()
  }

  /// The time of the next message in nanoseconds; it never goes back.
  mutating func next() -> UInt64 {
    let seconds = unwarped(position / perSecond + warped(shift)) - shift
    position += arrivals == .periodic ? 1 : exponential()
    return UInt64(min(max(seconds, 0) * 1e9, 1e18))
  }

  mutating func size(_ payload: PayloadSize) -> Int {
    switch payload {
    case .fixed, .record: return payload.largest.bytes
    case .uniform(let low, let high): return Int.random(in: low.bytes...high.bytes, using: &source)
    case .lognormal(let low, let high):
      let (bottom, top) = (log(Double(low.bytes)), log(Double(high.bytes)))
      // 95 % of a normal distribution lie within 1.96 standard deviations of its mean.
      let drawn = exp((bottom + top) / 2 + normal() * (top - bottom) / (2 * 1.96))
      return min(high.bytes, max(low.bytes, Int(drawn.rounded())))
    }
  }

  private mutating func exponential() -> Double { -log(1 - source.fraction()) }

  private mutating func normal() -> Double {
    let radius = (-2 * log(1 - source.fraction())).squareRoot()
    return radius * cos(2 * .pi * source.fraction())
  }

  /// The opposite of `unwarped`.
  private func warped(_ seconds: Double) -> Double {
    guard let burst, seconds > 0 else { return seconds }
    let (length, every) = (burst.length.seconds, burst.every.seconds)
    let perPeriod = every + (burst.factor - 1) * length
    let periods = (seconds / every).rounded(.down)
    let rest = seconds - periods * every
    let hurried = min(max(rest - every / 2, 0), length)
    return periods * perPeriod + rest + (burst.factor - 1) * hurried
  }

  /// When the work of so many seconds at the plain rate is done, as bursts hurry it.
  private func unwarped(_ work: Double) -> Double {
    guard let burst else { return work }
    let (length, every) = (burst.length.seconds, burst.every.seconds)
    let perPeriod = every + (burst.factor - 1) * length
    let periods = (work / perPeriod).rounded(.down)
    let rest = work - periods * perPeriod
    let start = every / 2
    if rest < start { return periods * every + rest }
    guard rest < start + burst.factor * length else {
      return periods * every + rest - (burst.factor - 1) * length
    }
    return periods * every + start + (rest - start) / burst.factor
  }
}
