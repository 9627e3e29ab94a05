import TestSupport
import Testing
import TriwireFaults
import TriwireIO

@Suite("Relay: what passes", .takesTurns)
struct PassingTests {
  @Test("Requests and answers pass as they are, however they are cut", arguments: [1, 7, 1000])
  func asTheyAre(piece: Int) async throws {
    try await RelayRig.run { rig in
      let chunked =
        "POST /up HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "5;ext=1\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n"
      let requests = poll + post("one") + chunked + events
      let answers =
        "HTTP/1.1 100 Continue\r\n\r\n" + ok("first") + ok("")
        + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        + eventsHead + "data: 1\n\n"
      let client = try rig.peer()
      try await send(requests, by: piece) { try await client.send($0) }
      let received = Recorder()
      let stream = try await rig.server.accept(received)
      #expect(try await received.text(requests.utf8.count) == requests)
      try await send(answers, by: piece) { try await stream.send($0) }
      #expect(try await client.text(answers.utf8.count) == answers)
      try await stream.finish()
      #expect(try await client.receiveAll().isEmpty)
      let counters = await rig.relay.counters()
      #expect(counters.requests == [.poll: 1, .post: 2, .eventStream: 1])
      #expect(counters.bytesUp == UInt64(requests.utf8.count))
      #expect(counters.bytesDown == UInt64(answers.utf8.count))
      #expect(counters.lostUp + counters.lostDown == 0)
      #expect(counters.faults.isEmpty)
    }
  }

