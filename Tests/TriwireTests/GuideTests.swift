import Foundation
import Testing

@Suite("Guides")
struct GuideTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  @Test(
    "The embedding guide shows the programs that are compiled", arguments: ["Server", "Client"])
  func programs(name: String) throws {
    let guide = try String(
      contentsOf: Self.root.appending(path: "Sources/Triwire/Triwire.docc/Embedding.md"),
      encoding: .utf8)
    let program = try String(
      contentsOf: Self.root.appending(path: "Tests/Guides/\(name)/main.swift"), encoding: .utf8)
    #expect(guide.contains("```swift\n\(program)```"))
  }
}
