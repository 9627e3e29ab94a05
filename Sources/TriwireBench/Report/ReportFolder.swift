import FoundationEssentials
import Glibc

/// The folder a report is written to, after every trial.
public struct ReportFolder: Sendable {
  /// Where the folder is.
  public let path: String

  /// Creates the folder and those above it, unless they are there.
  ///
  /// - Throws: ``ReportError`` when the file system refuses.
  public init(path: String) throws(ReportError) {
    self.path = path
    try attempt("make the folder \(path)") {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
  }

  /// Creates a folder that was not there, with a number at its name's end where that is taken.
  ///
  /// - Parameters:
  ///   - parent: The folder to create it in; it is created as well, unless it is there.
  ///   - name: Its name.
  /// - Throws: ``ReportError`` when the file system refuses.
  public init(in parent: String, named name: String) throws(ReportError) {
    try self.init(path: parent)
    let path = "\(parent)/\(name)"
    let candidates = [path] + (2...1000).map { "\(path)-\($0)" }
    // `mkdir` fails where something is, so that two who start at the same moment do not meet.
    let free = candidates.first { unsafe mkdir($0, 0o777) == 0 || errno != EEXIST }
    try self.init(path: free ?? path)
  }

  /// Where the data goes.
  public var resultPath: String { "\(path)/\(ReportFolder.resultName)" }

  /// What the data is called in a folder.
  public static let resultName = "result.json"

  /// Writes `result.json` and `report.md`, each as a whole: a reader never sees half a file.
  ///
  /// - Throws: ``ReportError`` when the file system refuses.
  public func write(_ report: Report) throws(ReportError) {
    try attempt("write \(resultPath)") {
      try Data(report.json).write(to: URL(filePath: resultPath), options: .atomic)
    }
    try write([report], as: [.markdown])
  }

  /// Writes the files of some forms, each as a whole.
  ///
  /// - Parameters:
  ///   - reports: What they are made from; at least one.
  ///   - formats: The forms.
  /// - Returns: Where they are.
  /// - Throws: ``ReportError`` when the file system refuses.
  @discardableResult
  public func write(_ reports: [Report], as formats: [ReportFormat]) throws(ReportError) -> [String]
  {
    var paths: [String] = []
    for format in formats {
      try attempt("write the report as \(format.rawValue) to \(path)") {
        for file in try format.files(of: reports) {
          let place = "\(path)/\(file.name)"
          try Data(file.bytes).write(to: URL(filePath: place), options: .atomic)
          paths.append(place)
        }
      }
    }
    return paths
  }
}

/// Why a report could not be written, as a sentence.
public struct ReportError: Error, Equatable, CustomStringConvertible {
  /// What was to be done, why it could not, and what to do about it.
  public let description: String
}

/// Does something with files, and turns what Foundation says of a failure into a sentence.
private func attempt(_ what: String, _ work: () throws -> Void) throws(ReportError) {
  do {
    try work()
  } catch {
    let code = ((error as? CocoaError)?.underlying as? POSIXError)?.code.rawValue
    let reason = code.map { unsafe String(cString: strerror($0)) } ?? "\(error)"
    throw ReportError(
      description: "cannot \(what): \(reason); choose another folder with --output")
  }
}

extension Report {
  /// The report as JSON: keys in order, lists of numbers on one line.
  ///
  /// The same report always gives the same bytes.
  ///
  /// - Throws: `EncodingError` when a figure is not a finite number.
  public var json: [UInt8] {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      var bytes = compacted([UInt8](try encoder.encode(self)))
      bytes.append(UInt8(ascii: "\n"))
      return bytes
    }
  }

  /// Reads a report that was written as JSON.
  ///
  /// - Throws: `DecodingError` when the bytes are no report of a known version.
  public init(json: [UInt8]) throws {
    self = try JSONDecoder().decode(Report.self, from: Data(json))
    guard schemaVersion == Report.currentSchema else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: [],
          debugDescription:
            "schemaVersion is \(schemaVersion), known is \(Report.currentSchema)"))
    }
  }
}

/// JSON with each list that holds only numbers and such lists brought to one line.
private func compacted(_ json: [UInt8]) -> [UInt8] {
  var result: [UInt8] = []
  result.reserveCapacity(json.count)
  var position = 0
  while position < json.count {
    if json[position] == UInt8(ascii: "["), let end = endOfNumbers(json, from: position) {
      result.append(contentsOf: json[position...end].filter { $0 > 0x20 })
      position = end + 1
    } else if json[position] == UInt8(ascii: "\"") {
      let end = endOfString(json, from: position)
      result.append(contentsOf: json[position...end])
      position = end + 1
    } else {
      result.append(json[position])
      position += 1
    }
  }
  return result
}

/// The closing bracket of a list that holds only numbers and such lists, or `nil`.
private func endOfNumbers(_ json: [UInt8], from start: Int) -> Int? {
  var depth = 0
  for position in start..<json.count {
    switch json[position] {
    case UInt8(ascii: "["): depth += 1
    case UInt8(ascii: "]"):
      depth -= 1
      if depth == 0 { return position }
    case UInt8(ascii: "\""), UInt8(ascii: "{"): return nil
    default: continue
    }
  }
  return nil
}

private func endOfString(_ json: [UInt8], from start: Int) -> Int {
  var position = start + 1
  while position < json.count - 1, json[position] != UInt8(ascii: "\"") {
    position += json[position] == UInt8(ascii: "\\") ? 2 : 1
  }
  return position
}
