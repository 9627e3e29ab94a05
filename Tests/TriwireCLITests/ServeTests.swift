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
      let session = try await TriwireClient("\(url)/echo").connect(over: [transport])
      try await session.send("hello over \(transport.rawValue)")
      let answer = try await session.messages.first { _ in true }
      #expect(answer?.text == "hello over \(transport.rawValue)")
      session.close()
    }
    running.signal(signal)
    #expect(await running.status == 0)
  }

  @Test("A port that is taken is an error with a reason and status 1")
  func takenPort() async throws {
    let first = try RunningCommand(["serve", "--listen", "127.0.0.1:0"])
    let line = try #require(await first.outputs.first { _ in true })
    let address = try #require(line.split(separator: "/").last.map(String.init))
    let outcome = try await triwire("serve", "--listen", address)
    first.interrupt()
    #expect(outcome.status == 1)
    #expect(outcome.complaint == "triwire: listen on \(address): Address already in use\n")
    #expect(await first.status == 0)
  }
}
