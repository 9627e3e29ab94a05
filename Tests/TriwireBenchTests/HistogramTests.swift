import Foundation
import Testing

@testable import TriwireBench

@Suite("Histogram")
struct HistogramTests {
  @Test("Every duration from 1 µs to 60 s is reported at most 0.1 % too long and never too short")
  func errorBound() {
    var duration: UInt64 = 1000
    while duration <= Histogram.highest {
      for value in [duration, duration + 1, duration * 3 / 2] where value <= Histogram.highest {
        var histogram = Histogram()
        histogram.record(value)
        histogram.record(Histogram.highest)  // so that the maximum does not correct the answer
        let answer = histogram.percentile(50)
        #expect(answer >= value)
        #expect(Double(answer - value) <= Double(value) * 0.001)
      }
      duration = duration * 1373 / 1000
    }
  }

  @Test("Percentiles agree with exact quantiles of the same samples", arguments: [1, 2, 3])
  func quantiles(seed: UInt64) {
    var source = RandomSource(seed: seed)
    // Log-uniform from 1 µs to 60 s, so that every octave is used.
    var samples = (0..<20_000).map { _ in UInt64(1000 * exp(source.fraction() * log(6e7))) }
    var histogram = Histogram()
    for sample in samples { histogram.record(sample) }
    samples.sort()
    for percent in [0.1, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100] {
      let rank = max(1, Int((Double(samples.count) * percent / 100).rounded(.up)))
      let exact = Double(samples[rank - 1])
      let answer = Double(histogram.percentile(percent))
      #expect(answer >= exact && answer <= exact * 1.001, "p\(percent)")
    }
    let mean = samples.reduce(0.0) { $0 + Double($1) } / Double(samples.count)
    #expect(abs(histogram.mean - mean) <= mean * 1e-9)
    let variance = samples.reduce(0.0) { $0 + pow(Double($1) - mean, 2) } / Double(samples.count)
    #expect(abs(histogram.standardDeviation - variance.squareRoot()) <= mean * 0.001)
  }

  @Test("A duration beyond 60 s is counted, and not silently cut")
  func overflow() {
    var histogram = Histogram()
    histogram.record(90_000_000_000)
    #expect(histogram.count == 1)
    #expect(histogram.overflow == 1)
    #expect(histogram.maximum == 90_000_000_000)
  }

  @Test("Merging is associative and commutative, and equals recording in one")
  func merging() {
    var source = RandomSource(seed: 7)
    var parts = [Histogram(), Histogram(), Histogram()]
    var whole = Histogram()
    for index in 0..<3000 {
      let sample = source.next() % 1_000_000_000
      parts[index % 3].record(sample)
      whole.record(sample)
    }
    let (a, b, c) = (parts[0], parts[1], parts[2])
    #expect(sum(sum(a, b), c) == whole)
    #expect(sum(a, sum(b, c)) == whole)
    #expect(sum(sum(c, a), b) == whole)
    #expect(sum(whole, Histogram()) == whole)
    #expect(sum(Histogram(), whole) == whole)
  }

  @Test("A percentile needs ten samples above it", arguments: [(99.0, 1000), (99.9, 10_000)])
  func sound(percent: Double, needed: Int) {
    var histogram = Histogram()
    for sample in 1..<needed { histogram.record(UInt64(sample)) }
    #expect(histogram.soundPercentile(percent) == nil)
    histogram.record(UInt64(needed))
    #expect(histogram.soundPercentile(percent) != nil)
  }

  @Test("The JSON form is sparse, round trips, and keeps overflow and exact extremes")
  func json() throws {
    var histogram = Histogram()
    for sample: UInt64 in [5, 5, 2047, 2048, 123_456_789, 90_000_000_000] {
      histogram.record(sample)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let json = try encoder.encode(histogram)
    #expect(
      String(decoding: json, as: UTF8.self)
        == #"{"buckets":[[5,2],[2047,1],[2048,1],[18267,1],[27388,1]],"maximum":90000000000,"#
        + #""minimum":5,"overflow":1,"significantDigits":3,"sum":90123460894,"unit":"ns"}"#)
    #expect(try JSONDecoder().decode(Histogram.self, from: json) == histogram)
  }

  @Test("A bucket that does not exist is refused")
  func wrongBucket() {
    let json = #"{"unit":"ns","buckets":[[27389,1]],"minimum":0,"maximum":0,"sum":0,"overflow":0}"#
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Histogram.self, from: Data(json.utf8))
    }
  }

  @Test("An empty histogram answers zero")
  func empty() {
    let histogram = Histogram()
    #expect(histogram.percentile(99) == 0)
    #expect(histogram.soundPercentile(50) == nil)
    #expect(histogram.mean == 0)
    #expect(histogram.standardDeviation == 0)
  }

  private func sum(_ one: Histogram, _ other: Histogram) -> Histogram {
    var result = one
    result.merge(other)
    return result
  }
}
