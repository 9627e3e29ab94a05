import Glibc
import TestSupport
import Testing
import TriwireFaults
import TriwireIO

@Suite("Relay: faults of connections", .takesTurns)
struct ConnectionFaultTests {
  @Test("A refused connection is reset, and the next ones are as the rule says")
  func refuse() async throws {
    try await RelayRig.run("refuse nth 2") { rig in
      let first = try rig.peer()
      try await first.send(poll)
      _ = try await rig.server.streams.next("the first connection")
      try await rig.peer().expectReset()
      #expect(try await rig.records.next("a fault").connection == 2)
      _ = try await rig.pair(sending: poll)
    }
  }

  @Test("A closed port refuses, and is there again when the rule is gone")
  func closePort() async throws {
    try await RelayRig.run { rig in
      let closing = FaultRule(.closePort)
      let (client, stream, _) = try await rig.pair(sending: poll)
      for _ in 0..<3 {
        rig.relay.add(closing)
        #expect(try await rig.nextFault() == "close-port")
        #expect(throws: RawPeer.Failure.self) { _ = try rig.peer() }
        rig.relay.remove(closing)
        _ = await rig.relay.counters()
        _ = try await rig.pair(sending: poll)
      }
      // Who was there stays.
      try await stream.send(ok(""))
      #expect(try await client.text(ok("").utf8.count) == ok(""))
    }
  }

  @Test("A connection that is accepted late passes all, and not before its time")
  func delayAccept() async throws {
    try await RelayRig.run("delay-accept 60 ms") { rig in
      let began = EventLoop.clock()
      let (client, stream, _) = try await rig.pair(sending: poll)
      #expect(EventLoop.clock() - began >= 60_000_000)
      try await stream.send(ok("late"))
      #expect(try await client.text(ok("late").utf8.count) == ok("late"))
    }
  }

  @Test("A cut after so many bytes lets just these pass, in either direction")
  func cutAfterBytes() async throws {
    try await RelayRig.run("cut after 100 B up", "cut after 10 B down") { rig in
      let (client, stream, received) = try await rig.pair(sending: poll)
      try await client.send(poll + poll + poll)
      #expect(try await received.end() == .ended)
      #expect(received.bytes.count == 100)
      #expect(try await client.receiveAll().isEmpty)
      try await stream.finish()
      let (other, otherStream, _) = try await rig.pair(sending: poll)
      try await otherStream.send(ok("long enough"))
      #expect(try await other.rest() == "HTTP/1.1 2")
    }
  }

  @Test("Of two faults at one place the second strikes nothing when the first ended the connection")
  func twoAtOnce() async throws {
    try await RelayRig.run("reset after 10 B down", "stall down 20 ms after 10 B down") { rig in
      let (client, stream, _) = try await rig.pair(sending: poll)
      try await stream.send(ok("long enough"))
      await #expect(throws: RawPeer.Failure.self) { _ = try await client.receiveAll() }
      #expect(try await rig.nextFault() == "reset")
      // One that lasts as long, and so ends after the other would have.
      rig.relay.set([])
      let (other, otherStream, _) = try await rig.pair(sending: poll)
      rig.relay.strike(try FaultRule(parsing: "stall 20 ms"))
      try await otherStream.send(ok("x"))
      #expect(try await other.text(ok("x").utf8.count) == ok("x"))
      #expect(try await rig.nextFault() == "stall")
    }
  }

