import FoundationEssentials

/// What services that watch benchmarks over time take in.
struct BenchmarkFeed {
  private static let keys = [
    "latency.p50", "latency.p99", "bytesPerMessage", "serverCPUPerMessage", "memoryPerConnection",
  ]

  private struct Figure {
    let name: String
    let metric: Metric
    let value: Double
    /// The same of each run.
    let runs: [Double]
  }

  private let figures: [Figure]

  init(_ reports: [MachineReport]) {
    figures = reports.flatMap { labelled in
      // Figures at a capacity are those of unlike loads.
      labelled.report.scenarios.filter { $0.search == nil }.flatMap { scenario in
        // What failed has no figures to watch.
        Comparison(scenario, in: labelled.report).pools.filter(\.failures.isEmpty).flatMap { pool in
          BenchmarkFeed.keys.compactMap { Metric.named($0) }.compactMap { metric in
            metric.value(pool).map { value in
              let runs = pool.trials.compactMap {
                metric.value(Pool([$0], pool.name, of: pool.contender))
              }
              return Figure(
                name: labelled.named("\(scenario.name), \(pool.name)"), metric: metric,
                value: value, runs: runs)
            }
          }
        }
      }
    }
  }

  /// A list for github-action-benchmark's tool `customSmallerIsBetter`.
  var githubActionBenchmark: String {
    get throws {
      struct Entry: Encodable {
        let name, unit, extra: String
        let range: String?
        let value: Double
      }
      return try text(
        of: figures.map { figure in
          let low = figure.runs.min() ?? figure.value
          let high = figure.runs.max() ?? figure.value
          return Entry(
            name: "\(figure.name), \(figure.metric.name)", unit: figure.metric.unit.symbol,
            extra: "\(figure.runs.count) runs, less is better",
            range: figure.runs.count > 1 ? "± \((high - low) / 2)" : nil, value: figure.value)
        })
    }
  }

  /// Bencher Metric Format: benchmark, measure, value with its bounds.
  var bencher: String {
    get throws {
      struct Measure: Encodable {
        let value: Double
        let lower_value, upper_value: Double?
      }
      let benchmarks = figures.reduce(into: [String: [String: Measure]]()) { all, figure in
        let isSpread = figure.runs.count > 1
        all[figure.name, default: [:]][figure.metric.key] = Measure(
          value: figure.value, lower_value: isSpread ? figure.runs.min() : nil,
          upper_value: isSpread ? figure.runs.max() : nil)
      }
      return try text(of: benchmarks)
    }
  }

  private func text(of value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }
}
