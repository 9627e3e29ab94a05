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
        let file = try read(path)
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

  /// Reads a file that somebody named.
  ///
  /// - Throws: `ScenarioError` when something in it is wrong, or when there is none, with the one
  ///   that may be meant.
  static func read(_ path: String) throws(ScenarioError) -> ScenarioFile {
    guard !FileManager.default.fileExists(atPath: path) else { return try ScenarioFile(path: path) }
    throw ScenarioError(file: path, "there is no such file to read\(hint(for: path))")
  }

  /// What to write instead of a path where no file is.
  private static func hint(for path: String) -> String {
    let longer = "\(path).json"
    if FileManager.default.fileExists(atPath: longer) { return ", did you mean \(longer)?" }
    // Where there is no suite, nothing of it could be named.
    guard let shipped = try? ScenarioFile.paths(in: folder) else { return "" }
    let names = shipped.map { name(of: $0) }
    guard let meant = Suggestion.nearest(to: name(of: path), among: names) else {
      return "; triwire list shows the scenarios in \(folder)"
    }
    return ", did you mean \(folder)/\(meant).json?"
  }

  /// The name of a file without its folder and its ending.
  private static func name(of path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return file.hasSuffix(".json") ? String(file.dropLast(".json".count)) : file
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
