import Testing
import TestSupport
import TriwireIO

@Suite("Streams: bytes")
struct StreamTests {
  @Test(
    "Bytes come back from an echo as they were sent, and both ends and the kernel agree on them")
  func echo() async throws {
    try await withLobby { lobby, group in
      let far = Recorder { input, stream in
        stream.write(input.span)
        return input.count
      }
      let near = Recorder()
      let (stream, echo) = try await lobby.pair(on: group.loops[0], near, far)
      let sent = pattern(200_000)
      try await stream.send(sent)
      #expect(try await near.bytes(sent.count) == sent)
      let (mine, kernel, theirs) = try await stream.loop.run {
        (stream.counters, stream.kernelCounters(), echo.counters)
      }
      #expect(mine.bytesSent == UInt64(sent.count) && mine.bytesReceived == UInt64(sent.count))
      #expect(theirs.bytesSent == mine.bytesReceived && theirs.bytesReceived == mine.bytesSent)
      // The kernel counts what it sent twice twice.
      let sentOnce = kernel.map { $0.bytesSent - $0.bytesRetransmitted }
      #expect(sentOnce == mine.bytesSent && kernel?.bytesReceived == mine.bytesReceived)
      try await stream.finish()
      #expect(try await far.end() == .ended)
    }
  }

  @Test("All ways to write keep their order, within a turn's handler and outside")
  func order() async throws {
    try await withLobby { lobby, group in
      let writeAll: @Sendable (ByteStream) -> Void = { stream in
        for round in 0..<40 {
          let piece = [UInt8](repeating: UInt8(round), count: 1 + round * 700)
          switch round % 3 {
          case 0: stream.write(piece.span)
          case 1: stream.writeThrough(piece.span)
          default:
            stream.write(capacity: piece.count + 9) { room in piece.forEach { room.append($0) } }
          }
          if round % 7 == 6 { stream.flush() }
        }
      }
      let expected = (0..<40).flatMap { [UInt8](repeating: UInt8($0), count: 1 + $0 * 700) }
      let far = Recorder { input, stream in
        writeAll(stream)
        return input.count
      }
      let near = Recorder()
      let (stream, _) = try await lobby.pair(on: group.loops[0], near, far)
      try await stream.send([1])
      #expect(try await near.bytes(expected.count) == expected)
      try await stream.loop.run { writeAll(stream) }
      #expect(try await far.bytes(expected.count + 1).dropFirst().elementsEqual(expected))
    }
  }

  @Test("32 MiB written at once arrive whole, and the end of the wait is told")
  func bigWrite() async throws {
    try await withLobby { lobby, group in
      let far = Recorder()
      let near = Recorder()
      let (stream, _) = try await lobby.pair(on: group.loops[0], near, far)
      let sent = pattern(32 << 20)
      try await stream.send(sent)
      #expect(try await far.bytes(sent.count) == sent)
      #expect(try await near.happenings.next("the queue is empty") == .drained)
      #expect(try await stream.loop.run { stream.queuedBytes } == 0)
      #expect(try await stream.loop.run { stream.writtenBytes } == UInt64(sent.count))
    }
  }

  @Test("A peer that does not read makes the queue grow here, and gets all once it reads")
  func backPressure() async throws {
    try await withLobby(loops: 2) { lobby, group in
      let far = Recorder()
      let near = Recorder()
      let (stream, other) = try await lobby.pair(on: group.loops[1], near, far)
      try await other.loop.run { other.pauseReading() }
      let sent = pattern(24 << 20)
      try await stream.send(sent)
      try await stream.loop.run { stream.flush() }
      let queued = try await stream.loop.run { stream.queuedBytes }
      #expect(queued > 1 << 20)
      #expect(far.bytes.isEmpty)
      try await other.loop.run { other.resumeReading() }
      #expect(try await far.bytes(sent.count) == sent)
      #expect(try await near.happenings.next("the queue is empty") == .drained)
    }
  }

  @Test("What a handler leaves is presented again, with what came since behind it")
  func leftovers() async throws {
    try await withLobby { lobby, _ in
      // Takes whole groups of 1,000 bytes.
      let handler = Recorder { input, _ in input.count / 1000 * 1000 }
      let (peer, _) = try await lobby.rawPeer(handler)
      let sent = pattern(10_000)
      for start in stride(from: 0, to: sent.count, by: 250) {
        try await peer.send(Array(sent[start..<start + 250]))
      }
      #expect(try await handler.bytes(10_000) == sent)
    }
  }

  @Test("A paused stream delivers nothing; resumed, it begins with what was left over")
  func pause() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder { input, stream in
        stream.pauseReading()
        return min(4, input.count)
      }
      let (peer, stream) = try await lobby.rawPeer(handler)
      try await peer.send("abcdefgh")
      #expect(try await handler.bytes(4) == Array("abcd".utf8))
      try await peer.send("ijkl")
      #expect(try await stream.loop.run { handler.bytes.count } == 4)
      try await stream.loop.run { stream.resumeReading() }
      #expect(try await handler.bytes(8) == Array("abcdefgh".utf8))
      try await stream.loop.run { stream.resumeReading() }
      #expect(try await handler.bytes(12) == Array("abcdefghijkl".utf8))
    }
  }

  @Test("A handler that makes room for another leaves it the rest of the bytes at once")
  func handOver() async throws {
    try await withLobby { lobby, _ in
      let second = Recorder()
      let first = Recorder { _, stream in
        stream.handler = second
        return 5
      }
      let (peer, _) = try await lobby.rawPeer(first)
      try await peer.send("firstsecond")
      #expect(try await second.bytes(6) == Array("second".utf8))
      #expect(first.bytes == Array("first".utf8))
      try await peer.send("!")
      #expect(try await second.bytes(7) == Array("second!".utf8))
    }
  }

  @Test("A handler may change what it got in place, and the change stays with what it leaves")
  func inPlace() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      handler.use = { input, _ in
        guard input.count == 4 else {
          input[0] = UInt8(ascii: "X")
          return 0
        }
        return 4
      }
      let (peer, stream) = try await lobby.rawPeer(handler)
      try await peer.send("a")
      #expect(try await handler.happenings.next("the first byte") == .received(0))
      try await peer.send("bcd")
      #expect(try await handler.bytes(4) == Array("Xbcd".utf8))
      #expect(try await stream.loop.run { stream.peerAddress?.host } == "127.0.0.1")
    }
  }

  @Test("A handler that leaves more than the receive buffer holds ends the stream with an error")
  func nothingUsed() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder { _, _ in 0 }
      let (peer, _) = try await lobby.rawPeer(handler)
      let sender = Task { try await peer.send(pattern(2 << 20)) }
      guard case .failed(let error) = try await handler.end() else {
        Issue.record("the stream ended as if the peer had")
        return
      }
      #expect(error.operation == "receive")
      _ = await sender.result
    }
  }
}
