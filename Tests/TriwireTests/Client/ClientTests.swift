import Glibc
import Testing
import TestSupport
import Triwire

@Suite("Client: servers that are not as they should be", .takesTurns)
struct ClientTests {
  /// The reason why the only attempt failed.
  func reason(
    _ kind: TransportKind, openSeconds: Double = 1000,
    _ answer: @escaping @Sendable (String) -> ScriptedServer.Answer
  ) async throws -> String {
    let reasons = Mailbox<String>()
    try await withScript(answer) { server, configuration in
      var configuration = configuration
      configuration.openSeconds = openSeconds
      let client = TriwireClient("http://\(server.address)/", configuration: configuration)
      let error = await #expect(throws: ConnectError.self) {
        try await within("the client gives up") { _ = try await client.connect(over: [kind]) }
      }
      let attempts = try #require(error?.attempts)
      #expect(attempts.count == 1 && attempts[0].transport == kind)
      #expect("\(try #require(error))".contains(attempts[0].reason))
      reasons.put(attempts[0].reason)
    }
    return try await reasons.next("a reason")
  }

  static let switching =
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"

  @Test(
    "A wrong Sec-WebSocket-Accept, or none, is refused (RFC 6455 §4.1)",
    arguments: ["sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", ""])
  func badAccept(field: String) async throws {
    let reason = try await reason(.webSocket) { _ in .say(Self.switching + field + "\r\n") }
    #expect(reason == "Sec-WebSocket-Accept does not match the key")
  }

  @Test("A 101 to something else is refused (RFC 6455 §4.1)")
  func otherProtocol() async throws {
    let reason = try await reason(.webSocket) { _ in
      .say("HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: Upgrade\r\n\r\n")
    }
    #expect(reason == "the server switched to another protocol than WebSocket")
  }

  @Test("A refused handshake is told with its status and the server's words")
  func refused() async throws {
    let reason = try await reason(.webSocket) { _ in
      .say("HTTP/1.1 403 Forbidden\r\ncontent-length: 9\r\n\r\nnot here\n")
    }
    #expect(reason == "the server answered 403 Forbidden to the WebSocket handshake: not here")
  }

  @Test(
    "A refusal's status and the first line of its body reach the caller, whether the body ends, does not, or is cut off",
    arguments: TransportKind.allCases)
  func refusals(kind: TransportKind) async throws {
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n"
    let answers: [(ScriptedServer.Answer, text: String)] = [
      (.say(head + "content-length: 20\r\n\r\n\n\u{1B}[31mtoo many\r\nat all"), "[31mtoo many"),
      (.say(head + "transfer-encoding: chunked\r\n\r\n8\r\ntoo many\r\n0\r\n\r\n"), "too many"),
      (.say(head + "content-length: 0\r\n\r\n"), ""),
      (.endless(head + "\r\ntoo many\n", "and more"), "too many"),
      (.endless(head + "\r\n", "more"), String(repeating: "more", count: 256)),
      (.sayAndClose(head + "content-length: 99\r\n\r\ntoo many"), "too many"),
      (.sayAndClose(head + "\r\ntoo many"), "too many"),
    ]
    for (answer, text) in answers {
      try await withScript({ _ in answer }) { server, configuration in
        let client = TriwireClient("http://\(server.address)/", configuration: configuration)
        let error = await #expect(throws: ConnectError.self) {
          try await within("the client gives up") { _ = try await client.connect(over: [kind]) }
        }
        let attempt = try #require(error?.attempts.first)
        let refusal = try #require(attempt.refusal, "\(attempt)")
        #expect(refusal.status == .serviceUnavailable && refusal.text == text && !refusal.isByProxy)
        #expect(attempt.reason.contains("the server answered 503 Service Unavailable"))
        #expect(attempt.reason.hasSuffix(text))
      }
    }
  }

  @Test(
    "A refusal whose body stops coming is told at the deadline", arguments: TransportKind.allCases)
  func refusalThatStops(kind: TransportKind) async throws {
    let reason = try await reason(kind, openSeconds: 0.05) { _ in
      .say("HTTP/1.1 401 Unauthorized\r\ncontent-length: 99\r\n\r\nwho is there")
    }
    #expect(reason.contains("401 Unauthorized") && reason.hasSuffix("who is there"), "\(reason)")
  }

  /// Why an answer to a WebSocket handshake that is right but for these fields is refused.
  private func flaw(
    _ fields: String, _ change: @escaping @Sendable (inout TriwireClient.Configuration) -> Void
  ) async throws -> String? {
    let reasons = Mailbox<String?>()
    try await withScript({ head in
      .say("\(Self.switching)sec-websocket-accept: \(head.acceptedKey)\r\n\(fields)\r\n")
    }) { server, configuration in
      var configuration = configuration
      change(&configuration)
      let client = TriwireClient("http://\(server.address)/", configuration: configuration)
      do {
        let session = try await within("a session opens or does not") {
          try await client.connect(over: [.webSocket])
        }
        session.abort()
        reasons.put(nil)
      } catch let error as ConnectError {
        reasons.put(error.attempts[0].reason)
      }
    }
    return try await reasons.next("a reason")
  }

  @Test("A subprotocol that was not offered, or more than one, is refused (RFC 6455 §4.1)")
  func subprotocols() async throws {
    let chat = "sec-websocket-protocol: chat\r\n"
    #expect(try await flaw("") { _ in } == nil)
    #expect(try await flaw(chat) { $0.subprotocols = ["other", "chat"] } == nil)
    #expect(try await flaw("") { $0.subprotocols = ["chat"] } == nil)
    for (fields, offered) in [
      (chat, []), (chat, ["other"]), (chat, ["Chat"]), (chat + chat, ["chat"]),
      ("sec-websocket-protocol: chat, other\r\n", ["chat", "other"]),
      ("sec-websocket-protocol:\r\n", ["chat"]),
    ] {
      let reason = try await flaw(fields) { $0.subprotocols = offered }
      #expect(
        reason == "the server chose a subprotocol that was not offered", "\(fields)\(offered)")
    }
  }

  @Test(
    "An extension or a parameter that was not offered is refused (RFC 6455 §4.1, RFC 7692 §7.1)")
  func extensions() async throws {
    func answer(_ value: String) -> String { "sec-websocket-extensions: \(value)\r\n" }
    let deflate = DeflateOptions()
    #expect(try await flaw("") { $0.deflate = deflate } == nil)
    let fits = answer("permessage-deflate; server_max_window_bits=12")
    #expect(try await flaw(fits) { $0.deflate = deflate } == nil)
    let notOffered = "the server uses an extension that was not offered"
    #expect(try await flaw(fits) { _ in } == notOffered)
    #expect(try await flaw(answer("x-other")) { _ in } == notOffered)
    #expect(try await flaw(answer("x-other")) { $0.deflate = deflate } == notOffered)
    #expect(
      try await flaw(answer("permessage-deflate, x-other")) { $0.deflate = deflate } == notOffered)
    #expect(
      try await flaw(fits + answer("permessage-deflate")) { $0.deflate = deflate } == notOffered)
    for parameter in ["unknown", "client_max_window_bits=7", "server_max_window_bits", "a=\""] {
      let reason = try await flaw(answer("permessage-deflate; \(parameter)")) {
        $0.deflate = deflate
      }
      #expect(reason?.contains("malformed") == true, "\(parameter)")
    }
    let wide = try await flaw(answer("permessage-deflate")) { $0.deflate = deflate }
    #expect(wide?.contains("raise deflate.peerWindowBits") == true)
  }

  @Test(
    "More than one Sec-WebSocket-Accept is refused, though the first is right (RFC 6455 §11.3.3)")
  func doubledAccept() async throws {
    let reason = try await flaw("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") { _ in }
    #expect(reason == "Sec-WebSocket-Accept does not match the key")
  }

  @Test("An endless head is refused at its limit", arguments: TransportKind.allCases)
  func endlessHead(kind: TransportKind) async throws {
    let reason = try await reason(kind) { _ in
      .endless("HTTP/1.1 200 OK\r\n", "x-field: some value or other\r\n")
    }
    #expect(reason.contains("limits."), "\(reason)")
  }

  @Test("An endless first line is refused at its limit", arguments: TransportKind.allCases)
  func endlessLine(kind: TransportKind) async throws {
    let reason = try await reason(kind) { _ in .endless("HTTP/1.1 200 OK", " and so on") }
    #expect(!reason.isEmpty)
  }

  @Test(
    "A server that says nothing is given up after openSeconds", arguments: TransportKind.allCases)
  func silence(kind: TransportKind) async throws {
    let reason = try await reason(kind, openSeconds: 0.05) { _ in .silence }
    #expect(reason.contains("in time"), "\(reason)")
  }

  @Test(
    "A server that stops in the middle of its head, or resets, is told as such",
    arguments: TransportKind.allCases)
  func cutOff(kind: TransportKind) async throws {
    let cut = try await reason(kind) { _ in .sayAndClose("HTTP/1.1 200 O") }
    #expect(cut.contains("input ends in the middle of a response head"), "\(cut)")
    let reset = try await reason(kind) { _ in .reset }
    #expect(reset.contains(String(cString: strerror(ECONNRESET))), "\(reset)")
  }

  @Test("Something that is not HTTP is refused", arguments: TransportKind.allCases)
  func notHTTP(kind: TransportKind) async throws {
    let reason = try await reason(kind) { _ in .say("SSH-2.0-OpenSSH_9.2\r\n\r\n") }
    #expect(!reason.isEmpty && !reason.contains("in time"), "\(reason)")
  }

  @Test(
    "An event stream that is none is refused (WHATWG HTML §9.2.3)",
    arguments: [
      ("404 Not Found", "text/plain", "404 Not Found"), ("200 OK", "text/html", "text/html"),
      ("204 No Content", "text/event-stream", "204"), ("500 Oops", "text/event-stream", "500"),
    ])
  func notAnEventStream(status: String, type: String, words: String) async throws {
    let reason = try await reason(.serverSentEvents) { _ in
      .say(
        "HTTP/1.1 \(status)\r\ncontent-type: \(type)\r\n"
          + (status.hasPrefix("204") ? "\r\n" : "content-length: 8\r\n\r\nbecause\n"))
    }
    #expect(reason.contains(words), "\(reason)")
  }

  @Test(
    "An answer in a coding that nobody asked for is refused, and the coding named (RFC 9110 §8.4)",
    arguments: [TransportKind.serverSentEvents, .longPolling])
  func coding(kind: TransportKind) async throws {
    // The body never ends, as that of an event stream.
    let reason = try await reason(kind) { _ in
      .say(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip\r\n"
          + "triwire-cursor: AAAAAAAAAAAAAAAA.0\r\n\r\nnot text")
    }
    #expect(reason == "the answer is in the coding gzip, which nobody asked for")
  }

  @Test("The coding identity is none (RFC 9110 §8.4.1)")
  func identity() async throws {
    try await withScript({ _ in
      .say(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: Identity\r\n\r\n"
          + "data: plain\n\n")
    }) { server, configuration in
      let client = TriwireClient("http://\(server.address)/", configuration: configuration)
      let session = try await within("a session opens") {
        try await client.connect(over: [.serverSentEvents])
      }
      #expect(try await session.take() == Message("plain"))
      session.abort()
    }
  }

  @Test("A poll that is answered without a cursor opens nothing")
  func noCursor() async throws {
    let reason = try await reason(.longPolling) { _ in .say("HTTP/1.1 204 No Content\r\n\r\n") }
    #expect(reason.contains("triwire-cursor"))
  }

  @Test("A URL that is none, a scheme that is not spoken, a port where nobody listens are told")
  func noServer() async throws {
    for (url, words) in [
      ("nonsense", "write a URL such as"), ("ftp://a/", "write a URL such as"),
      ("http://:80/", "write a URL such as"), ("http://a:port/", "write a URL such as"),
      ("http://no-such-host.invalid/", "resolve no-such-host.invalid"),
    ] {
      let error = await #expect(throws: ConnectError.self) {
        try await within("the client gives up") {
          _ = try await TriwireClient(url, configuration: .direct).connect()
        }
      }
      #expect("\(String(describing: error))".contains(words), "\(url)")
    }
  }

  @Test(
    "A header field that cannot be sent is refused, not sent (RFC 9110 §5.5)",
    arguments: TransportKind.allCases)
  func badField(kind: TransportKind) async throws {
    try await withScript({ _ in .silence }) { server, configuration in
      var configuration = configuration
      configuration.headers = ["x-token": "a\r\nx-injected: b"]
      let client = TriwireClient("http://\(server.address)/", configuration: configuration)
      let error = await #expect(throws: ConnectError.self) {
        try await within("the client gives up") { _ = try await client.connect(over: [kind]) }
      }
      #expect("\(String(describing: error))".contains("x-token"))
      #expect(server.heads.waiting.isEmpty)
    }
  }

  @Test(
    "A task that is cancelled while a session opens is told so, without waiting for the server",
    arguments: TransportKind.allCases)
  func cancelled(kind: TransportKind) async throws {
    try await withScript({ _ in .silence }) { server, configuration in
      var configuration = configuration
      configuration.openSeconds = 3600
      let client = TriwireClient("http://\(server.address)/", configuration: configuration)
      let task = Task { _ = try await client.connect(over: [kind]) }
      _ = try await server.heads.next("the client asks")
      task.cancel()
      await #expect(throws: CancellationError.self) {
        try await within("the client gives up") { try await task.value }
      }
    }
  }
}
