import Testing
import TestSupport
import TriwireIO

@Suite("TLS streams", .takesTurns)
struct TLSStreamTests {
  static let versions: [TLSVersion] = [.v1_2, .v1_3]

  private func options(_ version: TLSVersion) throws -> (TLSServerOptions, TLSClientOptions) {
    let certificates = try Certificates()
    var serving = certificates.serving
    serving.maximumVersion = version
    return (serving, certificates.trusting)
  }

  @Test("Bytes of every size pass both ways as they were, in each version", arguments: versions)
  func bytes(version: TLSVersion) async throws {
    let (serving, trusting) = try options(version)
    try await withSecureLobby(serving) { lobby, group in
      let (near, far) = (Recorder(), Recorder())
      let pair = try await lobby.pair(trusting, on: group.next(), near, far)
      #expect(try await pair.near.loop.run { pair.near.agreement?.version } == version)
      var sent: [UInt8] = []
      for size in [0, 1, 16_383, 16_384, 16_385, 600_000, 0, 3_000_000, 5] {
        let bytes = pattern(size)
        sent += bytes
        try await pair.near.send(bytes)
        try await pair.far.send(bytes)
      }
      #expect(try await far.bytes(sent.count) == sent)
      #expect(try await near.bytes(sent.count) == sent)
    }
  }

  @Test(
    "What TLS adds and what was written make up the socket's bytes, to the last alert",
    arguments: versions)
  func accounting(version: TLSVersion) async throws {
    let (serving, trusting) = try options(version)
    try await withSecureLobby(serving) { lobby, group in
      // Who ends waits two seconds for the peer's end, which no test's task is sure to meet.
      let (near, far) = (Recorder(), Recorder(answersEnd: true))
      let pair = try await lobby.pair(trusting, on: group.next(), near, far)
      for size in [1, 125, 20_000] { try await pair.near.send(pattern(size)) }
      try await pair.far.send(pattern(70_000))
      _ = try await far.bytes(20_126)
      _ = try await near.bytes(70_000)
      try await pair.near.finish()
      #expect(try await far.end() == .ended)
      try await pair.near.loop.wait("the server's end is taken") {
        pair.near.kernelCounters() == nil
      }
      let (mine, theirs) = try await pair.near.loop.run { (pair.near.counters, pair.far.counters) }
      #expect(mine.bytesSent == mine.tlsSent + 20_126)
      #expect(theirs.bytesSent == theirs.tlsSent + 70_000)
      #expect(theirs.bytesReceived == mine.bytesSent)
      #expect(mine.bytesReceived == theirs.bytesSent)
      #expect(theirs.tlsReceived == mine.tlsSent)
      // Records of 1, 125, 16,384 and 3,616 bytes, and the alert, each with its surroundings.
      #expect(mine.tlsSent > 5 * 22)
    }
  }

  @Test("A reader that stops makes the writer wait, and gets everything in order when it goes on")
  func backPressure() async throws {
    let (serving, trusting) = try options(.v1_3)
    try await withSecureLobby(serving) { lobby, group in
      let (near, far) = (Recorder(), Recorder())
      let pair = try await lobby.pair(trusting, on: group.next(), near, far)
      try await pair.far.send([1])
      _ = try await near.bytes(1)
      try await pair.near.loop.run { pair.near.pauseReading() }
      let bytes = pattern(12_000_000)
      try await pair.far.send(bytes)
      try await pair.far.loop.wait("ciphertext waits") { pair.far.queuedBytes > 0 }
      try await pair.near.loop.run { pair.near.resumeReading() }
      #expect(try await near.bytes(bytes.count + 1) == [1] + bytes)
      try await pair.far.loop.wait("nothing waits") { pair.far.queuedBytes == 0 }
      #expect(far.happenings.waiting.contains(.drained))
    }
  }

  @Test("A stream that moves to another loop loses no byte, and keeps its session's keys")
  func move() async throws {
    let (serving, trusting) = try options(.v1_3)
    try await withSecureLobby(serving, loops: 2) { lobby, group in
      let (near, far) = (Recorder(), Recorder())
      let pair = try await lobby.pair(trusting, on: group.loops[0], near, far)
      try await pair.near.send(pattern(1000))
      _ = try await far.bytes(1000)
      let moved = Mailbox<Void>()
      let there = group.loops.first { $0 !== pair.far.loop } ?? group.loops[0]
      try await pair.far.loop.run { pair.far.move(to: there) { moved.put(()) } }
      try await pair.near.send(pattern(500_000))
      try await moved.next("the stream arrives")
      try await there.run { pair.far.write(pattern(90_000).span) }
      #expect(try await far.bytes(501_000).count == 501_000)
      #expect(try await near.bytes(90_000) == pattern(90_000))
    }
  }

  @Test("Who has ended may still be written to, and what was left is delivered before the end")
  func end() async throws {
    let (serving, trusting) = try options(.v1_3)
    try await withSecureLobby(serving) { lobby, group in
      let (near, far) = (Recorder(), Recorder())
      let pair = try await lobby.pair(trusting, on: group.next(), near, far)
      let bytes = pattern(2_000_000)
      try await pair.near.loop.run {
        pair.near.write(bytes.span)
        pair.near.close()
      }
      #expect(try await far.end() == .ended)
      #expect(far.bytes == bytes)
      try await pair.far.loop.run {
        #expect(pair.far.isOpen)
        pair.far.write(pattern(10).span)
        pair.far.close()
      }
    }
  }

  @Test("One encoding for many streams is encrypted for each of them")
  func writeThrough() async throws {
    let (serving, trusting) = try options(.v1_3)
    try await withSecureLobby(serving) { lobby, group in
      let (first, second) = (Recorder(), Recorder())
      let one = try await lobby.pair(trusting, on: group.next(), first, Recorder())
      let two = try await lobby.pair(trusting, on: group.next(), second, Recorder())
      let bytes = pattern(40_000)
      try await one.far.loop.run {
        for stream in [one.far, two.far] {
          stream.write(bytes.span)
          stream.writeThrough(bytes.span)
          stream.write(bytes.span)
        }
      }
      for reader in [first, second] {
        #expect(try await reader.bytes(120_000) == bytes + bytes + bytes)
      }
    }
  }
}
