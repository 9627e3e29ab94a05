import Testing
import TestSupport
import Triwire

@Suite("Server: HTTP", .takesTurns)
struct HTTPTests {
  /// What the handler of /gate waits for.
  static let gate = Mailbox<String>()

  static func addRoutes(_ server: TriwireServer) {
    server.respond(at: "/hello", synchronously: { _ in Response(text: "hello") })
    server.respond(at: "/reflect", to: nil, synchronously: { Response(body: $0.body) })
    server.respond(at: "/later/{word}") { request in
      for _ in 0..<3 { await Task.yield() }
      return Response(text: request.parameter)
    }
    server.respond(at: "/gate") { _ in Response(text: try await gate.next("the gate opens")) }
    server.respond(at: "/fails") { _ in throw CancellationError() }
    server.session(at: "/echo") { session in
      for try await message in session.messages { try await session.send(message) }
    }
  }

  func run(_ body: @escaping @Sendable (Rig) async throws -> Void) async throws {
    try await Rig.run(Self.addRoutes, body)
  }

  @Test(
    "Requests of one packet are answered in order, fast and slow handlers mixed (RFC 9112 §9.3.2)")
  func pipelining() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      var all = ""
      for number in 0..<50 {
        all += number % 2 == 0 ? request("GET /later/\(number)") : request("GET /hello")
      }
      try await peer.send(all)
      for number in 0..<50 {
        #expect(try await peer.answer().text == (number % 2 == 0 ? "\(number)\n" : "hello\n"))
      }
    }
  }

  @Test("A client that ends its half after pipelined requests gets all its answers (RFC 9112 §9.6)")
  func pipeliningAndHalfClose() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      try await peer.send(request("GET /gate") + request("GET /later/1") + request("GET /gate"))
      peer.finishSending()
      // Once later requests were served on each loop, the end has been seen.
      for _ in 0..<4 { _ = try await rig.rawPeer().exchange(request("GET /hello")) }
      HTTPTests.gate.put("first")
      #expect(try await peer.answer().text == "first\n")
      #expect(try await peer.answer().text == "1\n")
      HTTPTests.gate.put("last")
      #expect(try await peer.answer().text == "last\n")
      #expect(try await peer.receiveAll().isEmpty)
    }
  }

  @Test("A body comes back as it was sent: with a length, in chunks, and empty")
  func bodies() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      for size in [0, 1, 1000, 200_000] {
        let body = String(repeating: "x", count: size)
        #expect(try await peer.exchange(request("POST /reflect", body: body)).text == body)
        var chunks = request("POST /reflect", "transfer-encoding: chunked")
        if size > 0 { chunks += "\(String(size, radix: 16));name=value\r\n\(body)\r\n" }
        chunks += "0\r\nx-check: yes\r\n\r\n"
        let answer = try await peer.exchange(chunks)
        #expect(answer.text == body, "\(size) bytes: \(answer.status) \(answer.text.prefix(200))")
      }
    }
  }

  @Test("HEAD is answered as GET, without the body (RFC 9110 §9.3.2)")
  func head() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      let get = try await peer.exchange(request("GET /hello"))
      try await peer.send(request("HEAD /hello") + request("GET /hello"))
      let head = try await peer.answer(isToHead: true)
      #expect(head.status == 200)
      #expect(head["content-length"] == "6" && get["content-length"] == "6")
      #expect(try await peer.answer().text == "hello\n")
    }
  }

  @Test("A client that waits is told to go on, or refused before it sends (RFC 9110 §10.1.1)")
  func expectContinue() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      try await peer.send(request("POST /reflect", "expect: 100-continue", "content-length: 5"))
      #expect(try await peer.answerHead().status == 100)
      try await peer.send("hello")
      #expect(try await peer.answer().text == "hello")
      let refused = try await peer.exchange(
        request("POST /nowhere", "expect: 100-continue", "content-length: 5"))
      #expect(refused.status == 404)
      #expect(refused["connection"] == "close")
    }
  }

  @Test("HTTP/1.0 closes after its answer, unless it asks to go on (RFC 9112 §9.3)")
  func http10() async throws {
    try await run { rig in
      let once = try rig.rawPeer()
      try await once.send("GET /hello HTTP/1.0\r\n\r\n")
      let answer = try await once.answer()
      #expect(answer.text == "hello\n" && answer["transfer-encoding"] == nil)
      #expect(try await once.receiveAll().isEmpty)
      let kept = try rig.rawPeer()
      for _ in 0..<3 {
        let answer = try await kept.exchange(
          "GET /hello HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
        #expect(answer.text == "hello\n")
        #expect(answer["connection"]?.lowercased() == "keep-alive")
      }
    }
  }

  @Test("A client that says close gets its answer and the end (RFC 9112 §9.6)")
  func closes() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      let answer = try await peer.exchange(request("GET /hello", "connection: close"))
      #expect(answer["connection"] == "close")
      #expect(try await peer.receiveAll().isEmpty)
    }
  }

  @Test("An unknown path is 404, a method that is not served 405 with what is (RFC 9110 §15.5.6)")
  func notServed() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      #expect(try await peer.exchange(request("GET /nowhere")).status == 404)
      #expect(try await peer.exchange(request("GET /hello/more")).status == 404)
      #expect(try await peer.exchange(request("GET /later/")).status == 404)
      let refused = try await peer.exchange(request("DELETE /hello"))
      #expect(refused.status == 405 && refused["allow"] == "GET, HEAD")
      #expect(try await peer.exchange(request("BREW /hello")).status == 405)
      let options = try await peer.exchange(request("OPTIONS /hello"))
      #expect(options.status == 204 && options["allow"] == "GET, HEAD")
      // What Allow names at a session's path is served there.
      let session = try await peer.exchange(request("PUT /echo"))
      #expect(session.status == 405)
      let allowed = try #require(session["allow"]).split(separator: ", ")
      #expect(Set(allowed) == ["DELETE", "GET", "POST"])
    }
  }

  @Test("A handler that throws is answered for with 500, and the connection goes on")
  func failingHandler() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      #expect(try await peer.exchange(request("GET /fails")).status == 500)
      #expect(try await peer.exchange(request("GET /hello")).status == 200)
    }
  }

  @Test("Every answer has a date, and none that is empty has a body (RFC 9110 §6.6.1)")
  func dates() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      let date = try #require(try await peer.exchange(request("GET /hello"))["date"])
      #expect(date.utf8.count == 29 && date.hasSuffix(" GMT"))
    }
  }

  @Test("A client that pipelines without reading is held back, and loses nothing")
  func pipeliningWithoutReading() async throws {
    try await run { rig in
      let peer = try rig.rawPeer(receiveBuffer: 16_384)
      let body = String(repeating: "x", count: 10_000)
      let count = 600
      async let sending: Void = {
        for _ in 0..<count { try await peer.send(request("POST /reflect", body: body)) }
      }()
      for _ in 0..<count { #expect(try await peer.answer().text.utf8.count == body.utf8.count) }
      try await sending
    }
  }

  @Test("A request that waits for its client to read the answer before it does not run out of time")
  func pipeliningWithPatience() async throws {
    let big = [UInt8](repeating: 0x78, count: 8 << 20)
    let configure = { (configuration: inout TriwireServer.Configuration) in
      configuration.headSeconds = 0.1
    }
    try await Rig.run(
      configure: configure, { $0.respond(at: "/big", synchronously: { _ in Response(body: big) }) }
    ) { rig in
      let peer = try rig.rawPeer(receiveBuffer: 16_384)
      try await peer.send(request("GET /big") + request("GET /big"))
      #expect(try await peer.receive(until: "\r\n").hasPrefix("HTTP/1.1 200"))
      // One that began later is out of time before the first is read on.
      let other = try rig.rawPeer()
      try await other.send("GET /big HTTP/1.1\r\nho")
      #expect(try await other.answer().status == 408)
      _ = try await peer.receive(until: "\r\n\r\n")
      _ = try await peer.receive(big.count)
      let second = try await peer.answer()
      #expect(second.status == 200)
      #expect(second.body.count == big.count)
    }
  }
}
