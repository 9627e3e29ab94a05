import FoundationEssentials
import Glibc

/// A scenario file that was read and found correct.
///
/// The format is JSON with `//` and `/* */` comments. It is strict: an unknown key, a wrong type,
/// a wrong unit or an impossible value is refused, with all that is wrong in one error.
public struct ScenarioFile: Sendable {
  /// The file, as it was named by whoever asked for it.
  public let path: String
  /// The scenario as the file says, before any profile shortens it.
  public let scenario: Scenario
  /// Whether it runs with the others of its folder when none is named.
  public let isInSuite: Bool
  /// Over which rates and sizes it is repeated; `nil` is neither.
  private let sweep: Sweep?
  private let changes: [Profile: ProfileChanges]

  /// Reads a scenario file.
  ///
  /// - Throws: `ScenarioError` when the file cannot be read or something in it is wrong.
  public init(path: String) throws(ScenarioError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ScenarioError(file: path, ScenarioFile.whyUnreadable(path))
    }
    try self.init(text: [UInt8](data), path: path)
  }

  private static func whyUnreadable(_ path: String) -> String {
    if unsafe access(path, R_OK) == 0 { return "this is no plain file" }
    return errno == ENOENT ? "there is no such file to read" : "this file is not yours to read"
  }

  /// Reads the text of a scenario file; `path` is only for messages.
  ///
  /// - Throws: `ScenarioError` when something in it is wrong.
  public init(text: [UInt8], path: String) throws(ScenarioError) {
    let node: JSONNode
    do {
      node = try JSONText.parse(text)
    } catch {
      throw ScenarioError(
        file: path, problems: [.init(line: error.line, path: "", message: error.message)])
    }
    let list = ProblemList()
    let read = ScenarioReader(place: Place(node: node, path: "", problems: list)).read()
    guard let read, list.problems.isEmpty else {
      let ordered = list.problems.enumerated().sorted {
        ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset)
      }
      throw ScenarioError(file: path, problems: ordered.map(\.element))
    }
    self.path = path
    scenario = read.scenario
    changes = read.changes
    isInSuite = read.isInSuite
    sweep = read.sweep
  }

  /// The scenario as a profile wants it.
  public func scenario(for profile: Profile) -> Scenario {
    scenario.shortened(to: profile, with: changes[profile] ?? ProfileChanges())
  }

  /// The scenarios that run, as a profile wants them: one, or each point of a sweep.
  public func scenarios(for profile: Profile = .full) -> [Scenario] {
    let scenario = scenario(for: profile)
    return sweep?.points(of: scenario) ?? [scenario]
  }

  /// The scenario files of a folder (`*.json`), by name.
  ///
  /// - Throws: `ScenarioError` when the folder cannot be read or holds no scenario file.
  public static func paths(in folder: String) throws(ScenarioError) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let files = names.filter { $0.hasSuffix(".json") }.sorted()
    guard !files.isEmpty else {
      throw ScenarioError(file: folder, "this folder has no scenario file (*.json)")
    }
    return files.map { folder.hasSuffix("/") ? folder + $0 : "\(folder)/\($0)" }
  }
}
