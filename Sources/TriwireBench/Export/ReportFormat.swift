import FoundationEssentials

/// A form of a report that is made from its data alone, so that it can be made again.
public enum ReportFormat: String, Sendable, CaseIterable {
  /// A page to look at, `report.html`.
  case html
  /// Tables for a pull request, `report.md`.
  case markdown
  /// A row for each figure of each trial, `result.csv`; one for each probe of a search,
  /// `capacity.csv`.
  case csv
  /// Test cases for CI, `junit.xml`.
  case junit
  /// Percentiles of latency as HdrHistogram prints them, a file for each transport.
  case hdr
  /// The input of github-action-benchmark (`customSmallerIsBetter`).
  case githubActionBenchmark = "github-action-benchmark"
  /// The input of Bencher (Bencher Metric Format).
  case bencher

  /// What `triwire run` writes beside `result.json`.
  public static let written: [ReportFormat] = [.html, .markdown, .csv, .junit]

  /// A file to write: its name, and what is in it.
  public struct File: Sendable, Equatable {
    /// The name, without a folder.
    public let name: String
    /// The whole content.
    public let bytes: [UInt8]
  }

  /// The files of some reports in this form; those of several machines stay apart.
  ///
  /// The same reports always give the same bytes.
  ///
  /// - Parameter reports: At least one.
  /// - Returns: One file, or several of ``hdr``.
  /// - Throws: `EncodingError` when a figure is not a finite number.
  public func files(of reports: [Report]) throws -> [File] {
    let file = { (name: String, text: String) in File(name: name, bytes: Array(text.utf8)) }
    let labelled = MachineReport.labelled(reports)
    return switch self {
    case .html: [file("report.html", Report.html(of: reports))]
    case .markdown: [file("report.md", reports.map(\.markdown).joined(separator: "\n---\n\n"))]
    case .csv:
      [file("result.csv", TidyTable(labelled).csv)]
        + (CapacityTable(labelled).isEmpty
          ? [] : [file("capacity.csv", CapacityTable(labelled).csv)])
    case .junit: [file("junit.xml", JUnitReport(labelled).xml)]
    case .hdr: HDRText.files(of: labelled).map { file($0.name, $0.text) }
    case .githubActionBenchmark:
      [file("github-action-benchmark.json", try BenchmarkFeed(labelled).githubActionBenchmark)]
    case .bencher: [file("bencher.json", try BenchmarkFeed(labelled).bencher)]
    }
  }
}

/// A report with the machine's name among others; empty where there is only one.
struct MachineReport {
  let report: Report
  let machine: String
  /// Its number among several, from 1.
  let number: Int?

  static func labelled(_ reports: [Report]) -> [MachineReport] {
    reports.enumerated().map { index, report in
      guard reports.count > 1 else {
        return MachineReport(report: report, machine: "", number: nil)
      }
      let name = "\(index + 1) \(report.environment.processor)"
      return MachineReport(report: report, machine: name, number: index + 1)
    }
  }

  /// A name that says the machine first, where there are several.
  func named(_ name: String) -> String { machine.isEmpty ? name : "\(machine): \(name)" }
}
