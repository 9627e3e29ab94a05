import FoundationEssentials
import TriwireBench

extension Command {
  /// `triwire baseline`: results that are kept under a name, to compare others with.
  static let baselineCommand = Command(
    name: "baseline", summary: "keep a result under a name, to compare others with",
    usage: "[NAME DIR|FILE] [OPTION …]",
    explanation: """
      Keeps the result that triwire run wrote to DIR as the baseline NAME, in place of an earlier
      one, in the folder Reports/baselines of the current directory. triwire compare NAME NEW
      compares with it. Without a NAME it lists the baselines.
      """,
    options: [Option("--remove", "NAME", "forget this baseline")]
  ) { arguments in
    if let name = arguments.text("--remove") {
      guard arguments.operands.isEmpty else {
        throw UsageError(message: "--remove NAME takes nothing else")
      }
      try Baselines.remove(name)
      return .done
    }
    switch arguments.operands.count {
    case 0:
      for name in Baselines.names {
        let report = try ResultFile("\(Baselines.folder)/\(name)").report
        let scenarios = report.scenarios.map(\.name).joined(separator: ", ")
        Output.print(
          "\(name)  \(report.environment.startedAt), \(report.profile.rawValue): \(scenarios)")
      }
      if Baselines.names.isEmpty {
        Output.complain("there are none; keep one with: triwire baseline NAME DIR")
      }
    case 2:
      let folder = try Baselines.keep(arguments.operands[1], as: arguments.operands[0])
      Output.print(folder)
    default:
      throw UsageError(message: "write a name and a result: triwire baseline main Reports/FOLDER")
    }
    return .done
  }
}

/// Results that are kept under names.
enum Baselines {
  /// Where they are, seen from the current directory.
  static let folder = "Reports/baselines"

  /// Their names, in the order of the alphabet.
  static var names: [String] {
    let found = try? FileManager.default.contentsOfDirectory(atPath: folder)
    return (found ?? []).filter { exists("\(folder)/\($0)/\(ReportFolder.resultName)") }.sorted()
  }

  /// Where the result is that somebody names: a path if there is one, else a baseline.
  static func path(of word: String) throws(UsageError) -> String {
    if exists(word) { return word }
    let names = names
    if names.contains(word) { return "\(folder)/\(word)" }
    let kept = names.isEmpty ? "none yet" : names.joined(separator: ", ")
    let hint = Suggestion.phrase(for: word, among: names, quoted: "")
    throw UsageError(
      message: "there is no result \(word)\(hint.isEmpty ? ": name" : "\(hint) Else name") a "
        + "folder that triwire run wrote, the result.json in it, or what triwire baseline keeps "
        + "(\(kept))")
  }

  /// Keeps a result.
  ///
  /// - Returns: The folder it is in from now on.
  static func keep(_ path: String, as name: String) throws -> String {
    guard name.utf8.count <= 100, name.utf8.allSatisfy({ isNameByte($0) }), !name.hasPrefix(".")
    else {
      throw UsageError(
        message: "\(name) is no name, write up to 100 letters, digits, dashes, dots and underscores"
      )
    }
    let report = try ResultFile(path).report
    guard !report.trials.isEmpty else {
      throw UsageError(message: "\(path) has no trials, nothing could be compared with it")
    }
    let folder = try ReportFolder(path: "\(folder)/\(name)")
    try folder.write(report)
    try folder.write([report], as: ReportFormat.written)
    return folder.path
  }

  static func remove(_ name: String) throws {
    guard names.contains(name) else {
      let hint = Suggestion.phrase(for: name, among: names, quoted: "")
      throw UsageError(
        message:
          "there is no baseline \(name)\(hint.isEmpty ? "; triwire baseline lists all" : hint)")
    }
    try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
  }

  private static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
