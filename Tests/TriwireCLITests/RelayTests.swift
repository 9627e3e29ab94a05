import Foundation
import Testing
import Triwire

@Suite("Relay", .serialized)
struct RelayTests {
  /// A server and a relay before it, as two commands.
  private func start(_ faults: String...) async throws -> (
    server: RunningCommand, relay: RunningCommand, url: String
  ) {
    let server = try RunningCommand(["serve", "--listen", "127.0.0.1:0"])
    let line = try #require(await server.outputs.first { _ in true })
    let address = try #require(line.split(separator: "/").last.map(String.init))
    let relay = try RunningCommand(
      ["relay", "--listen", "127.0.0.1:0", "--to", address]
        + faults.flatMap { ["--fault", $0] })
    let said = try #require(await relay.outputs.first { _ in true })
    let near = try #require(said.wholeMatch(of: /relaying (127\.0\.0\.1:\d+) to (.*)/))
    #expect(near.2 == address)
    return (server, relay, "http://\(near.1)/echo")
  }

  @Test(
    "It says where it is, logs each fault, and ends with 0 on a signal",
    arguments: [SIGINT, SIGTERM])
  func faults(_ signal: Int32) async throws {
    let (server, relay, url) = try await start("refuse-upgrade first 1", "cut on sse after answer")
    let session = try await TriwireClient(url).connect(over: [.webSocket, .longPolling])
    #expect(session.transport == .longPolling)
    try await session.send("hello")
    #expect(try await session.messages.first { _ in true }?.text == "hello")
    let line = try #require(await relay.complaints.first { _ in true })
    let pattern = /\d+\.\d{3} s  connection 1 \(websocket\): refuse-upgrade 403 first 1/
    #expect(line.wholeMatch(of: pattern) != nil, "\(line)")
    session.abort()
    relay.signal(signal)
    #expect(await relay.status == 0)
    let summary = try #require(await relay.outputs.first { _ in true })
    #expect(
      summary.wholeMatch(
        of: /\d+ connections, up \d+ B, down \d+ B, lost 0 B, faults: refuse-upgrade 1/) != nil,
      "\(summary)")
    server.interrupt()
    #expect(await server.status == 0)
  }

  @Test("200 sessions that were cut leave no descriptors open")
  func descriptors() async throws {
    let (server, relay, url) = try await start("reset on websocket after 1 B down")
    let before = relay.descriptors
    #expect(before > 0)
    await withTaskGroup(of: Void.self) { tasks in
      for _ in 0..<200 {
        tasks.addTask {
          let session = try? await TriwireClient(url).connect(over: [.webSocket])
          session?.abort()
        }
      }
    }
    var lines = relay.complaints.makeAsyncIterator()
    for _ in 0..<200 { #expect(await lines.next() != nil) }
    // Watching for signals may take some that it did not have when it said its first line.
    while relay.descriptors > before + 8 { await Task.yield() }
    relay.interrupt()
    server.interrupt()
    #expect(await relay.status == 0)
    #expect(await server.status == 0)
  }
}