  @Test("A reset after so many bytes resets both sides")
  func resetAfterBytes() async throws {
    try await RelayRig.run("reset after 10 B down") { rig in
      let (client, stream, received) = try await rig.pair(sending: poll)
      try await stream.send(ok("long enough"))
      let failure = await #expect(throws: RawPeer.Failure.self) {
        _ = try await client.receiveAll()
      }
      #expect(failure?.isReset == true)
      guard case .failed(let error) = try await received.end() else {
        Issue.record("the server's side did not fail")
        return
      }
      #expect(error.isReset)
    }
  }

  @Test("An idle connection is cut, and not before its time; a busy one is not")
  func idle() async throws {
    try await RelayRig.run { rig in
      let (client, stream, _) = try await rig.webSocket()
      let began = EventLoop.clock()
      var last = began
      rig.relay.add(try FaultRule(parsing: "cut after idle 200 ms"))
      // On a slow machine the connection may be idle for so long between two bytes.
      while EventLoop.clock() - began < 600_000_000 {
        let now = EventLoop.clock()
        try? await stream.send("x")
        guard (try? await client.text(1)) != nil else { break }
        last = now
      }
      #expect(try await client.receiveAll().isEmpty)
      #expect(EventLoop.clock() - last >= 200_000_000)
      #expect(await rig.relay.counters().faults == ["cut": 1])
    }
  }

  @Test("A connection ends some time after it came, or now")
  func cutNow() async throws {
    try await RelayRig.run("cut on sse after 50 ms") { rig in
      let began = EventLoop.clock()
      let (streaming, _, _) = try await rig.pair(sending: events)
      let (polling, _, _) = try await rig.pair(sending: poll)
      #expect(try await streaming.receiveAll().isEmpty)
      #expect(EventLoop.clock() - began >= 50_000_000)
      rig.relay.cutAll(.finish, on: [.poll])
      #expect(try await polling.receiveAll().isEmpty)
      let (client, _, _) = try await rig.webSocket()
      rig.relay.cutAll(on: [.poll, .eventStream])
      rig.relay.cutAll(.reset, on: [.webSocket])
      try await client.expectReset()
      #expect(await rig.relay.counters().faults == ["cut": 2, "reset": 1])
    }
  }

  @Test("A mute of one direction loses its bytes and passes the other's; lifting it is a reset")
  func mute() async throws {
    try await RelayRig.run("mute down on websocket after answer") { rig in
      let (client, stream, received) = try await rig.webSocket()
      let before = received.bytes.count
      try await stream.send("lost")
      try await rig.wait("the bytes are lost") { $0.lostDown == 4 }
      try await client.send("passed")
      #expect(try await received.text(before + 6) == upgrade + "passed")
      rig.relay.set([])
      try await client.expectReset()
    }
  }

  @Test("A mute that lost nothing is lifted without a trace")
  func harmlessMute() async throws {
    try await RelayRig.run { rig in
      let (client, stream, _) = try await rig.webSocket()
      rig.relay.muteAll(on: [.webSocket])
      #expect(try await rig.nextFault() == "mute")
      rig.relay.restore()
      try await stream.send("heard")
      #expect(try await client.text(5) == "heard")
      rig.relay.muteAll()
      try await stream.send("lost")
      try await client.send("lost too")
      try await rig.wait("both are lost") { $0.lostDown == 4 && $0.lostUp == 8 }
      rig.relay.restore()
      try await client.expectReset()
    }
  }

  @Test("A mute hides the end of a connection from the other side")
  func mutedEnd() async throws {
    try await RelayRig.run { rig in
      let (client, stream, received) = try await rig.webSocket()
      rig.relay.muteAll(.up)
      #expect(try await rig.nextFault() == "mute")
      client.reset()
      // The server talks to nobody, and hears nothing of it, until it ends by itself.
      try await stream.send("is anybody there?")
      try await rig.wait("its words are lost") { $0.lostDown == 17 }
      #expect(await rig.relay.counters().open == 1)
      #expect(!received.happenings.waiting.contains(.ended))
      try await stream.finish()
      try await rig.wait("the link is gone") { $0.open == 0 }
    }
  }

  @Test("What stalls is not lost: it goes on when the time is over or the rule is gone")
  func stall() async throws {
    try await RelayRig.run("stall down") { rig in
      let (client, stream, received) = try await rig.pair(sending: upgrade)
      try await stream.send(switching + "later")
      try await client.send("x")
      rig.relay.set([])
      #expect(try await client.text(switching.utf8.count + 5) == switching + "later")
      #expect(try await received.text(upgrade.utf8.count + 1) == upgrade + "x")
      let began = EventLoop.clock()
      rig.relay.strike(try FaultRule(parsing: "stall 60 ms"))
      #expect(try await rig.nextFault() == "stall")
      #expect(try await rig.nextFault() == "stall")
      try await stream.send("once more")
      #expect(try await client.text(9) == "once more")
      #expect(EventLoop.clock() - began >= 60_000_000)
    }
  }

  @Test("A stalled sender has to wait, and the relay holds little meanwhile")
  func stalledPressure() async throws {
    try await RelayRig.run { rig in
      let (client, stream, _) = try await rig.webSocket()
      rig.relay.strike(try FaultRule(parsing: "stall down"))
      #expect(try await rig.nextFault() == "stall")
      let bytes = Array(manyBytes.prefix(8 << 20))
      try await stream.send(bytes)
      for _ in 0..<100 { #expect(await rig.relay.counters().waiting <= 1 << 20) }
      rig.relay.restore()
      #expect(try await client.receive(bytes.count) == bytes)
    }
  }

  @Test("What trickles comes byte by byte, and whole")
  func trickle() async throws {
    try await RelayRig.run("trickle down after answer") { rig in
      let (client, stream, _) = try await rig.webSocket()
      let before = await rig.relay.counters().bytesDown
      let bytes = pattern(10_000)
      try await stream.send(bytes)
      #expect(try await client.receive(bytes.count) == bytes)
      #expect(await rig.relay.counters().bytesDown == before + 10_000)
    }
    // Upwards, where the receiver can be asked how many segments came.
    try await RelayRig.run("trickle up") { rig in
      let (_, stream, _) = try await rig.pair(sending: poll)
      let segments = try await stream.loop.run { stream.kernelCounters()?.dataSegmentsReceived }
      #expect(try #require(segments) > UInt32(poll.utf8.count / 2))
    }
  }

  @Test("A half-closed direction ends, and the other goes on", arguments: ["up", "down"])
  func halfClose(way: String) async throws {
    try await RelayRig.run("half-close \(way) after 30 B \(way)") { rig in
      // The poll is longer than that, and so is the answer.
      let client = try rig.peer()
      let received = Recorder()
      if way == "up" {
        try await client.send(poll)
        let stream = try await rig.server.accept(received)
        #expect(try await received.end() == .ended)
        #expect(received.bytes == Array(poll.utf8.prefix(30)))
        try await stream.send(ok("yes, I hear you"))
        #expect(
          try await client.text(ok("yes, I hear you").utf8.count) == ok("yes, I hear you"))
        try await client.send("lost")
        try await rig.wait("it is lost") { $0.lostUp > 4 }
        try await stream.finish()
        #expect(try await client.receiveAll().isEmpty)
      } else {
        try await client.send(poll)
        let stream = try await rig.server.accept(received)
        try await stream.send(ok("yes, I hear you"))
        #expect(try await client.receiveAll() == Array(ok("yes, I hear you").utf8.prefix(30)))
        try await client.send(poll)
        #expect(try await received.text(2 * poll.utf8.count) == poll + poll)
      }
    }
  }
}
