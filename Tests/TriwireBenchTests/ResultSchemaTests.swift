import Foundation
import Testing

@testable import TriwireBench

@Suite("Schema of results")
struct ResultSchemaTests {
  @Test("The shipped schema is what the program makes of its table of keys")
  func shipped() throws {
    let text = try String(contentsOfFile: shippedFolder + "/schema/result.json", encoding: .utf8)
    #expect(text == Report.schema + "\n")
  }

  @Test("A result has the keys and types that the schema says, and all that it requires")
  func written() throws {
    var report = try Sample(tls: [.off, .v1_3]).report()
    report.voided = [VoidTrial(report.trials[0], Plan(of: report).trials[0])]
    report.trials[1].faults = FaultMeasurement()
    report.trials[1].bytes?.down.saved = -1
    report.environment.resumedAt = ["2026-01-02T03:04:05Z"]
    let mistakes = try mistakes(in: report.json)
    #expect(mistakes == [])
  }

  @Test("What a schema forbids is found")
  func broken() throws {
    let text = String(decoding: try Sample().report().json, as: UTF8.self)
    let changes = [
      ("\"seed\"", "\"sead\""), ("\"state\" : \"complete\"", "\"state\" : \"done\""),
      ("\"cores\" : ", "\"cores\" : -"), ("\"repetition\" : ", "\"repetition\" : 0.5, \"x\" : "),
    ]
    for (old, new) in changes {
      let changed = text.replacing(old, with: new, maxReplacements: 1)
      #expect(changed != text)
      let found = try mistakes(in: Array(changed.utf8))
      #expect(found != [], "\(new)")
    }
  }

  private func mistakes(in json: [UInt8]) throws -> [String] {
    let value = try JSONSerialization.jsonObject(with: Data(json))
    return mistakes(value, .object(ResultSchema.report), "")
  }

  private func mistakes(_ value: Any, _ form: SchemaForm, _ path: String) -> [String] {
    let isRight: Bool
    switch form {
    case .object(let object):
      guard let members = value as? [String: Any] else { return ["\(path): no object"] }
      let known = Dictionary(uniqueKeysWithValues: object.keys.map { ($0.name, $0) })
      let missing = object.keys.filter { $0.isRequired && members[$0.name] == nil }
      return missing.map { "\(path).\($0.name): missing" }
        + members.flatMap { name, inner in
          known[name].map { mistakes(inner, $0.form, "\(path).\(name)") }
            ?? ["\(path).\(name): unknown"]
        }
    case .list(let form, _, _):
      guard let items = value as? [Any] else { return ["\(path): no list"] }
      return items.flatMap { mistakes($0, form, "\(path)[]") }
    case .members(let form):
      guard let members = value as? [String: Any] else { return ["\(path): no object"] }
      return members.flatMap { mistakes($1, form, "\(path).\($0)") }
    case .either(let forms):
      let each = forms.map { mistakes(value, $0, path) }
      return each.contains([]) ? [] : each.first ?? []
    case .text, .pattern: isRight = value is String
    case .choice(let words): isRight = (value as? String).map { words.contains($0) } ?? false
    case .truth: isRight = value is Bool
    case .count: isRight = (value as? NSNumber).map { $0 == $0.uint64Value as NSNumber } ?? false
    case .whole(let low, let high): isRight = (value as? Int).map { (low...high) ~= $0 } ?? false
    case .figure, .number: isRight = value is NSNumber
    case .nullable: isRight = value is NSNumber || value is NSNull
    }
    return isRight ? [] : ["\(path): \(value) is no \(form)"]
  }
}
