import TestSupport
import Testing
import Triwire
import TriwireCodec
import TriwireIO

@Suite("Heartbeats that a client asks for", .takesTurns)
struct HeartbeatTests {
  private static let secret = "abcdefghijklmnopqrstuv"

  private static func token(_ rest: String) -> String {
    "triwire-session: name-of-mine.\(secret).0.0\(rest)"
  }

  /// Milliseconds of the hello in a text.
  private static func heartbeat(in text: String) throws -> Int {
    let words = try #require(text.firstRange(of: "hello ")).upperBound
    let line = text[words...].prefix { !$0.isNewline }.split(separator: " ")
    return try #require(line.count == 5 ? Int(line[3]) : nil, "\(text)")
  }

  @Test(
    "The server agrees to what a client asks for, within its own bounds",
    arguments: [
      ("", 30_000), (".beat-4000", 4000), (".beat-4099", 4000), (".beat-1", 2000),
      (".beat-90000", 30_000), (".beat-18446744073709551615", 30_000),
    ])
  func agreement(wish: String, agreed: Int) async throws {
    try await ResumableRig.run { configuration in
      configuration.session.heartbeatSeconds = 30
      configuration.session.heartbeatSecondsLeast = 2
    } _: { rig in
      let token = Self.token(wish)
      let poll = try await rig.rig.rawPeer().exchange(request("GET /pair?wait=0", token))
      #expect(try Self.heartbeat(in: poll["triwire-control"] ?? "") == agreed)
      let stream = try rig.rig.rawPeer()
      try await stream.send(request("GET /pair", token, "accept: text/event-stream"))
      #expect(try await stream.answerHead().status == 200)
      #expect(try Self.heartbeat(in: try await stream.chunkText()) == agreed)
      let socket = try rig.rig.rawPeer()
      let handshake = UpgradeTests.handshake("GET /pair HTTP/1.1").dropLast(1)
      try await socket.send(handshake + token + "\r\n\r\n")
      #expect(try await socket.answerHead().status == 101)
      let frame = try await socket.receive(2)
      let line = String(decoding: try await socket.receive(Int(frame[1])), as: UTF8.self)
      #expect(try Self.heartbeat(in: line) == agreed)
    }
  }

  @Test("The server keeps what it agreed to", arguments: TransportKind.allCases)
  func kept(kind: TransportKind) async throws {
    try await ResumableRig.run { configuration in
      configuration.session.heartbeatSecondsLeast = 0.02
      configuration.session.pollHoldSeconds = 1000
    } _: { rig in
      let peer = try rig.rig.rawPeer()
      let token = Self.token(".beat-20")
      switch kind {
      case .webSocket:
        let handshake = UpgradeTests.handshake("GET /pair HTTP/1.1").dropLast(1)
        try await peer.send(handshake + token + "\r\n\r\n")
        _ = try await peer.answerHead()
        let hello = try await peer.receive(2)
        _ = try await peer.receive(Int(hello[1]))
        #expect(try await peer.receive(1) == [0x89], "a ping")
      case .serverSentEvents:
        try await peer.send(request("GET /pair", token, "accept: text/event-stream"))
        _ = try await peer.answerHead()
        _ = try await peer.chunk()
        #expect(try await peer.chunkText().hasPrefix(":"), "a comment")
      case .longPolling:
        _ = try await peer.exchange(request("GET /pair?wait=0", token))
        #expect(try await peer.exchange(request("GET /pair", token)).status < 400)
        // One that is held until its heartbeat is due.
        #expect(try await peer.exchange(request("GET /pair", token)).status < 400)
      }
    }
  }

  @Test(
    "A wish that is none is refused",
    arguments: [".beat-", ".beat-x", ".beat--1", ".beat-5.beat-5", ".beat-5.probe", ".other"])
  func bad(rest: String) async throws {
    try await ResumableRig.run { rig in
      let answer = try await rig.rig.rawPeer().exchange(
        request("GET /pair?wait=0", Self.token(rest)))
      #expect(answer.status == 400)
      #expect(answer.text.contains("NAME.SECRET.EPOCH.RECEIVED"))
    }
  }

  @Test("A stream that is cut after a quiet spell makes the client, and others, ask for heartbeats")
  func learned() async throws {
    try await withScriptedStreams { script in
      async let opening = script.connect()
      let first = try await script.next()
      #expect(!first.head.contains(".beat-"))
      try await first.stream.send(Self.hello)
      let session = try await opening
      let recoveries = Mailbox<SessionRecovery>()
      session.whenRecovered { recoveries.put($0) }
      try await script.passTime(1.2)
      try await first.stream.finish()
      let second = try await script.next()
      // A request says it, so that it costs no round trip.
      let wish = try #require(second.wish)
      #expect(1000..<15_000 ~= wish, "\(wish)")
      try await second.stream.send(Self.hello)
      #expect(try await recoveries.next("the return").recovered)
      let attempts = await session.attempts()
      #expect(attempts.contains { $0.outcome.hasPrefix("cut after ") }, "\(attempts)")
      async let other = script.connect()
      let third = try await script.next()
      #expect(third.wish == wish)
      try await third.stream.send(Self.hello)
      try await other.abort()
      session.abort()
    }
  }

