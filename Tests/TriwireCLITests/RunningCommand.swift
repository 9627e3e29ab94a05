import Foundation
import Testing

/// What the built command printed and how it ended.
struct Outcome {
  let status: Int32
  let output: String
  let complaint: String
}

/// The `triwire` command that stands beside this test bundle.
private var executable: URL {
  let bundle = Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }
  let folder =
    bundle?.deletingLastPathComponent() ?? Bundle.main.executableURL?.deletingLastPathComponent()
  return (folder ?? URL(filePath: ".build/debug")).appending(path: "triwire")
}

/// Runs the command to its end, in a folder, without a terminal.
func triwire(_ words: String..., in folder: URL? = nil) async throws -> Outcome {
  try await triwire(words, in: folder)
}

/// Runs the command to its end, in a folder, without a terminal.
func triwire(_ words: [String], in folder: URL? = nil) async throws -> Outcome {
  let process = Process()
  process.executableURL = executable
  process.arguments = words
  process.currentDirectoryURL = folder
  process.standardInput = FileHandle.nullDevice
  let (output, complaint) = (Pipe(), Pipe())
  process.standardOutput = output
  process.standardError = complaint
  let ended = AsyncStream<Void> { continuation in
    process.terminationHandler = { _ in continuation.finish() }
  }
  try process.run()
  async let printed = text(of: output)
  async let complained = text(of: complaint)
  let texts = await (printed, complained)
  for await _ in ended {}
  return Outcome(status: process.terminationStatus, output: texts.0, complaint: texts.1)
}

/// A folder that is there while `body` runs.
func withTemporaryFolder<R>(_ body: (URL) async throws -> R) async throws -> R {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "triwire-\(UUID().uuidString)", directoryHint: .isDirectory)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder)
}

@concurrent
private func text(of pipe: Pipe) async -> String {
  let data = (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
  return String(decoding: data, as: UTF8.self)
}
