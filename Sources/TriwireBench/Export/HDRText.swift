import Glibc
import Triwire

/// Percentiles of latency as text, in the form that HdrHistogram prints and its plotter reads.
enum HDRText {
  /// A file for each contender of each scenario that has measured messages.
  static func files(of reports: [MachineReport]) -> [(name: String, text: String)] {
    reports.flatMap { labelled in
      labelled.report.scenarios.flatMap { scenario in
        Comparison(scenario, in: labelled.report).pools.filter { $0.latency.count > 0 }.map {
          pool in
          let parts = [
            labelled.number.map { "\($0)" }, scenario.name, pool.contender.kind,
            scenario.tls.count > 1 ? "tls-\(pool.contender.tls.rawValue)" : nil,
            scenario.compressions.count > 1 && pool.contender.compression == .on
              ? "compressed" : nil,
          ]
          let name = parts.compactMap { $0 }.joined(separator: "-")
          return ("latency-\(name).hgrm", pool.latency.hdrText)
        }
      }
    }
  }

  /// A number as `printf` writes it.
  static func decimal(_ value: Double, places: Int, width: Int) -> String {
    var buffer = [CChar](repeating: 0, count: 400)
    let written = unsafe withVaList([CInt(width), CInt(places), value]) { arguments in
      // 400 characters hold any double with 12 places, and no more are ever written.
      unsafe vsnprintf(&buffer, buffer.count, "%*.*f", arguments)
    }
    return String(
      decoding: buffer.prefix(Int(written)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension Histogram {
  /// The percentile distribution in milliseconds, five steps for each half of what is left.
  ///
  /// The figures are those of buckets, as HdrHistogram's own are: means and deviations from their
  /// centres, the maximum as the last one's upper edge.
  var hdrText: String {
    var lines = ["       Value     Percentile TotalCount 1/(1-Percentile)", ""]
    var level = 0.0
    var passed: UInt64 = 0
    var last = 0.0
    for (index, counted) in buckets {
      passed += counted
      last = Double(Bucket.highest(of: index)) / 1e6
      let reached = 100 * Double(passed) / Double(count)
      while reached >= level {
        lines.append(Histogram.row(last, level, passed))
        if passed == count { break }
        level = Histogram.next(level)
      }
    }
    if count > 0 {
      lines.append(
        HDRText.decimal(last, places: 3, width: 12) + " "
          + HDRText.decimal(1, places: 12, width: 14) + " " + padded("\(count)", 10))
    }
    let n = Double(max(1, count))
    let mean = buckets.reduce(0.0) { $0 + Bucket.middle(of: $1.index) * Double($1.count) } / n
    let squares = buckets.reduce(0.0) { sum, bucket in
      let distance = Bucket.middle(of: bucket.index) - mean
      return sum + distance * distance * Double(bucket.count)
    }
    let figure = { (value: Double) in HDRText.decimal(value / 1e6, places: 3, width: 12) }
    let octaves = (Bucket.limit - 1) / Bucket.perOctave
    lines += [
      "#[Mean    = \(figure(mean)), StdDeviation   = \(figure((squares / n).squareRoot()))]",
      "#[Max     = \(HDRText.decimal(last, places: 3, width: 12)), Total count    = "
        + "\(padded("\(count)", 12))]",
      "#[Buckets = \(padded("\(octaves)", 12)), SubBuckets     = \(padded("\(Bucket.exact)", 12))]",
    ]
    return lines.map { "\($0)\n" }.joined()
  }

  private static func row(_ value: Double, _ level: Double, _ passed: UInt64) -> String {
    HDRText.decimal(value, places: 3, width: 12) + " "
      + HDRText.decimal(level / 100, places: 12, width: 14) + " " + padded("\(passed)", 10) + " "
      + HDRText.decimal(1 / (1 - level / 100), places: 2, width: 14)
  }

  /// The level after one: five steps until half of what is left to 100 is passed.
  private static func next(_ level: Double) -> Double {
    let halves = (log(100 / (100 - level)) / log(2)).rounded(.down) + 1
    return level + 100 / (5 * pow(2, halves))
  }
}

extension Bucket {
  /// What HdrHistogram takes for all values of a bucket.
  fileprivate static func middle(of index: Int) -> Double {
    Double(lowest(of: index) + width(of: index) / 2)
  }
}

private func padded(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}
