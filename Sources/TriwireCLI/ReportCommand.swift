import FoundationEssentials
import TriwireBench

extension Command {
  /// `triwire report`: any form of a report, made again from its data.
  static let reportCommand = Command(
    name: "report", summary: "make reports again from result.json, in any format",
    usage: "DIR|FILE … [OPTION …]",
    explanation: """
      Reads what triwire run wrote and makes the reports again, byte for byte the same. Results of
      several machines go into one report that keeps them apart; that needs --output.

        html                     report.html, a page to look at
        markdown                 report.md, tables for a pull request
        csv                      result.csv, a row for each figure of each trial
        junit                    junit.xml, test cases; what cannot be told is skipped
        hdr                      latency-….hgrm, percentiles in ms as HdrHistogram prints them
        github-action-benchmark  github-action-benchmark.json, its customSmallerIsBetter
        bencher                  bencher.json, Bencher Metric Format
      """,
    options: [
      Option("--format", "LIST", "which of them; html,markdown,csv,junit unless given"),
      Option("--budget-users", "N", "for how many users to say what they take"),
      Option("--output", "DIR", "where to write; beside the result unless given"),
    ]
  ) { arguments in
    let paths = arguments.operands
    guard !paths.isEmpty else {
      throw UsageError(
        message: "write which results: a folder that triwire run wrote, or its result.json")
    }
    let formats: [ReportFormat] = try arguments.choices("--format") ?? ReportFormat.written
    let output = arguments.text("--output")
    guard paths.count == 1 || output != nil else {
      throw UsageError(
        message: "\(paths.count) results make one report, write --output DIR to say where it goes")
    }
    var reports: [Report] = []
    for path in paths { reports.append(try ResultFile(path).report) }
    if let users = try arguments.number("--budget-users", from: 1, to: Report.mostBudgetUsers) {
      for index in reports.indices { reports[index].budgetUsers = users }
    }
    let folder = try ReportFolder(path: output ?? parent(of: paths[0]))
    for path in try folder.write(reports, as: formats) { Output.print(path) }
    return .done
  }
}

/// The folder a result is in, which it may be named by.
private func parent(of path: String) -> String {
  var isFolder = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder { return path }
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
