import Foundation
import Testing
import Triwire

@Suite("Serve", .serialized)
struct ServeTests {
  @Test(
    "It prints where it listens, echoes over each transport, and drains on a signal",
    arguments: [SIGTERM, SIGINT])
  func echo(_ signal: Int32) async throws {
    let running = try RunningCommand(["serve", "--listen", "127.0.0.1:0"])
    let line = try #require(await running.outputs.first { _ in true })
    let url = try #require(line.wholeMatch(of: /listening on (http:\/\/127\.0\.0\.1:\d+)/)?.1)
    for transport in TransportKind.allCases {
      var configuration = TriwireClient.Configuration()
      configuration.proxy = .none
      let session = try await TriwireClient("\(url)/echo", configuration: configuration)
        .connect(over: [transport])
      try await session.send("hello over \(transport.rawValue)")
      let answer = try await session.messages.first { _ in true }
      #expect(answer?.text == "hello over \(transport.rawValue)")
      session.close()
    }
    running.signal(signal)
    #expect(await running.status == 0)
  }

  @Test("With a certificate of its own it serves https, and says by what to know it")
  func selfSigned() async throws {
    let file = "\(NSTemporaryDirectory())/triwire-\(UUID().uuidString).pem"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let running = try RunningCommand([
      "serve", "--listen", "127.0.0.1:0", "--tls-self-signed", "--tls-write", file,
    ])
    var lines = running.outputs.makeAsyncIterator()
    let fingerprint = try #require(await lines.next())
    #expect(fingerprint.wholeMatch(of: /certificate SHA-256 [0-9A-F]{2}(:[0-9A-F]{2}){31}/) != nil)
    let line = try #require(await lines.next())
    let url = try #require(line.wholeMatch(of: /listening on (https:\/\/127\.0\.0\.1:\d+)/)?.1)
    var configuration = TriwireClient.Configuration()
    configuration.proxy = .none
    configuration.tls.caFile = .file(file)
    for transport in TransportKind.allCases {
      let session = try await TriwireClient("\(url)/echo", configuration: configuration)
        .connect(over: [transport])
      try await session.send("hello")
      #expect(try await session.messages.first { _ in true }?.text == "hello")
      session.close()
    }
    running.interrupt()
    #expect(await running.status == 0)
  }

  @Test(
    "Options of TLS that do not go together are refused with what to write",
    arguments: [
      (["--tls-cert", "a.pem"], "--tls-cert needs its key, write --tls-key FILE"),
      (["--tls-key", "a.pem"], "--tls-key needs a certificate, write --tls-cert FILE"),
      (
        ["--tls-write", "a.pem"],
        "--tls-write needs TLS, write --tls-self-signed or --tls-cert and --tls-key"
      ),
      (
        ["--tls-self-signed", "--tls-key", "a.pem"],
        "write --tls-self-signed or --tls-cert and --tls-key, not both"
      ),
    ])
  func mistakes(_ words: [String], _ complaint: String) async throws {
    let outcome = try await triwire(["serve", "--listen", "127.0.0.1:0"] + words)
    #expect(outcome.status == 64)
    #expect(outcome.complaint == "triwire: \(complaint)\ntry: triwire serve --help\n")
  }

  @Test("A certificate that cannot be read is an error that names the file")
  func unreadable() async throws {
    let outcome = try await triwire(
      "serve", "--listen", "127.0.0.1:0", "--tls-cert", "/nowhere/a.pem", "--tls-key",
      "/nowhere/b.pem"
    )
    #expect(outcome.status == 1)
    #expect(
      outcome.complaint
        == "triwire: read the certificate in /nowhere/a.pem: No such file or directory\n")
  }

  @Test("A port that is taken is an error with a reason, what to write, and status 1")
  func takenPort() async throws {
    let first = try RunningCommand(["serve", "--listen", "127.0.0.1:0"])
    let line = try #require(await first.outputs.first { _ in true })
    let address = try #require(line.split(separator: "/").last.map(String.init))
    let outcome = try await triwire("serve", "--listen", address)
    first.interrupt()
    #expect(outcome.status == 1)
    #expect(
      outcome.complaint
        == "triwire: listen on \(address): Address already in use; write another port, or port 0 "
        + "for any free one\n")
    #expect(await first.status == 0)
  }
}
