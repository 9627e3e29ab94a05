import TestSupport
import Testing
import Triwire

@Suite("Resumable sessions")
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
      let cutter = Task {
        while !Task.isCancelled {
          client.suspend()
          client.resume()
          _ = await client.sendVolatile(Message("-"))
          try await Task.sleep(for: .milliseconds(3))
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
