import Testing
import TestSupport
import Triwire

@Suite("Server: stopping", .takesTurns)
struct StopTests {
  @Test(
    "Sessions end with 1001 on every transport, with what was sent before",
    arguments: TransportKind.allCases)
  func sessions(kind: TransportKind) async throws {
    try await Rig.run(ViolationTests.addRoutes) { rig in
      let session = try await rig.connect("/echo", over: kind)
      try await session.send("last")
      #expect(try await session.take() == Message("last"))
      async let stopped: Void = within("the server stops") { await rig.server.stop(within: 20) }
      #expect(try await session.takeAll().isEmpty)
      let end = try await session.end()
      #expect(end == SessionEnd(code: .goingAway, reason: "the server shuts down"))
      try await stopped
      let error = await #expect(throws: ConnectError.self) {
        _ = try await rig.connect("/echo", over: kind)
      }
      #expect(error?.attempts.count == 1)
    }
  }

  @Test("A client between two polls gets what was sent before, and the end, where it polled")
  func betweenPolls() async throws {
    try await Rig.run(session: .patient, TrafficTests.addEcho) { rig in
      let peer = try rig.rawPeer()
      let opening = try await peer.exchange(request("GET /echo?wait=0"))
      var cursor = try #require(opening["triwire-cursor"])
      let name = cursor.prefix { $0 != "." }
      let post = request("POST /echo?session=\(name)", "content-type: text/plain", body: "last")
      #expect(try await peer.exchange(post).status == 204)
      // One on each loop: when they have ended the server is stopping.
      let idle = try (0..<4).map { _ in try rig.rawPeer() }
      async let stopped: Void = within("the server stops") { await rig.server.stop(within: 60) }
      for each in idle { #expect(try await each.receiveAll().isEmpty) }
      let answer = try await peer.exchange(request("GET /echo?cursor=\(cursor)"))
      #expect(answer.status == 200 && answer.text == "[\"last\"]")
      cursor = try #require(answer["triwire-cursor"])
      let end = try await peer.exchange(request("GET /echo?cursor=\(cursor)"))
      #expect(end.status == 410)
      #expect(end["triwire-close"] == "1001 the server shuts down")
      #expect(try await peer.receiveAll().isEmpty)
      try await stopped
    }
  }

  @Test("Idle connections end at once, and a request under way is answered first")
  func connections() async throws {
    let gate = Mailbox<Void>()
    try await Rig.run({ server in
      ViolationTests.addRoutes(server)
      server.respond(at: "/gate") { _ in
        try await gate.next("the gate opens")
        return Response(text: "through")
      }
    }) { rig in
      let idle = try rig.rawPeer()
      #expect(try await idle.exchange(request("GET /hello")).status == 200)
      let untouched = try rig.rawPeer()
      let busy = try rig.rawPeer()
      try await busy.send(request("GET /gate"))
      // Another answer from each loop, so that the request is under way.
      for _ in 0..<4 { _ = try await rig.rawPeer().exchange(request("GET /hello")) }
      async let stopped: Void = within("the server stops") { await rig.server.stop(within: 20) }
      #expect(try await idle.receiveAll().isEmpty)
      #expect(try await untouched.receiveAll().isEmpty)
      gate.put(())
      let answer = try await busy.answer()
      #expect(answer.text == "through\n")
      #expect(answer["connection"] == "close")
      #expect(try await busy.receiveAll().isEmpty)
      try await stopped
    }
  }

  @Test("A client that answers nothing does not hold up the stop")
  func silentClients() async throws {
    try await Rig.run(ViolationTests.addRoutes) { rig in
      let silent = try rig.rawPeer()
      try await silent.send(UpgradeTests.handshake())
      #expect(try await silent.answerHead().status == 101)
      let half = try rig.rawPeer()
      try await half.send("GET /hello HT")
      let poll = try rig.rawPeer()
      try await poll.send(request("GET /echo?wait=0"))
      #expect(try await poll.answer().status == 204)
      try await within("the server stops") { await rig.server.stop(within: 0.1) }
    }
  }

  @Test("A session that is opened while the server stops is told so too")
  func lateSession() async throws {
    try await Rig.run(ViolationTests.addRoutes) { rig in
      let peer = try rig.rawPeer()
      let handshake = UpgradeTests.handshake()
      // Without the last line end, which is one character.
      try await peer.send(String(handshake.dropLast()))
      for _ in 0..<4 { _ = try await rig.rawPeer().exchange(request("GET /hello")) }
      let idle = try rig.rawPeer()
      #expect(try await idle.exchange(request("GET /hello")).status == 200)
      async let stopped: Void = within("the server stops") { await rig.server.stop(within: 20) }
      #expect(try await idle.receiveAll().isEmpty)
      try await peer.send("\r\n")
      let answer = try await peer.answerHead()
      if answer.status == 101 {
        #expect(try await peer.receive(4) == [0x88, 23, 3, 233])
        try await peer.send([0x88, 0x82, 0, 0, 0, 0, 3, 233])
      } else {
        #expect(answer.status == 503)
      }
      try await stopped
    }
  }

  @Test("Several stops at once all return, and so does run")
  func stopTwice() async throws {
    let server = TriwireServer()
    let running = Task { try await server.run(on: "127.0.0.1:0") }
    try await within("it runs") {
      while await server.systemCalls().total == 0 { await Task.yield() }
    }
    try await within("all stops return") {
      await withTaskGroup { tasks in
        for _ in 0..<5 { tasks.addTask { await server.stop() } }
      }
    }
    try await within("run returns") { try await running.value }
    try await within("a stopped server stops") { await server.stop() }
  }

  @Test("A server that was stopped says that it does not start again")
  func notAgain() async throws {
    let server = TriwireServer()
    try await server.start(on: "127.0.0.1:0")
    try await within("the server stops") { await server.stop() }
    let error = await #expect(throws: IOError.self) { try await server.start(on: "127.0.0.1:0") }
    #expect(error?.reason == "a server that was stopped serves no more: make a new one")
  }

  @Test("A server whose task is cancelled stops")
  func cancelledRun() async throws {
    let server = TriwireServer()
    let task = Task { try await server.run(on: "127.0.0.1:0") }
    task.cancel()
    try await within("run returns") { try await task.value }
  }

  @Test("A server that was stopped lets go of its handlers, sessions and descriptors")
  func letsGo() async throws {
    let gone = Mailbox<Void>()
    do {
      let notice = DeathNotice(gone)
      try await Rig.run({ server in
        server.session(at: "/echo") { session in
          // As a handler does that publishes to topics.
          _ = server.topic("all")
          for try await message in session.messages { try await session.send(message) }
          withExtendedLifetime(notice) {}
        }
      }) { rig in
        for kind in TransportKind.allCases {
          let session = try await rig.connect("/echo", over: kind)
          try await session.send("hello")
          #expect(try await session.take() == Message("hello"))
        }
        let silent = try rig.rawPeer()
        try await silent.send(UpgradeTests.handshake())
        #expect(try await silent.answerHead().status == 101)
      }
    }
    try await gone.next("the handler is let go")
  }
}
