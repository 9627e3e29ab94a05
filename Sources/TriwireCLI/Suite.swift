import FoundationEssentials
import TriwireBench

/// The scenario files somebody asks for.
enum Suite {
  /// Where the shipped scenarios are, seen from the project's folder.
  static let folder = "Scenarios"

  /// Reads the files that operands name; folders stand for all files in them, none for the suite.
  ///
  /// All files are read before anything is thrown, so that all mistakes are told at once.
  ///
  /// Of the suite, those that run only when named are left out when they are to run.
  static func files(_ operands: [String], toRun runs: Bool = false) throws -> [ScenarioFile] {
    var files: [ScenarioFile] = []
    var mistakes: [ScenarioError] = []
    for path in try paths(operands) {
      do throws(ScenarioError) {
        let file = try ScenarioFile(path: path)
        guard !files.contains(where: { $0.path == path }) else {
          throw ScenarioError(file: path, "this file is named twice, name it once")
        }
        let names = Set(file.scenarios().map(\.name))
        if let other = files.first(where: { $0.scenarios().contains { names.contains($0.name) } }) {
          let name = other.scenarios().first { names.contains($0.name) }?.name ?? ""
          throw ScenarioError(
            file: path, "\"\(name)\" is the name of \(other.path) already, give it another")
        }
        files.append(file)
      } catch {
        mistakes.append(error)
      }
    }
    guard mistakes.isEmpty else { throw Mistakes(errors: mistakes) }
    guard runs, operands.isEmpty else { return files }
    let suite = files.filter(\.isInSuite)
    guard !suite.isEmpty else {
      throw UsageError(
        message: "all scenarios in \(folder) say \"suite\": false: name those that are to run")
    }
    return suite
  }

  /// The paths that operands name.
  static func paths(_ operands: [String]) throws -> [String] {
    guard operands.isEmpty else { return try operands.flatMap { try expand($0) } }
    guard isFolder(folder) else {
      throw UsageError(
        message: "there is no folder \(folder) here: go to the project's folder, "
          + "or name a scenario file")
    }
    return try ScenarioFile.paths(in: folder)
  }

  private static func expand(_ operand: String) throws -> [String] {
    isFolder(operand) ? try ScenarioFile.paths(in: operand) : [operand]
  }

  private static func isFolder(_ path: String) -> Bool {
    (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil
  }
}

/// What is wrong with several scenario files.
struct Mistakes: Error {
  let errors: [ScenarioError]
}
