extension ScenarioFile {
  /// The JSON Schema of scenario files (draft 2020-12).
  ///
  /// It knows keys, types, words, units and bounds of numbers; what has to go together, and bounds of
  /// what has a unit, a file is told when it is read.
  public static var schema: String {
    ScenarioSchema.scenario.schema(titled: "Triwire scenario")
  }
}

extension Report {
  /// The JSON Schema of `result.json` (draft 2020-12).
  public static var schema: String { ResultSchema.report.schema(titled: "Triwire result") }
}

extension SchemaObject {
  fileprivate func schema(titled title: String) -> String {
    let head: [(String, SchemaText)] = [
      ("$schema", .text("https://json-schema.org/draft/2020-12/schema")), ("title", .text(title)),
    ]
    guard case .object(let members) = SchemaText(self) else { return "" }
    return SchemaText.object(head + members).rendered()
  }
}

/// JSON that keeps its order.
private indirect enum SchemaText {
  case text(String)
  case number(Double)
  case truth(Bool)
  case list([SchemaText])
  case object([(String, SchemaText)])

  init(_ object: SchemaObject) {
    let properties = object.keys.map { key -> (String, SchemaText) in
      (key.name, .object([("description", .text(key.note))] + SchemaText.members(of: key.form)))
    }
    let required = object.keys.filter(\.isRequired).map { SchemaText.text($0.name) }
    self = .object(
      [("type", .text("object")), ("additionalProperties", .truth(false))]
        + (required.isEmpty ? [] : [("required", .list(required))])
        + [("properties", .object(properties))])
  }

  private static func members(of form: SchemaForm) -> [(String, SchemaText)] {
    func type(_ name: String) -> (String, SchemaText) { ("type", .text(name)) }
    return switch form {
    case .text: [type("string")]
    case .truth: [type("boolean")]
    case .pattern(let pattern, let examples):
      [
        type("string"), ("pattern", .text(pattern)),
        ("examples", .list(examples.map { .text($0) })),
      ]
    case .whole(let low, let high):
      [
        type("integer"), ("minimum", .number(Double(low))), ("maximum", .number(Double(high))),
      ]
    case .number(let low, let high):
      [type("number"), ("exclusiveMinimum", .number(low)), ("maximum", .number(high))]
    case .count: [type("integer"), ("minimum", .number(0))]
    case .figure: [type("number")]
    case .nullable: [("type", .list([.text("number"), .text("null")]))]
    case .choice(let words): [("enum", .list(words.map { .text($0) }))]
    case .list(let element, let least, let most):
      [
        type("array"), ("items", .object(members(of: element))),
        ("minItems", .number(Double(least))),
      ]
        + (most.map { [("maxItems", .number(Double($0)))] } ?? [])
    case .object(let object):
      if case .object(let members) = SchemaText(object) { members } else { [] }
    case .members(let form):
      [type("object"), ("additionalProperties", .object(members(of: form)))]
    case .either(let forms): [("anyOf", .list(forms.map { .object(members(of: $0)) }))]
    }
  }

  /// The JSON, two blanks for each level.
  func rendered(_ indent: String = "") -> String {
    let inner = indent + "  "
    switch self {
    case .text(let text): return SchemaText.quoted(text)
    case .number(let number): return plain(number)
    case .truth(let truth): return "\(truth)"
    case .list(let elements):
      return "[" + elements.map { $0.rendered(inner) }.joined(separator: ", ") + "]"
    case .object(let members):
      let lines = members.map {
        "\(inner)\(SchemaText.quoted($0.0)): \($0.1.rendered(inner))"
      }
      return "{\n\(lines.joined(separator: ",\n"))\n\(indent)}"
    }
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
