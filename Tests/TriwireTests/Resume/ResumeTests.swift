import TestSupport
import Testing
import Triwire
import TriwireIO

@Suite("Resumable sessions", .takesTurns)
struct ResumeTests {
  @Test(
    "Messages both ways arrive once and in order while the connection is cut again and again",
    arguments: TransportKind.allCases)
  func cuts(kind: TransportKind) async throws {
    let count = 5000
    try await ResumableRig.run { rig in
      let client = try await rig.connect("/pair", over: kind)
      let server = try await rig.sessions.next("the server's end")
      let messages = (0..<count).map { Message("\($0)") }
      async let up: Void = client.send(all: messages)
      async let down: Void = server.send(all: messages)
      let recoveries = Mailbox<SessionRecovery>()
      client.whenRecovered { recoveries.put($0) }
      let cutter = Task {
        while !Task.isCancelled {
          client.suspend()
          client.resume()
          // Whoever is cut before anything came never gets on.
          let recovery = try await recoveries.next("the return")
          #expect(recovery.recovered)
          _ = await client.sendVolatile(Message("-"))
        }
      }
      async let arrivedDown = client.take(count)
      var arrivedUp: [Message] = []
      var iterator = server.messages.makeAsyncIterator()
      while arrivedUp.count < count, let message = try await iterator.next() {
        if message.text != "-" { arrivedUp.append(message) }
      }
      #expect(try await arrivedDown == messages)
      #expect(arrivedUp == messages)
      cutter.cancel()
      _ = try await (up, down)
      let attempts = await client.attempts()
      #expect(attempts.count > 1, "it was never cut")
    }
  }

  @Test("A session moves between all transports and keeps its messages")
  func moves() async throws {
    try await ResumableRig.run { rig in
      for kind in TransportKind.allCases {
        let client = try await rig.connect("/pair", over: kind)
        let server = try await rig.sessions.next("the server's end")
        try await client.send("a")
        try await server.send("b")
        #expect(try await client.take()?.text == "b")
        #expect(try await server.take()?.text == "a")
        let recoveries = Mailbox<SessionRecovery>()
        client.whenRecovered { recoveries.put($0) }
        client.suspend()
        try await server.send("while away")
        try await client.send("from away")
        client.resume()
        let recovery = try await recoveries.next("the return")
        #expect(recovery.recovered)
        #expect(recovery.missed == 0)
        #expect(recovery.cause == "aborted")
        let counters = try await client.loop.run { client.resumeCounters }
        #expect(counters.lost == 1)
        #expect(counters.attempts == 2)
        // What was sent while it was away went out once.
        #expect(counters.resent == 0)
        #expect(try await client.take()?.text == "while away")
        #expect(try await server.take()?.text == "from away")
        client.close()
        #expect(try await server.end().code == .normal)
        #expect(try await client.end().code == .normal)
      }
    }
  }

  @Test("What a session did to reach its server can be read after its end")
  func afterwards() async throws {
    try await ResumableRig.run { rig in
      let client = try await rig.connect("/pair", over: .longPolling)
      client.close()
      _ = try await client.end()
      #expect(await client.attempts().map(\.transport) == [.longPolling])
    }
  }