  @Test(
    "A cut that the server itself explains teaches nothing",
    arguments: [
      "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
      Self.stream(epoch: "EPOCH002"),
    ])
  func explained(answer: String) async throws {
    try await withScriptedStreams { script in
      async let opening = script.connect()
      let first = try await script.next()
      try await first.stream.send(Self.hello)
      let session = try await opening
      let recoveries = Mailbox<SessionRecovery>()
      session.whenRecovered { recoveries.put($0) }
      try await script.passTime(1.1)
      try await first.stream.finish()
      let second = try await script.next()
      try await second.stream.send(answer)
      if answer.contains("503") {
        try await second.stream.finish()
        let third = try await script.next()
        #expect(third.wish == nil)
        try await third.stream.send(Self.hello)
      }
      _ = try await recoveries.next("the return")
      let attempts = await session.attempts()
      #expect(!attempts.contains { $0.outcome.hasPrefix("cut after ") }, "\(attempts)")
      async let other = script.connect()
      let next = try await script.next()
      #expect(next.wish == nil)
      try await next.stream.send(Self.hello)
      try await other.abort()
      session.abort()
    }
  }

  @Test("A cut after a shorter silence than the connection had lived through teaches nothing")
  func survived() async throws {
    try await withScriptedStreams { script in
      async let opening = script.connect()
      let first = try await script.next()
      try await first.stream.send(Self.hello)
      let session = try await opening
      // What it sends when it had nothing to say for as long as its hello promised.
      try await first.stream.send(":\n\n")
      try await script.passTime(1.1)
      try await first.stream.finish()
      let second = try await script.next()
      #expect(second.wish == nil)
      session.abort()
    }
  }

  @Test("A gateway that does not wait for a poll's answer makes the client ask for heartbeats")
  func gateway() async throws {
    try await withScriptedStreams { script in
      async let opening = script.connect(over: .longPolling)
      let first = try await script.next()
      try await first.stream.send(
        "HTTP/1.1 204 No Content\r\ntriwire-control: hello EPOCH001 0 0 25000 20000\r\n\r\n")
      let session = try await opening
      try await script.passTime(1.2)
      try await first.stream.send("HTTP/1.1 504 Gateway Timeout\r\ncontent-length: 0\r\n\r\n")
      let second = try await script.next()
      let wish = try #require(second.wish)
      #expect(1000..<15_000 ~= wish, "\(wish)")
      session.abort()
    }
  }

  private static let hello = stream(epoch: "EPOCH001")

  private static func stream(epoch: String) -> String {
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
      + "event: triwire\ndata: hello \(epoch) 0 0 25000 20000\n\n"
  }
}

/// A server of event streams that a test plays itself.
private struct ScriptedStreams: Sendable {
  struct Request: Sendable {
    let head: String
    let stream: ByteStream

    /// Milliseconds between the heartbeats that it asks for.
    var wish: Int? {
      guard let range = head.firstRange(of: ".beat-") else { return nil }
      return Int(head[range.upperBound...].prefix { $0.isNumber })
    }
  }

  let lobby: Lobby
  let group: EventLoopGroup

  func connect(over kind: TransportKind = .serverSentEvents) async throws -> Session {
    var configuration = TriwireClient.Configuration.direct
    configuration.group = group
    configuration.openSeconds = 1000
    configuration.connectSeconds = 1000
    configuration.fallback.attemptSeconds = 1000
    configuration.fallback.backoffSeconds = 0.005
    configuration.fallback.backoffLimitSeconds = 0.02
    let fixed = configuration
    return try await within("a session opens") {
      try await TriwireClient("http://\(lobby.address)/", configuration: fixed)
        .connect(over: [kind])
    }
  }

  /// The next request.
  func next() async throws -> Request {
    let recorder = Recorder()
    let stream = try await lobby.accept(recorder)
    try await within("a request comes") {
      while !recorder.bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
        _ = try await recorder.happenings.next("more of the request")
      }
    }
    return Request(head: String(decoding: recorder.bytes, as: UTF8.self), stream: stream)
  }

  /// Lets a quiet spell pass, which is what the test is about.
  func passTime(_ seconds: Double) async throws {
    try await within("the quiet spell") {
      await withUnsafeContinuation { continuation in
        let loop = group.loops[0]
        loop.execute {
          loop.schedule(at: EventLoop.clock() + UInt64(seconds * 1e9)) { continuation.resume() }
        }
      }
    }
  }
}

private func withScriptedStreams(
  _ body: @escaping @Sendable (ScriptedStreams) async throws -> Void
) async throws {
  try await withLobby(loops: 2) { lobby, group in
    try await body(ScriptedStreams(lobby: lobby, group: group))
  }
}

extension ByteStream {
  fileprivate func send(_ text: String) async throws { try await send(Array(text.utf8)) }
}