  private func send(
    _ text: String, by piece: Int, _ send: ([UInt8]) async throws -> Void
  ) async throws {
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: piece) {
      try await send(Array(bytes[start..<min(start + piece, bytes.count)]))
    }
  }

  @Test("After a 101 both ways are another protocol's, and so is what came with the handshake")
  func webSocket() async throws {
    try await RelayRig.run { rig in
      let client = try rig.peer()
      try await client.send(upgrade + "early")
      let received = Recorder()
      let stream = try await rig.server.accept(received)
      // Until the answer decides what it is, what follows the request has to wait.
      #expect(try await received.text(upgrade.utf8.count) == upgrade)
      try await stream.send(switching + "\u{1}\u{2}")
      #expect(try await client.text(switching.utf8.count + 2) == switching + "\u{1}\u{2}")
      try await client.send("GET is no request here")
      let all = upgrade + "earlyGET is no request here"
      #expect(try await received.text(all.utf8.count) == all)
      #expect(await rig.relay.counters().requests == [.webSocket: 1])
    }
  }

  @Test("A refused upgrade leaves HTTP on the connection")
  func refusedUpgrade() async throws {
    try await RelayRig.run { rig in
      let (client, stream, received) = try await rig.pair(sending: upgrade)
      try await client.send(poll)
      try await stream.send(ok("no"))
      #expect(try await received.text((upgrade + poll).utf8.count) == upgrade + poll)
      try await stream.send(ok("poll"))
      #expect(try await client.text((ok("no") + ok("poll")).utf8.count) == ok("no") + ok("poll"))
      #expect(await rig.relay.counters().requests == [.webSocket: 1, .poll: 1])
    }
  }

  @Test(
    "What is no HTTP passes unread", arguments: ["\u{16}\u{3}\u{1} hello", "bad request\r\n\r\n"])
  func otherProtocols(_ bytes: String) async throws {
    try await RelayRig.run { rig in
      let (client, stream, _) = try await rig.pair(sending: bytes)
      try await stream.send("HTTP/9 \u{0}")
      #expect(try await client.text(8) == "HTTP/9 \u{0}")
      #expect(await rig.relay.counters().requests == [.other: 1])
    }
  }

  @Test("A half-close passes in either direction, and the other direction goes on")
  func halfClose() async throws {
    try await RelayRig.run { rig in
      let (client, stream, received) = try await rig.pair(sending: poll)
      client.finishSending()
      #expect(try await received.end() == .ended)
      try await stream.send(ok("late"))
      try await stream.finish()
      #expect(try await client.rest() == ok("late"))

      let (other, otherStream, otherReceived) = try await rig.pair(sending: events)
      try await otherStream.send(eventsHead)
      try await otherStream.loop.run { otherStream.endOutput() }
      #expect(try await other.rest() == eventsHead)
      try await other.send(poll)
      #expect(try await otherReceived.text((events + poll).utf8.count) == events + poll)
    }
  }

  @Test("A reset passes in either direction")
  func resets() async throws {
    try await RelayRig.run { rig in
      let (client, _, received) = try await rig.pair(sending: poll)
      client.reset()
      guard case .failed(let error) = try await received.end() else {
        Issue.record("the server's side did not fail")
        return
      }
      #expect(error.isReset)
      let (other, stream, _) = try await rig.pair(sending: poll)
      try await stream.loop.run { stream.abort() }
      try await other.expectReset()
    }
  }

  @Test("An unfinished head passes with the end of its sender")
  func unfinishedHead() async throws {
    try await RelayRig.run { rig in
      let client = try rig.peer()
      try await client.send("GET /half HTTP/1.1\r\nHo")
      client.finishSending()
      let received = Recorder()
      _ = try await rig.server.accept(received)
      #expect(try await received.end() == .ended)
      #expect(received.bytes == Array("GET /half HTTP/1.1\r\nHo".utf8))
    }
  }

  @Test("Clients of a server that is not there are reset, and counted")
  func noServer() async throws {
    try await RelayRig.run { rig in
      await rig.server.listener.stop()
      let client = try rig.peer()
      try await client.send(poll)
      try await client.expectReset()
      #expect(await rig.relay.counters().unreachable == 1)
    }
  }

  @Test("A server that ends instead of answering an upgrade ends it for the client")
  func endInsteadOfAnswer() async throws {
    try await RelayRig.run { rig in
      let (client, stream, received) = try await rig.pair(sending: upgrade)
      try await client.send("early")
      try await stream.loop.run { stream.endOutput() }
      #expect(try await client.receiveAll().isEmpty)
      #expect(try await received.text((upgrade + "early").utf8.count) == upgrade + "early")
      client.close()
      #expect(try await received.end() == .ended)
    }
  }

  @Test("An answer that is no HTTP passes unread, and what the client said since as well")
  func otherAnswer() async throws {
    try await RelayRig.run { rig in
      let (client, stream, received) = try await rig.pair(sending: upgrade)
      try await client.send("early")
      try await stream.send("what is this?\r\n\r\n")
      #expect(try await client.text(17) == "what is this?\r\n\r\n")
      #expect(try await received.text((upgrade + "early").utf8.count) == upgrade + "early")
    }
  }

  @Test("A client may have so many requests on their way, and the rest waits for answers")
  func pipelining() async throws {
    try await RelayRig.run { rig in
      let count = 1000
      let all = String(repeating: poll, count: count)
      let client = try rig.peer()
      try await client.send(all)
      let received = Recorder()
      let stream = try await rig.server.accept(received)
      try await rig.wait("256 are on their way") {
        $0.requests == [.poll: 256] && $0.waiting == (count - 256) * poll.utf8.count
      }
      for number in 1...count {
        // An answer to a request that was not passed on would be none.
        _ = try await received.bytes(number * poll.utf8.count)
        try await stream.send(ok("1"))
      }
      #expect(
        try await client.text(count * ok("1").utf8.count)
          == String(repeating: ok("1"), count: count))
      #expect(received.bytes == Array(all.utf8))
    }
  }

  @Test(
    "A slow reader slows the sender down, and the relay holds little", arguments: [true, false])
  func pressure(isDown: Bool) async throws {
    try await RelayRig.run { rig in
      let total = isDown ? 8 << 20 : 16 << 20
      // One read and the high-water mark, as the documentation says.
      let most = (512 + 64) << 10
      let (client, stream, received) = try await rig.webSocket(receiveBuffer: 16_384)
      let bytes = Array(manyBytes.prefix(total))
      if isDown {
        try await stream.send(bytes)
        var taken: [UInt8] = []
        while taken.count < total {
          taken += try await client.receive(min(1 << 20, total - taken.count))
          #expect(await rig.relay.counters().waiting <= most)
        }
        #expect(taken == bytes)
      } else {
        let before = received.bytes.count
        try await stream.loop.run { stream.pauseReading() }
        async let sent: Void = client.send(bytes)
        for _ in 0..<100 { #expect(await rig.relay.counters().waiting <= most) }
        try await stream.loop.run { stream.resumeReading() }
        let all = try await received.bytes(before + total)
        #expect(Array(all[before...]) == bytes)
        #expect(await rig.relay.counters().waiting <= most)
        try await sent
      }
    }
  }
}
