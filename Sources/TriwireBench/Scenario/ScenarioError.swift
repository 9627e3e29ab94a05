/// All that is wrong with one scenario file; the author of the file can mend it.
public struct ScenarioError: Error, Sendable, Equatable, CustomStringConvertible {
  /// One thing that is wrong, and what to write instead.
  public struct Problem: Sendable, Equatable {
    /// The line in the file, from 1; `nil` when the file as a whole is meant.
    public let line: Int?
    /// The keys that lead to the place, such as `traffic[0].rate`; empty for the whole file.
    public let path: String
    /// What is wrong, and what to write instead.
    public let message: String
  }

  /// The file, as it was named by whoever asked for it.
  public let file: String
  /// What is wrong, in the order of the file.
  public let problems: [Problem]

  init(file: String, problems: [Problem]) {
    self.file = file
    self.problems = problems
  }

  /// A file that is wrong as a whole, or for its reader.
  ///
  /// - Parameters:
  ///   - file: The file, as it was named.
  ///   - message: What is wrong, and what to write instead.
  public init(file: String, _ message: String) {
    self.init(file: file, problems: [Problem(line: nil, path: "", message: message)])
  }

  /// One line for each problem: `echo.json:12: traffic[0].rate: …`.
  public var description: String {
    problems.map { problem in
      let line = problem.line.map { ":\($0)" } ?? ""
      let path = problem.path.isEmpty ? "" : "\(problem.path): "
      return "\(file)\(line): \(path)\(problem.message)"
    }.joined(separator: "\n")
  }
}
