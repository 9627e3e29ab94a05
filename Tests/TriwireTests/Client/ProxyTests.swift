import Glibc
import Testing
import TestSupport
import Triwire

@Suite("Client: tunnels through a proxy", .takesTurns)
struct ProxyTests {
  /// What stops a client whose proxy answers as a test says; nil when nothing does.
  func attempts(
    _ kind: TransportKind = .webSocket, user: String = "", connectSeconds: Double = 1000,
    _ answer: @escaping @Sendable (String) -> ScriptedServer.Answer
  ) async throws -> [ConnectError.Attempt] {
    let attempts = Mailbox<[ConnectError.Attempt]>()
    try await withScript(answer) { proxy, configuration in
      var configuration = configuration
      configuration.connectSeconds = connectSeconds
      configuration.proxy = .url("http://\(user)\(proxy.address)")
      let client = TriwireClient("http://server.invalid/path", configuration: configuration)
      let error = await #expect(throws: ConnectError.self) {
        try await within("the client gives up") {
          _ = try await client.connect(over: [kind, .longPolling])
        }
      }
      attempts.put(try #require(error?.attempts))
    }
    return try await attempts.next("attempts")
  }

  func reason(
    user: String = "", connectSeconds: Double = 1000,
    _ answer: @escaping @Sendable (String) -> ScriptedServer.Answer
  ) async throws -> String {
    let attempts = try await attempts(user: user, connectSeconds: connectSeconds, answer)
    // What is wrong with the proxy is wrong for every transport.
    #expect(attempts.count == 1)
    return attempts[0].reason
  }

  @Test(
    "Each transport reaches http and https URLs through a tunnel, whose request has what the proxy needs and no more (RFC 9110 §9.3.6)",
    arguments: TransportKind.allCases, [false, true])
  func tunnel(kind: TransportKind, isSecured: Bool) async throws {
    try await TunnelProxy.run { proxy in
      try await Rig.run(
        configure: { if isSecured { try $0.useTLS() } }, TrafficTests.addEcho
      ) { rig in
        var behind = rig
        behind.client.proxy = .url(proxy.url)
        behind.client.headers = ["authorization": "Bearer of the server"]
        let session = try await behind.connect("/echo", over: kind)
        let messages = [0, 1, 65_536, 1 << 20].flatMap { size in
          [
            Message(String(repeating: "é", count: size / 2)),
            Message(binary: [UInt8](repeating: 7, count: size)),
          ]
        }
        async let sending: Void = session.send(all: messages)
        #expect(try await session.take(messages.count) == messages)
        try await sending
        let connections = kind == .webSocket ? 1 : 2
        for head in try await proxy.heads.next(connections, "a tunnel") {
          let place = rig.address.description
          #expect(head == "CONNECT \(place) HTTP/1.1\r\nhost: \(place)\r\n\r\n")
        }
        session.close(.normal, "done")
        #expect(try await session.end().code == .normal)
      }
    }
  }

