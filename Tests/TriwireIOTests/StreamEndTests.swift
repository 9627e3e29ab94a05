import Glibc
import Testing
import TestSupport
import TriwireIO

@Suite("Streams: ends")
struct StreamEndTests {
  @Test("A peer that ends its half still gets what is written (half-close)")
  func halfClose() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      let (peer, stream) = try await lobby.rawPeer(handler)
      try await peer.send("question")
      peer.finishSending()
      #expect(try await handler.end() == .ended)
      #expect(handler.bytes == Array("question".utf8))
      let answer = pattern(3 << 20)
      try await stream.send(answer)
      try await stream.finish()
      #expect(try await peer.receiveAll() == answer)
      #expect(handler.happenings.waiting.allSatisfy { $0 == .drained })
    }
  }

  @Test("Close sends what waits, and loses nothing to a peer that still sends (RFC 9112 §9.6)")
  func linger() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder { _, stream in
        stream.write(pattern(4 << 20).span)
        stream.close()
        return 0
      }
      let (peer, stream) = try await lobby.rawPeer(handler, receiveBuffer: 16_384)
      try await peer.send("go")
      async let more: Void = peer.send(pattern(1 << 20))
      #expect(try await peer.receiveAll() == pattern(4 << 20))
      try await more
      #expect(try await stream.loop.run { !stream.isOpen })
    }
  }

  @Test("A closed stream does not wait for ever for the peer to end")
  func lingerEnds() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      let (peer, stream) = try await lobby.rawPeer(handler)
      try await stream.finish()
      #expect(try await peer.receiveAll().isEmpty)
      try await stream.loop.wait("the descriptor is closed") { stream.kernelCounters() == nil }
    }
  }

  @Test("A stream whose both halves ended is closed at once")
  func bothEnds() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      let (peer, stream) = try await lobby.rawPeer(handler)
      peer.close()
      #expect(try await handler.end() == .ended)
      try await stream.finish()
      #expect(try await stream.loop.run { stream.kernelCounters() == nil })
    }
  }

  @Test("A reset is told as such, once, and with the bytes that came before it delivered")
  func reset() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      let (peer, stream) = try await lobby.rawPeer(handler)
      try await peer.send("last words")
      _ = try await handler.bytes(10)
      peer.reset()
      guard case .failed(let error) = try await handler.end() else {
        Issue.record("a reset is no end")
        return
      }
      #expect(error.isReset)
      #expect(try await stream.loop.run { !stream.isOpen && stream.kernelCounters() == nil })
    }
  }

  @Test("A reset that follows the peer's end is told once, and does not keep the loop busy")
  func resetAfterEnd() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      let (peer, stream) = try await lobby.rawPeer(handler)
      peer.close()
      #expect(try await handler.end() == .ended)
      // The peer is gone altogether, so this is answered with a reset.
      try await stream.send([1])
      guard case .failed(let error) = try await handler.end() else {
        Issue.record("the end was told again")
        return
      }
      #expect(error.isReset)
    }
  }

  @Test("A peer that resets while nobody reads is noticed")
  func resetWhilePaused() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      let (peer, stream) = try await lobby.rawPeer(handler)
      try await stream.loop.run { stream.pauseReading() }
      peer.reset()
      guard case .failed(let error) = try await handler.end() else {
        Issue.record("a reset is no end")
        return
      }
      #expect(error.isReset)
    }
  }

  @Test("The end of input waits until a paused handler has taken what came before it")
  func endAfterPause() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      let (peer, stream) = try await lobby.rawPeer(handler)
      try await stream.loop.run { stream.pauseReading() }
      try await peer.send("all of it")
      peer.finishSending()
      try await stream.loop.run { stream.resumeReading() }
      #expect(try await handler.end() == .ended)
      #expect(handler.bytes == Array("all of it".utf8))
    }
  }

  @Test("Abort resets, and drops what waits")
  func abort() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      let (peer, stream) = try await lobby.rawPeer(handler, receiveBuffer: 16_384)
      try await stream.send(pattern(8 << 20))
      try await stream.loop.run { stream.abort() }
      let error = await #expect(throws: RawPeer.Failure.self) { try await peer.receiveAll() }
      #expect(error?.isReset == true)
      #expect(handler.happenings.waiting.isEmpty)
    }
  }

  @Test("A closed stream takes no more, and says so")
  func writeAfterClose() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      let (peer, stream) = try await lobby.rawPeer(handler)
      try await stream.loop.run {
        stream.write([1, 2].span)
        stream.close()
        stream.write([3].span)
        stream.writeThrough([4].span)
        stream.write(capacity: 1) { $0.append(5) }
        stream.close()
      }
      #expect(try await peer.receiveAll() == [1, 2])
    }
  }

  @Test("A peer that is gone makes writing fail, and the handler learns it once")
  func writeToNobody() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      let (peer, stream) = try await lobby.rawPeer(handler)
      try await stream.loop.run { stream.pauseReading() }
      peer.reset()
      try await stream.loop.run {
        for _ in 0..<20 { stream.write(pattern(10_000).span) }
        stream.flush()
      }
      guard case .failed(let error) = try await handler.end() else {
        Issue.record("a reset is no end")
        return
      }
      #expect(error.isReset)
      #expect(
        try await stream.loop.run { handler.happenings.waiting.allSatisfy { $0 == .drained } })
    }
  }
}

@Suite("Streams: half-closed by us")
struct OutputEndTests {
  @Test("What was written is sent, then FIN, and the peer is heard on")
  func endOutput() async throws {
    try await withLobby { lobby, _ in
      let handler = Recorder()
      let (peer, stream) = try await lobby.rawPeer(handler, receiveBuffer: 16_384)
      try await stream.loop.run {
        stream.write(pattern(1 << 20).span)
        stream.endOutput()
      }
      #expect(try await peer.receiveAll() == pattern(1 << 20))
      try await peer.send(pattern(100_000))
      #expect(try await handler.bytes(100_000) == pattern(100_000))
      peer.finishSending()
      #expect(try await handler.end() == .ended)
      try await stream.finish()
      #expect(try await stream.loop.run { stream.kernelCounters() == nil })
    }
  }
}
