import Foundation
import Testing

@testable import TriwireBench

@Suite("Guides of the bench")
struct BenchGuideTests {
  private static func guide(_ name: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let path = "Sources/TriwireBench/TriwireBench.docc/\(name).md"
    return try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// Without the line ends that a page has and a terminal has elsewhere.
  private static func flowing(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  @Test("The guide to reports has the text of each figure as the command explains it")
  func figures() throws {
    let guide = Self.flowing(try Self.guide("Reading"))
    for metric in MetricGuide.all {
      let entry = "### \(metric.name) `\(metric.key)`, in \(metric.unit). \(metric.explanation)"
      let isThere = guide.contains(Self.flowing(entry))
      #expect(isThere, "\(entry)")
    }
    #expect(
      try Self.guide("Reading").matches(of: /, in [a-z ]+\.\n/).count == MetricGuide.all.count)
  }

  @Test("The guide to scenarios has each key that a file may have, and no other")
  func keys() throws {
    let objects = [
      ScenarioSchema.scenario, ScenarioSchema.flow, ScenarioSchema.burst, ScenarioSchema.sizes,
      ScenarioSchema.idle, ScenarioSchema.network, ScenarioSchema.fault, ScenarioSchema.search,
      ScenarioSchema.objective, ScenarioSchema.slow, ScenarioSchema.visitors,
      ScenarioSchema.reconnect, ScenarioSchema.published,
      ScenarioSchema.publishedValue, ScenarioSchema.sweep,
    ]
    let rows = try Self.guide("Scenarios").matches(of: /(?m)^\| `([^`]+)` \|/).map { String($0.1) }
    #expect(rows.sorted() == objects.flatMap(\.names).sorted())
  }
}