  @Test("Name and password of the proxy's URL are percent-decoded and sent (RFC 7617 §2)")
  func authorization() async throws {
    // "a b:p@ss:é" in base64.
    try await TunnelProxy.run(authorization: "Basic YSBiOnBAc3M6w6k=") { proxy in
      try await Rig.run(TrafficTests.addEcho) { rig in
        var behind = rig
        behind.client.proxy = .url("http://a%20b:p%40ss:%C3%A9@\(proxy.address)/")
        let session = try await behind.connect("/echo", over: .serverSentEvents)
        try await session.send("through")
        #expect(try await session.take() == Message("through"))
        session.close()
        for user in ["", "a:b@"] {
          behind.client.proxy = .url("http://\(user)\(proxy.address)")
          let error = await #expect(throws: ConnectError.self) {
            _ = try await behind.connect("/echo", over: .webSocket)
          }
          let attempt = try #require(error?.attempts.first)
          #expect(attempt.refusal?.status.code == 407 && attempt.refusal?.isByProxy == true)
          #expect(attempt.reason.contains("who is there?"))
          let advice = user.isEmpty ? "http://NAME:PASSWORD@" : "does not accept the name"
          #expect(attempt.reason.contains(advice), "\(attempt.reason)")
        }
      }
    }
  }

  @Test(
    "A refusal of the proxy is told with its status and words, and that the server did not say it",
    arguments: TransportKind.allCases)
  func refused(kind: TransportKind) async throws {
    let attempts = try await attempts(kind) { _ in
      .say("HTTP/1.1 403 Forbidden\r\ncontent-length: 17\r\n\r\nnot that one\nmore")
    }
    #expect(attempts.count == 1 && attempts[0].transport == kind)
    let refusal = try #require(attempts[0].refusal)
    #expect(refusal.status == .forbidden && refusal.text == "not that one" && refusal.isByProxy)
    #expect(attempts[0].reason.hasPrefix("the proxy 127.0.0.1:"))
    #expect(
      attempts[0].reason.hasSuffix(
        "not the server, refused a tunnel to server.invalid:80 with 403 Forbidden: not that one"))
  }

  @Test("A refusal whose body does not end is told at its first line, or by the deadline")
  func endlessRefusal() async throws {
    let line = try await reason { _ in .endless("HTTP/1.1 502 Bad Gateway\r\n\r\nno way\n", "more")
    }
    #expect(line.hasSuffix("502 Bad Gateway: no way"), "\(line)")
    let rest = try await reason(connectSeconds: 0.05) { _ in
      .say("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 10\r\n\r\nno")
    }
    #expect(rest.hasSuffix("502 Bad Gateway: no"), "\(rest)")
  }

  @Test("A proxy that asks for another authentication than Basic is told as such")
  func otherScheme() async throws {
    let reason = try await reason(user: "a:b@") { _ in
      .say(
        "HTTP/1.1 407 No\r\nproxy-authenticate: Negotiate\r\n"
          + "proxy-authenticate: NTLM x=y\r\ncontent-length: 0\r\n\r\n")
    }
    #expect(reason.hasSuffix("407 No; it asks for Negotiate, NTLM, and only Basic is spoken"))
  }

  @Test("A proxy that says nothing is given up after connectSeconds")
  func silence() async throws {
    let reason = try await reason(connectSeconds: 0.05) { _ in .silence }
    #expect(reason.hasSuffix("did not answer in time: raise connectSeconds"), "\(reason)")
  }

  @Test("An endless head of a proxy is refused at its limit")
  func endlessHead() async throws {
    let reason = try await reason { _ in .endless("HTTP/1.1 200 OK\r\n", "x-field: value\r\n") }
    #expect(reason.contains("the proxy") && reason.contains("limits."), "\(reason)")
  }

  @Test("Bytes before a proxy's answer, or behind it, are refused")
  func strayBytes() async throws {
    let before = try await reason { _ in .say("\0\0HTTP/1.1 200 OK\r\n\r\n") }
    #expect(before.contains("does not answer as a proxy does"), "\(before)")
    let behind = try await reason { _ in .say("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n") }
    #expect(behind.contains("sent 17 bytes behind its answer"), "\(behind)")
  }

  @Test("Something that is no proxy, ends or resets is told as such")
  func noProxy() async throws {
    let ssh = try await reason { _ in .say("SSH-2.0-OpenSSH_9.2\r\n\r\n") }
    #expect(ssh.contains("does not answer as a proxy does"), "\(ssh)")
    let ended = try await reason { _ in .sayAndClose("HTTP/1.1 2") }
    #expect(ended.contains("ended the connection without opening a tunnel"), "\(ended)")
    let reset = try await reason { _ in .reset }
    #expect(reset.contains(String(cString: strerror(ECONNRESET))), "\(reset)")
    let upgraded = try await reason { _ in .say("HTTP/1.1 101 Switching Protocols\r\n\r\n") }
    #expect(upgraded.contains("does not answer as a proxy does"), "\(upgraded)")
  }

  @Test("Interim answers of a proxy are passed over, and a 204 opens a tunnel as every 2xx does")
  func otherSuccess() async throws {
    let attempts = try await attempts { head in
      head.hasPrefix("CONNECT")
        ? .say("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
        : .say("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
    }
    #expect(attempts.map(\.transport) == [.webSocket, .longPolling])
    #expect(
      attempts.allSatisfy { $0.refusal?.status == .notFound && $0.refusal?.isByProxy == false })
  }

  @Test("What is no HTTP proxy is refused with what to write, and without the password")
  func badProxies() async throws {
    for (proxy, words) in [
      ("socks5://a:secret@127.0.0.1:1080", "\"socks5\", which is not spoken"),
      ("https://a:secret@127.0.0.1", "\"https\", which is not spoken"),
      ("http://a:secret@127.0.0.1:port", "is not the URL of a proxy"),
      ("http://a:secret@", "is not the URL of a proxy"),
      ("http://a:secret@127.0.0.1/path", "is not the URL of a proxy"),
      ("http://a%3Ab:secret@127.0.0.1", "no colon in the name"),
      ("http://a:secret%0D%0A@127.0.0.1", "no control characters"),
      ("http://proxy.invalid", "the proxy proxy.invalid:80 is not found"),
    ] {
      var configuration = TriwireClient.Configuration()
      configuration.resume = nil
      configuration.proxy = .url(proxy)
      let client = TriwireClient("http://server.invalid/", configuration: configuration)
      let error = await #expect(throws: ConnectError.self) {
        try await within("the client gives up") { _ = try await client.connect() }
      }
      let text = "\(String(describing: error))"
      #expect(text.contains(words) && !text.contains("secret"), "\(text)")
    }
  }

  @Test("A proxy that is not there is told as such")
  func unreachable() async throws {
    let gone = Mailbox<String>()
    try await TunnelProxy.run { gone.put($0.url) }
    var configuration = TriwireClient.Configuration()
    configuration.resume = nil
    configuration.proxy = .url(try await gone.next("an address"))
    configuration.fallback.staggerSeconds = 3600
    let client = TriwireClient("http://server.invalid/", configuration: configuration)
    let error = await #expect(throws: ConnectError.self) {
      try await within("the client gives up") { _ = try await client.connect() }
    }
    let attempts = try #require(error?.attempts)
    #expect(attempts.count == 1 && attempts[0].reason.contains("cannot be reached"))
  }

  @Test("A task that is cancelled while a proxy is silent is told so")
  func cancelled() async throws {
    try await withScript({ _ in .silence }) { proxy, configuration in
      var configuration = configuration
      configuration.proxy = .url("http://\(proxy.address)")
      configuration.connectSeconds = 3600
      let client = TriwireClient("wss://server.invalid/", configuration: configuration)
      let task = Task { _ = try await client.connect() }
      _ = try await proxy.heads.next("the client asks")
      task.cancel()
      await #expect(throws: CancellationError.self) {
        try await within("the client gives up") { try await task.value }
      }
    }
  }
}
