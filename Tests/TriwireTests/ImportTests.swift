import Glibc
import Testing

@Suite("The direction of the modules")
struct ImportTests {
  /// What each module may import beside Glibc, the standard library and what is its own.
  static let allowed: [String: Set<String>] = [
    "TriwireCodec": ["CZlib"],
    "TriwireIO": ["CLinux", "COpenSSL"],
    "Triwire": ["TriwireCodec", "TriwireIO"],
    "TriwireFaults": ["TriwireCodec", "TriwireIO"],
    "TriwireBench": [
      "Triwire", "TriwireFaults", "CZlib", "Foundation", "FoundationEssentials",
    ],
    "TriwireCLI": [
      "Triwire", "TriwireBench", "TriwireFaults", "Foundation", "FoundationEssentials", "Dispatch",
    ],
    "CLinux": [], "COpenSSL": [], "CZlib": [],
  ]
  static let everywhere: Set<String> = ["Glibc", "Synchronization"]
  /// Bytes to events has no system below it at all.
  static let pure: Set<String> = ["TriwireCodec"]

  @Test("Every import of the sources goes the way the table allows")
  func imports() throws {
    let sources = Self.sources
    let modules = try Self.entries(of: sources)
    #expect(modules.contains("Triwire"), "no sources at \(sources)")
    for module in modules {
      let allowed = try #require(Self.allowed[module], "\(module) is not in the table")
      for file in try Self.files(below: "\(sources)/\(module)") where file.hasSuffix(".swift") {
        for imported in try Self.imports(of: file) {
          let isFree = Self.everywhere.contains(imported) && !Self.pure.contains(module)
          #expect(isFree || allowed.contains(imported), "\(file) imports \(imported)")
        }
      }
    }
  }

  @Test("Lines that import are read, however they are written")
  func reading() {
    #expect(Self.module(of: "import Glibc") == "Glibc")
    #expect(Self.module(of: "public import TriwireIO") == "TriwireIO")
    #expect(Self.module(of: "@_exported public import struct TriwireIO.IOError") == "TriwireIO")
    #expect(Self.module(of: "  @preconcurrency import Foundation // why") == "Foundation")
    #expect(Self.module(of: "// import Foundation") == nil)
    #expect(Self.module(of: "let important = 1") == nil)
  }

  /// The module that a line imports, if it imports one.
  static func module(of line: String) -> String? {
    var words = line.split(separator: " ").map(String.init)
    while let first = words.first, first != "import" {
      let isModifier =
        first.hasPrefix("@")
        || ["public", "package", "internal", "fileprivate", "private"].contains(first)
      guard isModifier else { return nil }
      words.removeFirst()
    }
    words = Array(words.dropFirst())
    if let kind = words.first,
      ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"].contains(kind)
    {
      words.removeFirst()
    }
    return words.first?.split(separator: ".").first.map(String.init)
  }

  static func imports(of file: String) throws -> [String] {
    try text(of: file).split(separator: "\n").compactMap { module(of: String($0)) }
  }

  /// The folder of the sources, beside that of this file.
  static var sources: String {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/") + "/Sources"
  }

  struct Unreadable: Error {
    let path: String
  }

  static func entries(of folder: String) throws -> [String] {
    guard let stream = opendir(folder) else { throw Unreadable(path: folder) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }

  static func files(below folder: String) throws -> [String] {
    try entries(of: folder).flatMap { name -> [String] in
      let path = "\(folder)/\(name)"
      guard let folder = opendir(path) else { return [path] }
      closedir(folder)
      return try files(below: path)
    }
  }

  static func text(of path: String) throws -> String {
    guard let file = fopen(path, "r") else { throw Unreadable(path: path) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
