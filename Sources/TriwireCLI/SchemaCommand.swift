import TriwireBench

extension Command {
  /// `triwire schema`: what may stand in a scenario file, for editors.
  static let schemaCommand = Command(
    name: "schema", summary: "print the JSON Schema of scenario files",
    usage: "",
    explanation: """
      Prints the JSON Schema (draft 2020-12) of scenario files, by which editors complete and check
      them. A file names it with "$schema"; the shipped files name Scenarios/schema/scenario.json,
      which is what this prints. Comments are allowed in scenario files: tell the editor that they
      are JSON with comments. What a schema cannot say, triwire validate does.
      """,
    options: []
  ) { arguments in
    try arguments.refuseOperands(of: "triwire schema")
    Output.print(ScenarioFile.schema)
    return .done
  }
}
