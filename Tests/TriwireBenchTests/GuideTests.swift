import Foundation
import Testing

@testable import TriwireBench

@Suite("Guides of the bench")
struct BenchGuideTests {
  private static func guide(_ name: String) throws -> String {
    try text("Sources/TriwireBench/TriwireBench.docc/\(name).md")
  }

  private static func text(_ path: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  @Test("Whole scenarios that README and the guides print can be run as they stand")
  func scenarios() throws {
    let pages = try [Self.text("README.md"), Self.guide("Scenarios"), Self.guide("Networks")]
    let blocks = pages.flatMap { page in
      page.matches(of: /```json\n((?s:.)*?)```/).map { String($0.1) }
    }
    let whole = blocks.filter { $0.hasPrefix("{") && $0.contains("\"clients\"") }
    #expect(whole.count >= 2)
    for block in whole { #expect(throws: Never.self) { try load(block) } }
    // What stands alone is a part of one.
    let parts = blocks.filter { $0.hasPrefix("\"") }
    #expect(!parts.isEmpty)
    for part in parts {
      #expect(throws: Never.self, "\(part)") {
        try load(
          """
          {"name": "x", "clients": 4,
           "traffic": [{"direction": "up", "rate": "1/s in all", "payload": "64 B"}],
           \(part)}
          """)
      }
    }
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
