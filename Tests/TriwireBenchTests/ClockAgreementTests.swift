import Testing

@testable import TriwireBench

@Suite("Clocks of two sides")
struct ClockAgreementTests {
  private typealias Question = ClockAgreement.Question

  @Test("The shortest round trip decides, and half of it is the most it can be wrong by")
  func shortest() throws {
    let agreement = try #require(
      ClockAgreement([
        Question(asked: 1000, there: 9_001_900, answered: 5000),
        Question(asked: 10_000, there: 9_010_030, answered: 10_100),
        Question(asked: 20_000, there: 9_020_700, answered: 21_000),
      ]))
    #expect(agreement == ClockAgreement(offset: 8_999_980, error: 50, roundTrip: 100))
    #expect(agreement.there(10_050) == 9_010_030)
  }

  @Test("However question and answer share the round trip, the truth is within the error")
  func bound() throws {
    var source = RandomSource(seed: 7)
    for truth in [Int64(-5_000_000_000), -3, 0, 12_345_678_901] {
      var questions: [Question] = []
      var time: UInt64 = 1 << 40
      for _ in 0..<50 {
        let there = UInt64(source.fraction() * 900_000)
        let back = UInt64(source.fraction() * 900_000)
        questions.append(
          Question(
            asked: time, there: UInt64(Int64(time + there) + truth),
            answered: time + there + back))
        time += there + back + 1000
      }
      let agreement = try #require(ClockAgreement(questions))
      #expect((agreement.offset - truth).magnitude <= agreement.error)
      #expect(agreement.canBeOne == (truth == 0 || agreement.offset.magnitude <= agreement.error))
    }
  }

  @Test("What the clocks drift until after the trial widens the error")
  func drift() {
    let before = ClockAgreement(offset: 1000, error: 50, roundTrip: 100)
    let after = ClockAgreement(offset: 1400, error: 60, roundTrip: 120)
    #expect(before.error(until: after) == 460)
    #expect(before.error(until: before) == 50)
    let measured = TargetMeasurement(before, after, isShared: false)
    #expect(measured.clock == .estimated)
    #expect(measured.errorMicroseconds == 0.46)
    #expect(measured.driftMicroseconds == 0.4)
    #expect(measured.roundTripMicroseconds == 0.1)
    #expect(TargetMeasurement(before, after, isShared: true).errorMicroseconds == 0)
  }

  @Test("Nobody who was not asked is agreed with")
  func nothing() { #expect(ClockAgreement([]) == nil) }
}
