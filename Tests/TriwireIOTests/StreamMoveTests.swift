import Testing
import TestSupport
import TriwireIO

@Suite("Streams: moving to another loop")
struct StreamMoveTests {
  @Test("A stream moves from within a call, and goes on with what was left over, on its new loop")
  func move() async throws {
    try await withLobby(loops: 2) { lobby, group in
      let moved = Mailbox<Bool>()
      let here = Mailbox<Bool>()
      let handler = Recorder()
      handler.use = { _, stream in
        let target = group.loops[1 - stream.loop.index]
        handler.use = { input, stream in
          here.put(stream.loop === target && target.isCurrent)
          return input.count
        }
        stream.write(Array("one".utf8).span)
        stream.move(to: target) { moved.put(target.isCurrent) }
        return 3
      }
      let (peer, stream) = try await lobby.rawPeer(handler)
      try await peer.send("onetwo")
      #expect(try await moved.next("the stream has moved"))
      #expect(try await here.next("the rest is presented"))
      #expect(try await handler.bytes(6) == Array("onetwo".utf8))
      #expect(try await peer.receive(3) == Array("one".utf8))
      try await peer.send("three")
      #expect(try await handler.bytes(11) == Array("onetwothree".utf8))
      try await stream.send(Array("four".utf8))
      #expect(try await peer.receive(4) == Array("four".utf8))
    }
  }

  @Test("Streams that move to and fro under load lose, change and reorder nothing")
  func manyMoves() async throws {
    try await withLobby(loops: 2) { lobby, group in
      let expected = pattern(400_000)
      try await withThrowingTaskGroup { tasks in
        for _ in 0..<24 {
          tasks.addTask {
            let handler = Recorder { input, stream in
              let count = min(input.count, 4000)
              stream.write(input.span.extracting(first: count))
              stream.move(to: group.loops[1 - stream.loop.index]) {}
              return count
            }
            let (peer, stream) = try await lobby.rawPeer(handler)
            async let sending: Void = peer.send(expected)
            #expect(try await peer.receive(expected.count) == expected)
            try await sending
            withExtendedLifetime(stream) {}
          }
        }
        try await tasks.waitForAll()
      }
    }
  }
}
