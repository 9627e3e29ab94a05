import Testing

@Suite("Floor", .serialized)
struct FloorTests {
  @Test("A small benchmark shows a row for all that was measured, each relative to bare TCP")
  func rows() async throws {
    let outcome = try await triwire(["floor", "--rounds", "1"] + small)
    #expect(outcome.status == 0, "\(outcome.complaint)")
    #expect(outcome.complaint == "round 1 of 1\n")
    let rows = outcome.output.split(separator: "\n").filter { $0.hasPrefix("  ") }
    // Three headers, eight carriers that echo with 1 and with 16 in flight, four that broadcast.
    #expect(rows.count == 23)
    for floor in rows.filter({ $0.hasPrefix("  bare TCP ") }) {
      let ratios = floor.split(separator: " ").filter { $0 == "1.00×" }
      #expect(ratios.count == 2)
    }
    for name in ["HTTP GET", "websocket, async", "sse + POST, sync", "long-polling + POST, async"] {
      let named = rows.filter { $0.hasPrefix("  \(name) ") }
      #expect(named.count == 2)
    }
    #expect(outcome.output.contains("Echo, 2 connections, 16 in flight on each\n"))
    #expect(outcome.output.contains("Broadcast, one message to 3 connections\n"))
    #expect(outcome.output.contains("Messages of 1 KB, a closed loop"))
  }

  @Test("Ctrl-C ends it with 130, shows what was measured, and leaves no server behind")
  func interrupt() async throws {
    let running = try RunningCommand(["floor", "--rounds", "100"] + small)
    _ = await running.complaints.first { $0 == "round 2 of 100" }
    let children = try #require(await running.childrenWithServer)
    running.interrupt()
    let output = await running.outputs.reduce(into: "") { $0 += $1 + "\n" }
    #expect(await running.status == 130)
    #expect(output.contains("  bare TCP "))
    for child in children { #expect(!RunningCommand.isRunning(child)) }
  }

  private let small = [
    "--connections", "2", "--subscribers", "3", "--payload", "1 KB", "--window", "10 ms",
  ]
}
