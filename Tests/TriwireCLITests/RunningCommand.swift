import Foundation
import Testing
import Triwire

/// What the built command printed and how it ended.
struct Outcome {
  let status: Int32
  let output: String
  let complaint: String
}

/// The built `triwire` command while it runs, without a terminal.
final class RunningCommand: Sendable {
  /// The lines it prints, as they come.
  let outputs: AsyncStream<String>
  /// The lines it complains with, as they come.
  let complaints: AsyncStream<String>
  private let identifier: Int32
  private let ended: AsyncStream<Int32>

  init(_ words: [String], in folder: URL? = nil) throws {
    let process = try ChildProcess(
      Self.executable.path, words, in: folder?.path, output: .pipe, complaints: .pipe)
    ended = AsyncStream { continuation in
      Thread.detachNewThread {
        continuation.yield(process.waitUntilGone())
        continuation.finish()
      }
    }
    identifier = process.identifier
    outputs = Self.lines(of: process.output)
    complaints = Self.lines(of: process.complaints)
  }

  /// How it ended, once it has.
  var status: Int32? { get async { await ended.first { _ in true } } }

  /// Sends it what Ctrl-C sends.
  func interrupt() { signal(SIGINT) }

  /// Sends it a signal.
  func signal(_ number: Int32) { kill(identifier, number) }

  /// How many descriptors it has open.
  var descriptors: Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/fd"))?.count ?? 0
  }

  /// Processes it has started that run; the kernel lists them with the thread that started them.
  var children: [Int32] {
    let tasks = "/proc/\(identifier)/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
    return threads.flatMap { thread in
      let text = try? String(contentsOfFile: "\(tasks)/\(thread)/children", encoding: .utf8)
      return (text ?? "").split(separator: " ").compactMap { Int32($0) }
    }
  }

  /// All processes it has started, once a server is among them; `nil` when it ends without one.
  var childrenWithServer: [Int32]? {
    get async {
      while kill(identifier, 0) == 0 {
        let children = children
        if children.contains(where: { Self.words(of: $0).contains { $0.hasSuffix("-server") } }) {
          return children
        }
        await Task.yield()
      }
      return nil
    }
  }

  /// The command line of a process.
  static func words(of process: Int32) -> [String] {
    let data = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
    return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Whether a process runs.
  static func isRunning(_ process: Int32) -> Bool { kill(process, 0) == 0 }

  /// The command that stands beside this test bundle.
  private static var executable: URL {
    let bundle = Bundle.allBundles.map(\.bundleURL).first { $0.pathExtension == "xctest" }
    let folder = bundle ?? Bundle.main.executableURL ?? URL(filePath: ".build/debug/x")
    return folder.deletingLastPathComponent().appending(path: "triwire")
  }

  private static func lines(of descriptor: Int32?) -> AsyncStream<String> {
    AsyncStream { continuation in
      Thread.detachNewThread {
        let pipe = FileHandle(fileDescriptor: descriptor ?? -1, closeOnDealloc: true)
        var rest = Data()
        while case let data = pipe.availableData, !data.isEmpty {
          rest.append(data)
          while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
            rest = Data(rest[rest.index(after: end)...])
          }
        }
        if !rest.isEmpty { continuation.yield(String(decoding: rest, as: UTF8.self)) }
        continuation.finish()
      }
    }
  }
}

/// Runs the command to its end.
func triwire(_ words: String..., in folder: URL? = nil) async throws -> Outcome {
  try await triwire(words, in: folder)
}

/// Runs the command to its end.
func triwire(_ words: [String], in folder: URL? = nil) async throws -> Outcome {
  let running = try RunningCommand(words, in: folder)
  async let output = text(of: running.outputs)
  async let complaint = text(of: running.complaints)
  let texts = await (output, complaint)
  return Outcome(status: await running.status ?? -1, output: texts.0, complaint: texts.1)
}

private func text(of lines: AsyncStream<String>) async -> String {
  await lines.reduce(into: "") { $0 += $1 + "\n" }
}

/// A folder that is there while `body` runs.
func withTemporaryFolder<R>(_ body: (URL) async throws -> R) async throws -> R {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "triwire-\(UUID().uuidString)", directoryHint: .isDirectory)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder)
}
