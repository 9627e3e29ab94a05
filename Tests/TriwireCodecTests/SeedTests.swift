import Foundation
import FuzzedParsers
import Testing

@Suite("Inputs that fuzzing found")
struct SeedTests {
  @Test(
    "Each is seen the same whole, byte by byte and cut at each place, and never traps",
    arguments: FuzzedParser.allCases)
  func replay(parser: FuzzedParser) throws {
    let folder = SeedTests.folder.appending(path: parser.rawValue)
    let seeds = try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted()
    #expect(!seeds.isEmpty, "no seeds in \(folder.path())")
    for seed in seeds {
      let input = try [UInt8](Data(contentsOf: folder.appending(path: seed)))
      let finding = parser.findingAtEveryCut(in: input)
      #expect(finding == nil, "Seeds/\(parser.rawValue)/\(seed)")
    }
  }

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fuzz/Seeds")
}
