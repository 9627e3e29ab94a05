import TriwireBench

extension Command {
  /// `triwire schema`: what may stand in a scenario file, for editors, and what stands in a result.
  static let schemaCommand = Command(
    name: "schema", summary: "print the JSON Schema of scenario files or of results",
    usage: "[scenario|result]",
    explanation: """
      Prints the JSON Schema (draft 2020-12) of scenario files, by which editors complete and check
      them. A file names it with "$schema"; the shipped files name Scenarios/schema/scenario.json,
      which is what this prints. Comments are allowed in scenario files: tell the editor that they
      are JSON with comments. What a schema cannot say, triwire validate does.

      With the word result it prints that of result.json, which is Scenarios/schema/result.json.
      """,
    options: []
  ) { arguments in
    switch arguments.operands {
    case [], ["scenario"]: Output.print(ScenarioFile.schema)
    case ["result"]: Output.print(Report.schema)
    default: throw UsageError(message: "write triwire schema, or triwire schema result")
    }
    return .done
  }
}
