import Testing
import Triwire

@testable import TriwireBench

@Suite("Validity")
struct ValidityTests {
  @Test("Each rule is broken beyond its bound, not at it")
  func bounds() {
    let rules: [(set: (inout Validity, Double) -> Void, bound: Double)] = [
      ({ $0.serverWaited = $1 }, Validity.waited), ({ $0.clientsWaited = $1 }, Validity.waited),
      ({ $0.clockDrift = $1 }, Validity.clockDrift), ({ $0.serverBusy = $1 }, Validity.busy),
      ({ $0.clientsBusy = $1 }, Validity.busy),
    ]
    for (set, bound) in rules {
      var at = Validity()
      set(&at, bound)
      at.judge(medianLatency: 100)
      #expect(at.doubts.isEmpty && at.limits.isEmpty)
      var beyond = Validity()
      set(&beyond, bound * 1.01)
      beyond.judge(medianLatency: 100)
      #expect(beyond.doubts.count + beyond.limits.count == 1)
    }
    var slow = Validity()
    slow.clockDrift = -2 * Validity.clockDrift
    slow.judge(medianLatency: nil)
    #expect(slow.doubts == ["the clock was adjusted by 0.2 %, 0.1 % is the most"])
  }

  @Test(
    "Messages may leave a millisecond late, or a tenth of what they take",
    arguments: [
      (999.0, nil as Double?, true), (1001, nil, false), (1001, 100, false), (1500, 20_000, true),
      (2001, 20_000, false),
    ])
  func late(microseconds: Double, median: Double?, isFine: Bool) {
    var validity = Validity()
    validity.sentLateP99 = microseconds
    validity.judge(medianLatency: median)
    #expect(validity.isUndisturbed == isFine)
  }

  @Test("Latency that rises all along is a queue, a burst is none")
  func growth() {
    let timeline = { (medians: [UInt64]) in
      Timeline(
        medians.map { median in
          var histogram = Histogram()
          for _ in 0..<20 { histogram.record(median * 1000) }
          return histogram
        }, secondsPerPoint: 1)
    }
    #expect(timeline([100, 120, 140, 160, 180, 200]).growth.map { $0 > 1.7 && $0 < 1.8 } == true)
    #expect(timeline([100, 100, 900, 100, 100, 100]).growth == nil)
    #expect(timeline([200, 180, 160, 140, 120, 100]).growth == nil)
    #expect(timeline([100, 200, 300]).growth == nil)
    var validity = Validity()
    validity.growth = 1.6
    validity.judge(medianLatency: nil)
    #expect(
      validity.limits == [
        "latency rose all along, at the end it was 1.60× as long: a queue grew"
      ])
  }

  @Test(
    "A timeline never has more points than it may",
    arguments: [
      (0, 1), (1, 1), (119, 1), (120, 1), (121, 2), (240, 2), (241, 3), (86_400, 720),
    ])
  func points(seconds: UInt64, perPoint: Int) {
    #expect(Timeline.secondsPerPoint(of: seconds * 1_000_000_000) == perPoint)
    #expect(Int(seconds) <= perPoint * Timeline.mostPoints)
  }
}
