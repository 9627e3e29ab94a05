import Foundation
import Triwire

/// Why a trial could not be measured, as a sentence.
struct TrialFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A server that is measured, in a process of its own.
final class ServerProcess {
  private let process: ChildProcess
  private let input: FileHandle
  private var lines: AsyncStream<String>.Iterator

  /// Starts the executable again, with words that make it a server.
  ///
  /// - Throws: ``TrialFailure`` when it cannot be started.
  init(executable: String, words: [String]) throws {
    do {
      process = try ChildProcess(executable, words, input: .pipe, output: .pipe)
    } catch {
      throw TrialFailure("\(executable) could not be started as a server: \(error)")
    }
    input = FileHandle(fileDescriptor: process.input ?? -1, closeOnDealloc: true)
    let replies = FileHandle(fileDescriptor: process.output ?? -1, closeOnDealloc: true)
    lines = ServerProcess.lines(of: replies).makeAsyncIterator()
  }

  /// The number of the process.
  var identifier: Int32 { process.identifier }

  /// Asks one thing and waits for the answer.
  ///
  /// - Throws: ``TrialFailure`` when the server has ended or could not do it; `CancellationError`.
  func ask(_ request: ControlRequest) async throws -> ControlReply {
    try input.write(contentsOf: encodeLine(request))
    let reply: ControlReply = try await hear()
    if case .failed(let reason) = reply { throw TrialFailure("the server says: \(reason)") }
    return reply
  }

  /// Waits for the next thing the server says.
  ///
  /// - Throws: ``TrialFailure`` when the server has ended; `CancellationError`.
  func hear<Reply: Decodable>() async throws -> Reply {
    guard let line = await lines.next(isolation: #isolation) else {
      try Task.checkCancellation()
      throw TrialFailure("the server's process ended before its trial did")
    }
    return try decodeLine(line)
  }

  /// Ends the process at once, even a stopped one, and waits until it is gone.
  func stop() {
    try? input.close()
    kill(identifier, SIGKILL)
    process.waitUntilGone()
  }

  /// The lines that come out of a pipe, read by a thread of its own until the pipe is closed.
  private static func lines(of handle: FileHandle) -> AsyncStream<String> {
    AsyncStream { continuation in
      Thread.detachNewThread {
        var rest = Data()
        while case let data = handle.availableData, !data.isEmpty {
          rest.append(data)
          while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
            rest = Data(rest[rest.index(after: end)...])
          }
        }
        continuation.finish()
      }
    }
  }
}

/// The file of this program, to start it again.
package var ownExecutable: String {
  let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  return link ?? CommandLine.arguments[0]
}

/// Writes to standard output, at once.
func writeOutput(_ bytes: [UInt8]) throws {
  try FileHandle.standardOutput.write(contentsOf: Data(bytes))
}

extension TrialServer {
  /// The word that starts the executable as the server of a trial.
  public static let word = "trial-server"
}
