import TestSupport
import Testing
import TriwireFaults
import TriwireIO

@Suite("Relay: a network", .takesTurns)
struct NetworkTests {
  @Test("An answer comes no earlier than connecting, request and answer take, and the next so too")
  func roundTrips() async throws {
    let network = NetworkConditions(roundTrip: .milliseconds(40))
    try await RelayRig.run(network: network) { rig in
      let began = EventLoop.clock()
      let client = try rig.peer()
      try await client.send(poll)
      let received = Recorder()
      let stream = try await rig.server.accept(received)
      #expect(try await received.text(poll.utf8.count) == poll)
      #expect(EventLoop.clock() - began >= 60_000_000)
      try await stream.send(ok("one"))
      #expect(try await client.text(ok("one").utf8.count) == ok("one"))
      #expect(EventLoop.clock() - began >= 80_000_000)
      let again = EventLoop.clock()
      try await client.send(poll)
      #expect(try await received.text(2 * poll.utf8.count) == poll + poll)
      try await stream.send(ok("two"))
      #expect(try await client.text(ok("two").utf8.count) == ok("two"))
      #expect(EventLoop.clock() - again >= 40_000_000)
    }
  }

  @Test("Every byte passes both ways, late, slowly, jittered and lost as it may be")
  func allBytes() async throws {
    let network = NetworkConditions(
      roundTrip: .milliseconds(10), jitter: .milliseconds(4), downRate: 20_000_000,
      upRate: 10_000_000, loss: 0.01)
    try await RelayRig.run(network: network) { rig in
      let (client, stream, received) = try await rig.webSocket()
      let bytes = pattern(200_000)
      async let sent: Void = client.send(bytes)
      async let answered: Void = stream.send(bytes)
      let arrived = try await received.bytes(upgrade.utf8.count + bytes.count)
      #expect(Array(arrived.dropFirst(upgrade.utf8.count)) == bytes)
      #expect(try await client.receive(bytes.count) == bytes)
      try await sent
      try await answered
      let counters = await rig.relay.counters()
      #expect(counters.bytesUp == UInt64(upgrade.utf8.count + bytes.count))
      #expect(counters.bytesDown == UInt64(switching.utf8.count + bytes.count))
      // 276 segments of each direction are full.
      #expect(counters.segments >= 278)
      #expect(counters.lostSegments <= counters.segments)
    }
  }

  @Test("No more passes in a time than the rate allows")
  func rate() async throws {
    let network = NetworkConditions(downRate: 8_000_000)
    try await RelayRig.run(network: network) { rig in
      let (client, stream, _) = try await rig.webSocket()
      let bytes = pattern(100_000)
      let began = EventLoop.clock()
      try await stream.send(bytes)
      #expect(try await client.receive(bytes.count) == bytes)
      // 100,000 bytes and the headers of 70 segments, a microsecond each.
      #expect(EventLoop.clock() - began >= 103_640_000)
    }
  }

  @Test("The end of a direction arrives behind its bytes, and a reset behind them as well")
  func ends() async throws {
    try await RelayRig.run(network: NetworkConditions(roundTrip: .milliseconds(20))) { rig in
      let (client, stream, _) = try await rig.webSocket()
      let bytes = pattern(50_000)
      try await stream.send(bytes)
      try await stream.finish()
      #expect(try await client.receiveAll() == bytes)
      let (other, second, _) = try await rig.webSocket()
      let before = await rig.relay.counters().segments
      try await second.send("last words")
      // A reset overtakes what the relay has not read, as in any network.
      try await rig.wait("the relay has it") { $0.segments > before }
      try await second.loop.run { second.abort() }
      #expect(try await other.text(10) == "last words")
      await #expect(throws: RawPeer.Failure.self) { _ = try await other.receiveAll() }
    }
  }

  @Test("A line that is full lets the sender wait")
  func backPressure() async throws {
    let network = NetworkConditions(
      roundTrip: .milliseconds(10), downRate: 1_000_000, queueBytes: 65_536)
    try await RelayRig.run(network: network) { rig in
      let (client, stream, _) = try await rig.webSocket()
      let sending = Task { try? await stream.send(manyBytes) }
      try await rig.wait("the line is full") { $0.waiting > 65_536 }
      for _ in 0..<100 {
        // One read may come on top of what the line holds.
        #expect(await rig.relay.counters().waiting <= 65_536 + 1250 + (512 << 10) + (64 << 10))
      }
      client.close()
      sending.cancel()
    }
  }

  @Test("Faults strike at the far end of the line, where they always did")
  func faults() async throws {
    let network = NetworkConditions(roundTrip: .milliseconds(10))
    try await RelayRig.run("reset on websocket after 10 B down", network: network) { rig in
      let (client, stream, _) = try await rig.pair(sending: upgrade)
      try await stream.send(switching)
      #expect(try await rig.nextFault() == "reset")
      await #expect(throws: RawPeer.Failure.self) { _ = try await client.receiveAll() }
    }
  }
}
