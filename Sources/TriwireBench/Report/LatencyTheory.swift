import Glibc
import Triwire
import TriwireFaults

/// What latency ought to be where nothing but the round trip takes time.
///
/// A pushed message takes half a round trip R. A message of a long poll does so as well, unless it
/// comes while the answer to the poll before is on its way down or the next poll on its way up: a
/// gap of R. Where messages come at random, λ a second, λR of them come in a gap. If there is one,
/// the next poll is answered at once and another gap begins; if there is none, with a chance of
/// e^(-λR), the next message finds a poll that waits. So λR of λR + e^(-λR) messages wait, for half a
/// gap on average. (λR/(1 + λR), which is often quoted, has the messages of a gap begin none.)
struct LatencyTheory {
  /// The mean of pushed messages, in milliseconds.
  let pushed: Double
  /// The mean of messages of long polls, in milliseconds.
  let polled: Double
  private let roundTrip: Double
  private let rate: Double

  /// What holds for a scenario; `nil` where it does not, since its messages are not at random, go
  /// upwards, or meet something else than a round trip.
  init?(_ scenario: Scenario) {
    guard let conditions = scenario.network?.conditions, scenario.faults == nil,
      conditions.loss == 0, conditions.roundTrip > .zero, !scenario.traffic.isEmpty,
      scenario.traffic.allSatisfy({
        $0.from == .server && $0.arrivals == .poisson && $0.burst == nil
          && ($0.direction == .down || $0.direction == .broadcast)
      })
    else { return nil }
    roundTrip = Double(conditions.roundTrip / .nanoseconds(1)) / 1e9
    rate = scenario.traffic.reduce(0) { sum, flow in
      let senders = scenario.senders(of: flow)
      // A client hears its own flow, or all of its group.
      let heard =
        flow.direction == .down
        ? senders.perSecond * Double(senders.count) / Double(scenario.clients) : senders.perSecond
      return sum + heard
    }
    pushed = roundTrip / 2 * 1000
    polled = pushed * (1 + Self.shareThatWaits(rate: rate, roundTrip: roundTrip))
  }

  /// How many of the messages that come at random find no poll waiting, from 0 to 1.
  static func shareThatWaits(rate: Double, roundTrip: Double) -> Double {
    let inGap = rate * roundTrip
    return inGap / (inGap + exp(-inGap))
  }

  /// The mean of a transport, in milliseconds.
  func mean(of pool: Pool) -> Double {
    pool.contender.transport == .longPolling ? polled : pushed
  }

  /// How it is found, in a sentence.
  var note: String {
    "In theory a pushed message takes R/2 and one of a long poll R/2 + λR/(λR + e^(-λR)) · R/2 on "
      + "average, with a round trip R of \(Figures.short(roundTrip * 1e6)) and λ = "
      + "\(Figures.decimal(rate, places: 2)) messages a second for each client; what the relay, the "
      + "rate of the line and both processes take comes on top."
  }
}

extension Comparison {
  /// The mean of latency and what it ought to be, as two lines; none where that is not known.
  static func theory(_ scenario: Scenario, _ pools: [Pool]) -> [Line] {
    guard let theory = LatencyTheory(scenario), pools.contains(where: { $0.latency.count > 0 })
    else { return [] }
    return [
      Line(
        metric: "latency mean",
        cells: pools.map {
          $0.latency.count > 0 ? Figures.duration($0.latency.mean / 1000) : Figures.none
        }),
      Line(
        metric: "in theory",
        cells: pools.map {
          // A control that polls at an interval is neither.
          $0.contender.poll == nil ? Figures.duration(theory.mean(of: $0) * 1000) : Figures.none
        }),
    ]
  }
}
