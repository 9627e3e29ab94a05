import Foundation
import Testing

@testable import TriwireBench

@Suite("The form of HdrHistogram")
struct HistogramFormTests {
  /// Written by HdrHistogram's own library (Python 0.10.8).
  private static let foreign =
    "HISTFAAAADF4nJNpmSzMwMAgxAABzFCaEYh5f7hHMNh/gAhwsnyUZ2La38d4g+VjHohmAgDRPQos"

  @Test("What HdrHistogram's library wrote is read as the durations it recorded")
  func foreignForm() throws {
    var recorded = Histogram()
    for duration: UInt64 in [5, 5, 2047, 2048, 123_456_789, 60_000_000_000] {
      recorded.record(duration)
    }
    for _ in 0..<300 { recorded.record(1_000_000) }
    let read = try Histogram(hdrEncoded: Self.foreign)
    #expect(read.buckets.elementsEqual(recorded.buckets, by: ==))
    #expect(read.count == 306)
    #expect(read.minimum == 5)
    #expect(read.maximum == Histogram.highest)
    #expect(abs(Double(read.sum) / Double(recorded.sum) - 1) < 0.001)
  }

  @Test("Both forms of random histograms keep every bucket", arguments: [1, 2, 3, 4])
  func roundTrip(seed: UInt64) throws {
    var source = RandomSource(seed: seed)
    var histogram = Histogram()
    for _ in 0..<5000 { histogram.record(UInt64(exp(source.fraction() * log(6e10)))) }
    // Far apart and large, so that runs of zeros and counts of several bytes occur.
    for _ in 0..<70_000 { histogram.record(3) }
    let again = try Histogram(hdrEncoded: histogram.hdrEncoded)
    #expect(again.buckets.elementsEqual(histogram.buckets, by: ==))
    #expect(again.hdrEncoded == histogram.hdrEncoded)
    for percent in [1.0, 50, 90, 99, 99.9] {
      #expect(again.percentile(percent) == histogram.percentile(percent))
    }
  }

  @Test("An empty histogram, one duration, and one beyond 60 s have forms as well")
  func edges() throws {
    #expect(try Histogram(hdrEncoded: Histogram().hdrEncoded) == Histogram())
    for duration: UInt64 in [0, 1, 2, Histogram.highest, 90_000_000_000] {
      var histogram = Histogram()
      histogram.record(duration)
      let again = try Histogram(hdrEncoded: histogram.hdrEncoded)
      #expect(again.buckets.elementsEqual(histogram.buckets, by: ==))
      #expect(again.maximum == min(duration, Histogram.highest))
    }
  }

  @Test("The sum of two forms is the form of the sum")
  func merging() throws {
    var source = RandomSource(seed: 9)
    var parts = [Histogram(), Histogram()]
    for index in 0..<2000 { parts[index % 2].record(source.next() % 1_000_000_000) }
    var whole = parts[0]
    whole.merge(parts[1])
    var read = try Histogram(hdrEncoded: parts[0].hdrEncoded)
    read.merge(try Histogram(hdrEncoded: parts[1].hdrEncoded))
    #expect(read.hdrEncoded == whole.hdrEncoded)
  }

  @Test(
    "What is no form of ours is refused with what was found",
    arguments: [
      ("", "the form ends before its cookie, at byte 0"),
      ("no!", "the text is not base64 (RFC 4648 section 4)"),
      ("AAAAAA==", "the cookie is 0x0, and 0x1c849314 is that of the compressed form, version 2"),
      ("HISTFAAAABQA", "20 compressed bytes are announced and 1 are there"),
      (
        "HISTFAAAAAN4nJM=",
        "the compressed bytes are damaged (RFC 1950), or become more than 246,541 bytes"
      ),
      // Two significant digits.
      (
        "HISTFAAAACJ4nJNpmSzMwMDAxAABMJoRiHl/uEcw2H+ACHAyAQBVWgQq",
        "the layout is another one: 2 significant digits from 1 on, indices shifted by 0, "
          + "ratio 1.0; known are 3 digits from 1 on, no shift and ratio 1"
      ),
      // 100 s, in a histogram up to an hour.
      (
        "HISTFAAAACV4nJNpmSzMwMDAwgABzFCaEch0M9ixgMH+A0Rg8XZmJgBksgWu",
        "there are more than 27,389 buckets, so values above 60 s"
      ),
    ])
  func refusals(text: String, message: String) {
    #expect(throws: HistogramFormError(message)) { try Histogram(hdrEncoded: text) }
  }

  @Test("A text longer than any histogram is refused before it is decoded")
  func tooLong() {
    let text = String(repeating: "A", count: 400_000)
    #expect(throws: HistogramFormError.self) { try Histogram(hdrEncoded: text) }
  }

  @Test("A damaged form is refused, or is another histogram, and never a trap", arguments: [1, 2])
  func damage(seed: UInt64) throws {
    var source = RandomSource(seed: seed)
    let bytes = try #require(Data(base64Encoded: Self.foreign))
    for _ in 0..<200 {
      var damaged = bytes
      damaged[Int(source.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: source.next())
      _ = try? Histogram(hdrEncoded: damaged.base64EncodedString())
      let cut = bytes.prefix(Int(source.next() % UInt64(bytes.count)))
      #expect(throws: HistogramFormError.self) {
        try Histogram(hdrEncoded: cut.base64EncodedString())
      }
    }
  }

  @Test("Damage that the compression's checksum does not see is refused too", arguments: [1, 2])
  func innerDamage(seed: UInt64) throws {
    var source = RandomSource(seed: seed)
    let bytes = try #require(Data(base64Encoded: Self.foreign))
    let inner = try #require(Zlib.decompress([UInt8](bytes[8...]), limit: 1000))
    #expect(inner.count > 40)
    for _ in 0..<300 {
      var damaged = inner
      for _ in 0..<(1 + source.next() % 3) {
        damaged[Int(source.next() % UInt64(inner.count))] = UInt8(truncatingIfNeeded: source.next())
      }
      let compressed = Zlib.compress(damaged)
      let outer = [0x1C, 0x84, 0x93, 0x14, 0, 0, 0, UInt8(compressed.count)] + compressed
      if let read = try? Histogram(hdrEncoded: Data(outer).base64EncodedString()) {
        #expect(read.count == read.buckets.reduce(0) { $0 + $1.count })
      }
    }
  }

  @Test("The data holds both forms; one that differs from the other is refused")
  func durations() throws {
    var durations = Durations()
    for sample in 1...1000 { durations.histogram.record(UInt64(sample) * 1000) }
    let json = String(decoding: try JSONEncoder().encode(durations), as: UTF8.self)
    #expect(try JSONDecoder().decode(Durations.self, from: Data(json.utf8)) == durations)
    durations.histogram.record(5)
    let form = try JSONEncoder().encode(durations.histogram.hdrEncoded)
    let start = try #require(json.range(of: "\"hdrHistogram\":"))
    let end = try #require(json[start.upperBound...].dropFirst().firstIndex(of: "\""))
    let other = json.replacingCharacters(
      in: start.upperBound...end, with: String(decoding: form, as: UTF8.self))
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Durations.self, from: Data(other.utf8))
    }
  }
}
