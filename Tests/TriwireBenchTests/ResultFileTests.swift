import Foundation
import Testing

@testable import TriwireBench

@Suite("Files of results")
struct ResultFileTests {
  @Test("A result that was written is read again")
  func whole() throws {
    let report = try Sample(repetitions: 1, seed: 1).report()
    try withFile(report.json) { path in
      let read = try ResultFile(path).report
      #expect(read == report)
    }
  }

  @Test(
    "What is no result is told with the place and what was expected, in words of no programming language",
    arguments: [
      (
        "\"repetition\" : 1,", "", "trials[0].repetition is missing"
      ),
      (
        "\"plannedTrials\" : 3", "\"plannedTrials\" : \"3\"",
        "plannedTrials is a text, expected is a whole number"
      ),
      (
        "\"plannedTrials\" : 3", "\"plannedTrials\" : null",
        "plannedTrials is null, expected is a whole number"
      ),
      (
        "\"plannedTrials\" : 3", "\"plannedTrials\" : 1.5",
        "it has a comment, or a number with decimals, or one that is too large, where a whole number "
          + "is expected"
      ),
      (
        "\"state\" : \"complete\"", "\"state\" : \"odd\"",
        "state is \"odd\", which is no value that it may have"
      ),
      (
        "\"schemaVersion\" : 6", "\"schemaVersion\" : 5",
        "its schemaVersion is 5, this one reads 6; measure again, or read it with the triwire that "
          + "wrote it"
      ),
      (
        "\"schemaVersion\" : 6", "\"schemaVersoin\" : 6", "it has no schemaVersion"
      ),
      (
        "\"trials\" : [", "\"trials\" : 4, \"others\" : [", "trials is a number, expected is a list"
      ),
      (
        "\"environment\" : {", "\"environment\" : 4, \"others\" : {",
        "environment is a number, expected is an object"
      ),
      (
        "\"warmUp\" : \"", "\"warmUp\" : \"x",
        "scenarios[0].warmUp: \"x1 s\" is not a time, write a number and a unit of ms, s or min: "
          + "\"10 s\""
      ),
    ])
  func refusals(old: String, new: String, reason: String) throws {
    let json = String(decoding: try Sample(repetitions: 1, seed: 1).report().json, as: UTF8.self)
    #expect(json.contains(old))
    let range = try #require(json.range(of: old))
    try withFile(Array(json.replacingCharacters(in: range, with: new).utf8)) { path in
      let error = #expect(throws: ReportError.self) { try ResultFile(path) }
      #expect(
        error?.description == "\(path) is no result of this version of triwire: \(reason)")
    }
  }

  @Test("Half a result is told with the line it ends on, and a scenario is told to be run")
  func others() throws {
    try withFile(Array("{\n\"schemaVersion\": 6,\n".utf8)) { path in
      let error = #expect(throws: ReportError.self) { try ResultFile(path) }
      #expect(
        error?.description
          == "\(path):2: this is no result, it is not even JSON: the text ends before a closing }")
    }
    try withFile(Array("[]".utf8)) { path in
      let error = #expect(throws: ReportError.self) { try ResultFile(path) }
      #expect(
        error?.description
          == "\(path) is no result of this version of triwire: it is a list, expected is an object")
    }
    let path = shippedFolder + "/echo.json"
    let error = #expect(throws: ReportError.self) { try ResultFile(path) }
    #expect(
      error?.description
        == "\(path) is a scenario, not a result: run it first, triwire run \(path)")
  }

  /// A file of these bytes that is there while `body` runs.
  private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    let file = FileManager.default.temporaryDirectory
      .appending(path: "triwire-\(UUID().uuidString).json")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try body(file.path)
  }
}