  @Test(
    "A session that waits to come back, or sleeps, ends when its loop is stopped",
    arguments: [true, false], TransportKind.allCases)
  func stoppedLoop(sleeps: Bool, kind: TransportKind) async throws {
    try await ResumableRig.run(client: { configuration in
      configuration.fallback.backoffSeconds = 1e9
      configuration.fallback.backoffLimitSeconds = 1e9
    }) { rig in
      let group = try EventLoopGroup(count: 1)
      var other = rig
      other.rig.client.group = group
      let client = try await other.connect("/pair", over: kind)
      let server = try await rig.sessions.next("the server's end")
      sleeps ? client.suspend() : server.close(.serviceRestart)
      // Until it has lost its connection.
      while try await client.loop.run({ client.resumeCounters.lost }) == 0 { await Task.yield() }
      try await within("the loop stops") { await group.stop() }
      let end = try await client.end()
      #expect(
        end == SessionEnd(code: .abnormal, reason: "its event loop was stopped", isLocal: true))
      await #expect(throws: SessionError.self) { try await client.send("more") }
    }
  }

  @Test("Nothing of a client is left when its session has ended", arguments: TransportKind.allCases)
  func nothingLeft(kind: TransportKind) async throws {
    try await ResumableRig.run { rig in
      // What a client keeps for its sessions keeps their loop.
      let kept = Shared<Weak?>(nil)
      do {
        let group = try EventLoopGroup(count: 1)
        kept.change { $0 = Weak(group.loops[0]) }
        var other = rig
        other.rig.client.group = group
        for _ in 0..<2 {
          let client = try await other.connect("/pair", over: kind)
          try await client.send("hello")
          client.close()
          #expect(try await client.end().code == .normal)
        }
        try await within("the loop stops") { await group.stop() }
      }
      try await within("the loop is let go of") {
        while kept.value?.loop != nil { try await Task.sleep(for: .milliseconds(5)) }
      }
    }
  }

  @Test(
    "What came in POSTs is counted once, also when their connection is given back",
    arguments: [TransportKind.serverSentEvents, .longPolling])
  func countedPosts(kind: TransportKind) async throws {
    try await ResumableRig.run { configuration in
      configuration.session.heartbeatSeconds = 0.02
      configuration.session.pollHoldSeconds = 0.02
    } client: { configuration in
      configuration.fallback.postIdleSeconds = 0.001
    } _: { rig in
      let client = try await rig.connect("/pair", over: kind)
      let server = try await rig.sessions.next("the server's end")
      for number in 1...3 {
        try await client.send("hello")
        #expect(try await server.take()?.text == "hello")
        let before = await server.traffic().sent
        try await within("some heartbeats pass") {
          while case let now = await server.traffic().sent,
            now.control + now.http < before.control + before.http + 200
          { try await Task.sleep(for: .milliseconds(5)) }
        }
        let received = await server.traffic().received
        #expect(received.messages == UInt64(number))
        #expect(received.payload == UInt64(5 * number))
      }
    }
  }

  @Test("An idle poll of a resumable session is answered within a heartbeat")
  func heartbeatOfPolls() async throws {
    try await ResumableRig.run { configuration in
      configuration.session.heartbeatSeconds = 0.02
      configuration.session.pollHoldSeconds = 1000
    } _: { rig in
      let client = try await rig.connect("/pair", over: .longPolling)
      let before = await client.traffic().received.http
      try await within("a poll without a message is answered") {
        while await client.traffic().received.http <= before { await Task.yield() }
      }
    }
  }

  @Test(
    "An acknowledged send tells that the peer has the message", arguments: TransportKind.allCases)
  func acknowledged(kind: TransportKind) async throws {
    try await ResumableRig.run { rig in
      let client = try await rig.connect("/pair", over: kind)
      let server = try await rig.sessions.next("the server's end")
      #expect(try await client.sendAcknowledged(Message("up"), within: 1000))
      #expect(try await server.take()?.text == "up")
      async let taken = client.take()
      #expect(try await server.sendAcknowledged(Message("down"), within: 1000))
      #expect(try await taken?.text == "down")
    }
  }
}

private struct Weak: Sendable {
  weak let loop: EventLoop?

  init(_ loop: EventLoop) { self.loop = loop }
}

/// A server with a route whose sessions come out of a mailbox, and a client that comes back fast.
struct ResumableRig: Sendable {
  var rig: Rig
  let sessions: Mailbox<Session>

  static func run(
    server configure: @escaping (inout TriwireServer.Configuration) -> Void = { _ in },
    client: @escaping (inout TriwireClient.Configuration) -> Void = { _ in },
    _ body: @escaping @Sendable (ResumableRig) async throws -> Void
  ) async throws {
    let sessions = Mailbox<Session>()
    var rig = try await Rig.start(configure: configure) { server in
      server.session(at: "/pair") { session in
        sessions.put(session)
        _ = await session.ended()
      }
    }
    rig.client.resume = ResumeOptions()
    rig.client.fallback.backoffSeconds = 0.005
    rig.client.fallback.backoffLimitSeconds = 0.02
    rig.client.fallback.attemptSeconds = 1000
    rig.client.fallback.staggerSeconds = 1000
    rig.client.fallback.trustSeconds = 1000
    rig.client.fallback.postSeconds = 1000
    client(&rig.client)
    let started = ResumableRig(rig: rig, sessions: sessions)
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(started))
    } catch {
      result = .failure(error)
    }
    try await started.rig.stop()
    try result.get()
  }

  func connect(_ path: String, over kind: TransportKind) async throws -> Session {
    try await rig.connect(path, over: kind)
  }
}

@Suite("Resumable sessions: the server's side", .takesTurns)
struct ServerResumeTests {
  private static let secret = "abcdefghijklmnopqrstuv"

  private static let token = "triwire-session: name-of-mine.\(secret).0.0"

  @Test("Another secret, another origin, and a token that is none are refused")
  func secrets() async throws {
    try await ResumableRig.run { rig in
      let peer = try rig.rig.rawPeer()
      let poll = "GET /pair?wait=0"
      let opened = try await peer.exchange(request(poll, Self.token, "Origin: http://a"))
      #expect(opened["triwire-control"]?.hasPrefix("hello ") == true)
      let foreign = "triwire-session: name-of-mine.ABCDEFGHIJKLMNOPQRSTUV.0.0"
      #expect(try await peer.exchange(request(poll, foreign, "Origin: http://a")).status == 403)
      #expect(try await peer.exchange(request(poll, Self.token, "Origin: http://b")).status == 403)
      #expect(try await peer.exchange(request(poll, "triwire-session: no token")).status == 400)
      let other = "triwire-session: other-name.\(Self.secret).0.0"
      #expect(try await peer.exchange(request("POST /pair", other, body: "x")).status == 404)
    }
  }

