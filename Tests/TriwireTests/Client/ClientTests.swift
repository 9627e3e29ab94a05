import Glibc
import Testing
import TestSupport
import Triwire

@Suite("Client: servers that are not as they should be")
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
        try await within("the client gives up") { _ = try await TriwireClient(url).connect() }
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
