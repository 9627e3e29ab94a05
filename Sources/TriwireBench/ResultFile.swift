import FoundationEssentials

/// A result that `triwire run` wrote, as somebody named it.
public struct ResultFile: Sendable {
  /// Where the data is.
  public let path: String
  /// What was read.
  public let report: Report

  /// Reads the result of a folder, or of a file.
  ///
  /// - Parameter name: A folder that `triwire run` wrote, or the `result.json` in it.
  /// - Throws: ``ReportError`` when there is none, or one that cannot be read, with the place and
  ///   with what was expected there.
  public init(_ name: String) throws(ReportError) {
    var isFolder = false
    let exists = FileManager.default.fileExists(atPath: name, isDirectory: &isFolder)
    path = isFolder ? ResultFile.path(in: name) : name
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ReportError(description: ResultFile.absence(of: name, exists, isFolder))
    }
    do {
      report = try Report(json: [UInt8](data))
    } catch {
      throw ReportError(description: ResultMistake(error, in: [UInt8](data), of: path).description)
    }
  }

  private static func path(in folder: String) -> String {
    "\(folder.hasSuffix("/") ? String(folder.dropLast()) : folder)/\(ReportFolder.resultName)"
  }

  /// Why there is nothing to read, and what to name instead.
  private static func absence(of name: String, _ exists: Bool, _ isFolder: Bool) -> String {
    let advice = "name a folder that triwire run wrote, or its \(ReportFolder.resultName)"
    guard exists else { return "there is no \(name): \(advice)" }
    guard isFolder, !FileManager.default.fileExists(atPath: path(in: name)) else {
      return "\(isFolder ? path(in: name) : name) cannot be read: \(advice)"
    }
    guard let newest = newest(in: name) else {
      return "\(name) has no \(ReportFolder.resultName): \(advice)"
    }
    return "\(name) has no \(ReportFolder.resultName), but folders in it do: "
      + "did you mean \(newest), the newest?"
  }

  /// The folder in a folder whose result was written last.
  private static func newest(in folder: String) -> String? {
    let manager = FileManager.default
    let names = (try? manager.contentsOfDirectory(atPath: folder)) ?? []
    let results = names.compactMap { name -> (date: Date, folder: String)? in
      let inner = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
      let attributes = try? manager.attributesOfItem(atPath: path(in: inner))
      return (attributes?[.modificationDate] as? Date).map { ($0, inner) }
    }
    return results.max { ($0.date, $0.folder) < ($1.date, $1.folder) }?.folder
  }
}

/// Why data is no result, as a sentence: the file, the place in it, and what was expected.
struct ResultMistake: CustomStringConvertible {
  let description: String

  /// Says what is wrong with data that could not be decoded.
  ///
  /// - Parameters:
  ///   - error: What decoding the data threw.
  ///   - bytes: The data.
  ///   - path: The file, as it is to be named.
  init(_ error: any Error, in bytes: [UInt8], of path: String) {
    let node: JSONNode
    do throws(JSONSyntaxError) {
      node = try JSONText.parse(bytes)
    } catch {
      description =
        "\(path):\(error.line): this is no result, it is not even JSON: \(error.message)"
      return
    }
    description =
      node.isScenario
      ? "\(path) is a scenario, not a result: run it first, triwire run \(path)"
      : "\(path) is no result of this version of triwire: \(ResultMistake.reason(error, in: node))"
  }

  private static func reason(_ error: any Error, in node: JSONNode) -> String {
    guard case .object = node.value else {
      return "it is \(node.kind), expected is an object"
    }
    guard let version = node["schemaVersion"] else { return "it has no schemaVersion" }
    guard version.value == .number(Double(Report.currentSchema)) else {
      return "its schemaVersion is \(version.short), this one reads \(Report.currentSchema); "
        + "measure again, or read it with the triwire that wrote it"
    }
    guard let error = error as? DecodingError else { return "it is damaged" }
    switch error {
    case .keyNotFound(let key, let context):
      return "\(place(context.codingPath + [key])) is missing"
    case .typeMismatch(let type, let context):
      return "\(place(context.codingPath)) is \(found(context, in: node)), expected is "
        + words(for: type)
    case .valueNotFound(let type, let context):
      return "\(place(context.codingPath)) is null, expected is \(words(for: type))"
    case .dataCorrupted(let context):
      return corrupted(context, in: node)
    @unknown default: return "it is damaged"
    }
  }

  /// What stands where a value of the right kind is not a possible one.
  private static func corrupted(_ context: DecodingError.Context, in node: JSONNode) -> String {
    let place = place(context.codingPath)
    let text = context.debugDescription
    // The standard library names types of Swift here; what our own types say is made to be read.
    if text.hasPrefix("Cannot initialize"), let found = node.descendant(context.codingPath) {
      return "\(place) is \(found.short), which is no value that it may have"
    }
    // Foundation says so, without a place, of JSON that is right but for its numbers.
    guard !place.isEmpty else {
      return "it has a comment, or a number with decimals, or one that is too large, where a whole "
        + "number is expected"
    }
    return "\(place): \(text)"
  }

  private static func found(_ context: DecodingError.Context, in node: JSONNode) -> String {
    node.descendant(context.codingPath)?.kind ?? "something else"
  }

  /// The keys that lead somewhere: `trials[3].bytes.up`.
  private static func place(_ path: [any CodingKey]) -> String {
    path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
      .joined(separator: ".").replacing(".[", with: "[")
  }

  private static func words(for type: any Any.Type) -> String {
    switch type {
    case is any FixedWidthInteger.Type: "a whole number"
    case is any BinaryFloatingPoint.Type: "a number"
    case is String.Type: "a text"
    case is Bool.Type: "true or false"
    case is [Any].Type: "a list"
    default: "\(type)".hasPrefix("Array") ? "a list" : "an object"
    }
  }
}

extension JSONNode {
  /// The value of a key; `nil` where there is none.
  fileprivate subscript(key: String) -> JSONNode? {
    guard case .object(let members) = value else { return nil }
    return members.first { $0.key == key }?.node
  }

  /// Whether it looks like a scenario file.
  fileprivate var isScenario: Bool {
    self["schemaVersion"] == nil && self["name"] != nil
      && ["traffic", "idle", "clients"].contains { self[$0] != nil }
  }

  /// What some keys lead to; `nil` where they lead nowhere.
  fileprivate func descendant(_ path: [any CodingKey]) -> JSONNode? {
    var node = self
    for key in path {
      var next: JSONNode?
      if case .array(let elements) = node.value, let index = key.intValue {
        next = elements.indices.contains(index) ? elements[index] : nil
      } else {
        next = node[key.stringValue]
      }
      guard let next else { return nil }
      node = next
    }
    return node
  }

  /// The value itself where it is short, its kind otherwise.
  fileprivate var short: String {
    switch value {
    case .number(let number): plain(number)
    case .string(let text) where text.count <= 60: "\"\(text)\""
    case .bool(let truth): "\(truth)"
    default: kind
    }
  }
}
