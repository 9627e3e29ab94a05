import TriwireBench

extension Command {
  /// `triwire list`: what there is to run.
  static let listCommand = Command(
    name: "list", summary: "list the scenarios of the shipped suite, or of other files",
    usage: "[FILE|DIR …]",
    explanation: """
      Shows the name and the description of each scenario. Without a file, these are the
      scenarios in the folder Scenarios of the current directory.
      """,
    options: []
  ) { arguments in
    let files = try Suite.files(arguments.operands)
    let width = files.map(\.scenario.name.count).max() ?? 0
    for file in files {
      let scenario = file.scenario
      let points = file.scenarios().count
      let sweep = points > 1 ? " (\(points) points)" : ""
      let note = sweep + (file.isInSuite ? "" : " (runs when named)")
      let name = scenario.name + String(repeating: " ", count: width - scenario.name.count)
      Output.print("\(name)  \(scenario.description)\(note)")
    }
    return .done
  }

  /// `triwire validate`: check files without running them.
  static let validateCommand = Command(
    name: "validate", summary: "check scenario files without running them",
    usage: "FILE|DIR …",
    explanation: """
      Says of each file that it is correct, or all that is wrong in it: file, line, key, and what
      to write instead. Exits with 65 when one is wrong.
      """,
    options: []
  ) { arguments in
    guard !arguments.operands.isEmpty else {
      throw UsageError(message: "write which scenario files to check")
    }
    var status = ExitStatus.done
    for path in try Suite.paths(arguments.operands) {
      do throws(ScenarioError) {
        let scenario = try Suite.read(path).scenario
        Output.print("\(path): correct, \(scenario.name)")
      } catch {
        Output.complain(error.description)
        status = .badScenario
      }
    }
    return status
  }
}
