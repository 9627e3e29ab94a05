import Testing
import TestSupport
import Triwire

@Suite("Server: event streams for any client (WHATWG HTML §9.2)", .takesTurns)
struct EventStreamServerTests {
  /// Opens a stream; what the session sends is up to `send`.
  func run(
    limits: SessionLimits = .patient, version: String = "HTTP/1.1",
    handler: @escaping @Sendable (Session) async throws -> Void,
    _ body: @escaping @Sendable (RawPeer, RawAnswer, Rig) async throws -> Void
  ) async throws {
    try await Rig.run(
      session: limits,
      { server in
        server.session(at: "/stream", handler)
        server.respond(at: "/hello", synchronously: { _ in Response(text: "hello") })
      }
    ) { rig in
      let peer = try rig.rawPeer()
      try await peer.send(
        "GET /stream?session=mine-1234 \(version)\r\nhost: a\r\naccept: text/event-stream\r\n\r\n")
      let head = try await peer.answerHead()
      #expect(head.status == 200)
      try await body(peer, head, rig)
    }
  }

  @Test("The head keeps proxies from buffering, and the first bytes come at once")
  func head() async throws {
    try await run(handler: { _ = await $0.ended() }) { peer, head, _ in
      #expect(head["content-type"] == "text/event-stream")
      #expect(head["cache-control"] == "no-store, no-transform")
      #expect(head["x-accel-buffering"] == "no")
      #expect(head["transfer-encoding"] == "chunked")
      let first = try await peer.chunkText()
      #expect(first.hasPrefix(":") && first.hasSuffix("\n\n"))
    }
  }

  @Test("Text is data, lines and all; binary is base64 in an event of its own type")
  func events() async throws {
    try await run(handler: { session in
      for text in ["plain", "", "two\nlines", "\n", " space"] { try await session.send(text) }
      try await session.send(Message(binary: [0, 255]))
      _ = await session.ended()
    }) { peer, _, _ in
      var text = ""
      while !text.contains("AP8=") { text += try await peer.chunkText() }
      let events = text.drop { $0 != "\n" }.dropFirst(2)
      #expect(
        events
          == "data: plain\n\ndata: \n\ndata: two\ndata: lines\n\ndata: \ndata: \n\ndata:  space\n\n"
          + "event: binary\ndata: AP8=\n\n", "\(text.debugDescription)")
    }
  }

  @Test("The end is an event with code and reason, and the connection serves on (RFC 9112 §9.3)")
  func end() async throws {
    try await run(handler: { $0.close(CloseCode(rawValue: 4002), "enough") }) { peer, _, _ in
      var text = ""
      while case let chunk = try await peer.chunkText(), !chunk.isEmpty { text += chunk }
      #expect(text.hasSuffix("event: close\ndata: 4002 enough\n\n"), "\(text)")
      #expect(try await peer.exchange(request("GET /hello")).text == "hello\n")
    }
  }

  @Test("A client of HTTP/1.0 gets events without chunks, and the end by the connection's")
  func http10() async throws {
    try await run(version: "HTTP/1.0", handler: { try await $0.send("one") }) { peer, head, _ in
      #expect(head["transfer-encoding"] == nil)
      let text = String(decoding: try await peer.receiveAll(), as: UTF8.self)
      #expect(text.hasSuffix("data: one\n\nevent: close\ndata: 1000\n\n"), "\(text)")
    }
  }

  @Test("A stream with nothing to say sends a comment now and then")
  func heartbeat() async throws {
    var limits = SessionLimits.patient
    limits.heartbeatSeconds = 0.05
    try await run(limits: limits, handler: { _ = await $0.ended() }) { peer, _, _ in
      for _ in 0..<4 {
        let comment = try await peer.chunkText()
        #expect(comment.hasPrefix(":"))
      }
    }
  }

  @Test("POST is the way up, and a newer stream of the same name takes the session's place")
  func upAndReplaced() async throws {
    try await run(handler: { session in
      for try await message in session.messages { try await session.send(message) }
    }) { peer, _, rig in
      _ = try await peer.chunkText()
      let up = try rig.rawPeer()
      #expect(
        try await up.exchange(request("POST /stream?session=mine-1234", body: "up")).status == 204)
      #expect(try await peer.chunkText() == "data: up\n\n")
      let newer = try rig.rawPeer()
      try await newer.send(request("GET /stream?session=mine-1234", "accept: text/event-stream"))
      #expect(try await newer.answerHead().status == 200)
      #expect(
        try await peer.chunkText() == "event: close\ndata: 1001 a newer session took the name\n\n")
      #expect(try await peer.chunk().isEmpty)
      _ = try await newer.chunkText()
      #expect(
        try await up.exchange(request("POST /stream?session=mine-1234", body: "on")).status == 204)
      #expect(try await newer.chunkText() == "data: on\n\n")
    }
  }

  @Test("A name that is none is refused, and so is a poll of a stream's name")
  func names() async throws {
    try await run(handler: { _ = await $0.ended() }) { _, _, rig in
      for name in ["short", String(repeating: "x", count: 65), "with.dots.in.it", "with%20space"] {
        let answer = try await rig.rawPeer().exchange(
          request("GET /stream?session=\(name)", "accept: text/event-stream"))
        #expect(answer.status == 400, "\(name)")
      }
      let poll = try await rig.rawPeer().exchange(request("GET /stream?session=mine-1234"))
      #expect(poll.status == 409)
    }
  }

  @Test("A POST at the moment of the end is answered, and leaves the next request alone")
  func endRace() async throws {
    try await run(handler: { session in for try await _ in session.messages {} }) { _, _, rig in
      for round in 0..<60 {
        let name = "race-\(round)-12345"
        let stream = try rig.rawPeer()
        try await stream.send(request("GET /stream?session=\(name)", "accept: text/event-stream"))
        #expect(try await stream.answerHead().status == 200)
        let (first, second) = (try rig.rawPeer(), try rig.rawPeer())
        let delete = request("DELETE /stream?session=\(name)")
        async let one = first.exchange(delete)
        async let two = second.exchange(delete)
        let statuses = try await [one.status, two.status]
        #expect(statuses.contains(204) && statuses.allSatisfy { $0 == 204 || $0 == 404 })
        while case let chunk = try await stream.chunk(), !chunk.isEmpty {}
        #expect(try await stream.exchange(request("GET /hello")).text == "hello\n")
      }
    }
  }
}