  @Test("A session that was opened without an origin belongs to the first one that is named")
  func lateOrigin() async throws {
    // As browsers do: none with a GET from the server's own page, and theirs with a POST.
    try await ResumableRig.run { rig in
      let peer = try rig.rig.rawPeer()
      let poll = "GET /pair?wait=0"
      #expect(try await peer.exchange(request(poll, Self.token)).status != 403)
      let post = { (origin: String) in
        try await peer.exchange(
          request("POST /pair", Self.token, "triwire-offset: 1", "Origin: \(origin)", body: "x")
        )
        .status
      }
      #expect(try await post("http://a") == 204)
      #expect(try await post("http://b") == 403)
      #expect(try await peer.exchange(request(poll, Self.token)).status != 403)
      #expect(try await peer.exchange(request(poll, Self.token, "Origin: http://b")).status == 403)
      #expect(try await post("http://a") == 204)
    }
  }

  @Test("A POST that is repeated, or overtakes another, counts once and in its place")
  func posts() async throws {
    try await ResumableRig.run { rig in
      let peer = try rig.rig.rawPeer()
      _ = try await peer.exchange(request("GET /pair?wait=0", Self.token))
      let server = try await rig.sessions.next("the session")
      let early = try rig.rig.rawPeer()
      try await early.send(request("POST /pair", Self.token, "triwire-offset: 2", body: "b"))
      // Whichever of the two comes first, the order of the messages is that of their offsets.
      for (offset, body) in [(1, "a"), (1, "a"), (3, "c")] {
        if offset == 3 { #expect(try await early.answer().status == 204) }
        let answer = try await peer.exchange(
          request("POST /pair", Self.token, "triwire-offset: \(offset)", body: body))
        #expect(answer.status == 204)
      }
      #expect(try await server.take(3).map(\.text) == ["a", "b", "c"])
    }
  }

  @Test("A POST whose predecessor never comes is sent back, and may come again in its turn")
  func orphan() async throws {
    try await ResumableRig.run { rig in
      let peer = try rig.rig.rawPeer()
      _ = try await peer.exchange(request("GET /pair?wait=0", Self.token))
      let server = try await rig.sessions.next("the session")
      let second = request("POST /pair", Self.token, "triwire-offset: 2", body: "b")
      #expect(try await peer.exchange(second).status == 409)
      let first = request("POST /pair", Self.token, "triwire-offset: 1", body: "a")
      #expect(try await peer.exchange(first).status == 204)
      #expect(try await peer.exchange(second).status == 204)
      #expect(try await server.take(2).map(\.text) == ["a", "b"])
    }
  }

  @Test("A client that leaves messages out ends its session, which never has a hole")
  func hole() async throws {
    try await ResumableRig.run { rig in
      let peer = try rig.rig.rawPeer()
      let token = "triwire.session.name-of-mine.\(Self.secret).0.0"
      let handshake = UpgradeTests.handshake("GET /pair HTTP/1.1").dropLast(1)
      try await peer.send(handshake + "sec-websocket-protocol: triwire.1, \(token)\r\n\r\n")
      #expect(try await peer.answerHead().status == 101)
      let server = try await rig.sessions.next("the session")
      try await peer.send(UpgradeTests.frame("\0use 0 5"))
      #expect(try await server.end().code == .protocolError)
    }
  }

  @Test("A session that was forgotten goes on in a new epoch, and the client is told")
  func forgotten() async throws {
    try await ResumableRig.run(server: { configuration in
      configuration.resume.awaySeconds = 0.01
      configuration.session.pollGapSeconds = 0.01
    }) { rig in
      for kind in TransportKind.allCases {
        let client = try await rig.connect("/pair", over: kind)
        let old = try await rig.sessions.next("the server's end")
        try await client.send("before")
        #expect(try await old.take()?.text == "before")
        let recoveries = Mailbox<SessionRecovery>()
        client.whenRecovered { recoveries.put($0) }
        client.suspend()
        #expect(try await old.end().code == .abnormal)
        client.resume()
        let recovery = try await recoveries.next("the return")
        #expect(!recovery.recovered)
        #expect(recovery.missed == nil)
        let new = try await rig.sessions.next("the server's new end")
        try await client.send("after")
        #expect(try await new.take()?.text == "after")
      }
    }
  }

  @Test("A session that the server has closed is not opened again")
  func closed() async throws {
    try await ResumableRig.run { rig in
      for kind in TransportKind.allCases {
        let client = try await rig.connect("/pair", over: kind)
        let server = try await rig.sessions.next("the server's end")
        client.suspend()
        server.close(CloseCode(rawValue: 4001), "enough")
        #expect(try await server.end().code.rawValue == 4001)
        client.resume()
        let end = try await client.end()
        #expect(end.code.rawValue == 4001)
        #expect(end.reason == "enough")
      }
    }
  }
}
