import Foundation
import Testing

@testable import TriwireBench

@Suite("Schema of scenario files")
struct SchemaTests {
  @Test("The shipped schema is what the program makes of its table of keys")
  func shipped() throws {
    let text = try String(contentsOfFile: shippedFolder + "/schema/scenario.json", encoding: .utf8)
    #expect(text == ScenarioFile.schema + "\n")
  }

  @Test("Every shipped file names the schema, and has no key that the schema does not know")
  func keys() throws {
    let schema = try #require(
      try JSONSerialization.jsonObject(with: Data(ScenarioFile.schema.utf8)) as? [String: Any])
    for path in try ScenarioFile.paths(in: shippedFolder) {
      let node = try JSONText.parse([UInt8](Data(contentsOf: URL(filePath: path))))
      guard case .object(let members) = node.value else {
        Issue.record("\(path) is no object")
        continue
      }
      let named = members.first { $0.key == "$schema" }?.node.value
      #expect(named == .string("schema/scenario.json"), "\(path)")
      check(node, schema, path)
    }
  }

  /// Looks each key up where the schema has it.
  private func check(_ node: JSONNode, _ schema: [String: Any], _ path: String) {
    let choices = (schema["anyOf"] as? [[String: Any]]) ?? [schema]
    switch node.value {
    case .object(let members):
      let properties = choices.compactMap { $0["properties"] as? [String: Any] }.first ?? [:]
      for member in members {
        guard let inner = properties[member.key] as? [String: Any] else {
          Issue.record("\(path): \(member.key) is not in the schema")
          continue
        }
        check(member.node, inner, "\(path).\(member.key)")
      }
    case .array(let nodes):
      let items = choices.compactMap { $0["items"] as? [String: Any] }.first ?? [:]
      for (index, inner) in nodes.enumerated() { check(inner, items, "\(path)[\(index)]") }
    default: break
    }
  }

  @Test("A scenario is written with keys that the schema knows, so that it can be run again")
  func encoded() throws {
    let known = Set(ScenarioSchema.scenario.names)
    for path in try ScenarioFile.paths(in: shippedFolder) {
      let data = Data(try encodeLine(try ScenarioFile(path: path).scenario))
      let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect(Set(object.keys).isSubset(of: known), "\(path)")
    }
  }
}
