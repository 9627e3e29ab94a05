import Testing
import TestSupport
import Triwire

@Suite("Client: redirects of the opening request", .takesTurns)
struct RedirectTests {
  static func redirect(_ place: String, _ status: String = "302 Found") -> ScriptedServer.Answer {
    .say("HTTP/1.1 \(status)\r\nlocation: \(place)\r\ncontent-length: 0\r\n\r\n")
  }

  static let refusal = ScriptedServer.Answer.say(
    "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nlost\n")

  /// The reason why a client that follows `limit` redirects fails, and the heads that came.
  func failure(
    _ kind: TransportKind, path: String = "/", _ redirects: RedirectChoice,
    headers: Headers = [:], _ answer: @escaping @Sendable (String) -> ScriptedServer.Answer
  ) async throws -> (reason: String, heads: [String]) {
    let found = Mailbox<(reason: String, heads: [String])>()
    try await withScript(answer) { server, configuration in
      var configuration = configuration
      configuration.redirects = redirects
      configuration.headers = headers
      let client = TriwireClient("ws://\(server.address)\(path)", configuration: configuration)
      let error = await #expect(throws: ConnectError.self) {
        try await within("the client gives up") { _ = try await client.connect(over: [kind]) }
      }
      let attempts = try #require(error?.attempts)
      found.put((attempts[0].reason, server.heads.waiting))
    }
    return try await found.next("a failure")
  }

  @Test(
    "By default a redirect is a failure that names the place and the option",
    arguments: TransportKind.allCases)
  func refused(kind: TransportKind) async throws {
    let (reason, heads) = try await failure(kind, .refused) { _ in Self.redirect("/new?a=b") }
    #expect(heads.count == 1)
    #expect(reason.contains("302 Found") && reason.contains("/new?a=b"), "\(reason)")
    #expect(reason.contains("set redirects to .followed(limit:)"), "\(reason)")
  }

  @Test(
    "Each kind of redirect is followed, and all requests of the session go where it led",
    arguments: TransportKind.allCases,
    ["301 Moved Permanently", "302 Found", "303 See Other", "307 Go", "308 Go"])
  func followed(kind: TransportKind, status: String) async throws {
    try await Rig.run(TrafficTests.addEcho) { rig in
      try await withScript({ head in
        // What the client added to the query comes back with it.
        let query = head.split(separator: " ")[1].split(separator: "?").dropFirst().first ?? ""
        return Self.redirect("http://\(rig.address)/echo?\(query)", status)
      }) { server, configuration in
        var configuration = configuration
        configuration.redirects = .followed(limit: 1)
        let client = TriwireClient("http://\(server.address)/old", configuration: configuration)
        let session = try await within("a session opens") {
          try await client.connect(over: [kind])
        }
        #expect(session.request.target.split(separator: "session=").count <= 2)
        for text in ["up", "and", "down"] {
          try await session.send(text)
          #expect(try await session.take() == Message(text))
        }
        session.close(.normal, "done")
        #expect(try await session.end() == SessionEnd(code: .normal, reason: "done", isLocal: true))
        #expect(server.heads.waiting.count == 1)
      }
    }
  }

  @Test(
    "References are resolved as RFC 3986 §5.4 says, and dots never leave the server",
    arguments: [
      ("g", "/b/c/g"), ("./g", "/b/c/g"), ("g/", "/b/c/g/"), ("/g", "/g"), ("?y", "/b/c/d;p?y"),
      ("g?y", "/b/c/g?y"), ("#s", ""), ("g#s", "/b/c/g"), ("g?y#s", "/b/c/g?y"), (";x", "/b/c/;x"),
      ("g;x", "/b/c/g;x"), ("g;x?y#s", "/b/c/g;x?y"), ("", ""), (".", "/b/c/"), ("./", "/b/c/"),
      ("..", "/b/"), ("../", "/b/"), ("../g", "/b/g"), ("../..", "/"), ("../../", "/"),
      ("../../g", "/g"), ("../../../g", "/g"), ("../../../../g", "/g"), ("/./g", "/g"),
      ("/../g", "/g"), ("g.", "/b/c/g."), (".g", "/b/c/.g"), ("g..", "/b/c/g.."),
      ("..g", "/b/c/..g"), ("./../g", "/b/g"), ("./g/.", "/b/c/g/"), ("g/./h", "/b/c/g/h"),
      ("g/../h", "/b/c/h"), ("g;x=1/./y", "/b/c/g;x=1/y"), ("g;x=1/../y", "/b/c/y"),
      ("g?y/./x", "/b/c/g?y/./x"), ("g?y/../x", "/b/c/g?y/../x"),
    ])
  func references(reference: String, target: String) async throws {
    let (reason, heads) = try await failure(.webSocket, path: "/b/c/d;p?q", .followed(limit: 1)) {
      head in
      head.hasPrefix("GET /b/c/d;p?q ") ? Self.redirect(reference) : Self.refusal
    }
    if target.isEmpty {
      #expect(reason.contains("in a circle") && heads.count == 1, "\(reason)")
    } else {
      #expect(heads.count == 2 && heads[1].hasPrefix("GET \(target) HTTP/1.1\r\n"), "\(heads)")
      #expect(reason.contains("redirected by") && reason.hasSuffix("lost"), "\(reason)")
    }
  }

  @Test("References with a host, or a whole URL of any of the four schemes, lead there")
  func hosts() async throws {
    try await Rig.run(TrafficTests.addEcho) { rig in
      for place in [
        "//\(rig.address)/echo", "HTTP://\(rig.address)/a/../echo", "ws://\(rig.address)/echo#x",
      ] {
        try await withScript({ _ in Self.redirect(place) }) { server, configuration in
          var configuration = configuration
          configuration.redirects = .followed(limit: 3)
          let client = TriwireClient("ws://\(server.address)/", configuration: configuration)
          let session = try await within("a session opens") { try await client.connect() }
          #expect(session.transport == .webSocket && session.request.target == "/echo")
          session.close()
        }
      }
    }
  }

  @Test("Places that are none of a client's are not gone to, and the error names them")
  func badPlaces() async throws {
    for place in ["ftp://a/", "http:g", "mailto:a", "http://", "/a b", "/\u{E9}"] {
      let (reason, heads) = try await failure(.webSocket, .followed(limit: 3)) { _ in
        Self.redirect(place)
      }
      #expect(
        reason.contains(place) && reason.contains("no http, https, ws or wss URL"), "\(reason)")
      #expect(heads.count == 1)
    }
    for places in ["", "location: /a\r\nlocation: /b\r\n"] {
      let (reason, _) = try await failure(.webSocket, .followed(limit: 3)) { _ in
        .say("HTTP/1.1 302 Found\r\n\(places)content-length: 0\r\n\r\n")
      }
      #expect(reason.contains("without naming one place"), "\(reason)")
    }
  }

  @Test(
    "The items that a transport adds to the query do not pile up, and a poll is not kept from waiting"
  )
  func ownItems() async throws {
    for kind in [TransportKind.serverSentEvents, .longPolling] {
      let (_, heads) = try await failure(kind, path: "/?mine=1", .followed(limit: 1)) { head in
        let target = head.split(separator: " ")[1].dropFirst()
        return head.contains("/new") ? Self.refusal : Self.redirect("/new\(target)&theirs=2")
      }
      let query = try #require(heads.last?.split(separator: " ")[1])
      #expect(query.hasPrefix("/new?mine=1&theirs=2&session="), "\(query)")
      #expect(query.split(separator: "session=").count == 2, "\(query)")
    }
  }

  @Test("Nothing leads from a secure URL to one that is not")
  func downgrade() async throws {
    try await Rig.run(
      configure: { try $0.useTLS() },
      { server in
        server.respond(at: "/old") { _ in
          Response(.found, headers: ["location": "http://127.0.0.1:9/echo"])
        }
      }
    ) { rig in
      var following = rig
      following.client.redirects = .followed(limit: 5)
      let client = following
      for kind in TransportKind.allCases {
        let error = await #expect(throws: ConnectError.self) {
          _ = try await client.connect("/old", over: kind)
        }
        #expect(
          "\(String(describing: error))".contains("which is not secure, so it is not followed"))
      }
    }
  }

  @Test("A plain URL leads to a secure one, whose certificate is checked")
  func upgrade() async throws {
    try await Rig.run(configure: { try $0.useTLS() }, TrafficTests.addEcho) { rig in
      try await withScript({ _ in Self.redirect("https://\(rig.address)/echo") }) {
        server, _ in
        var client = rig.client
        client.redirects = .followed(limit: 1)
        // It is of another host than the one redirected to.
        client.tls.serverName = "elsewhere.invalid"
        let first = client
        let url = "http://localhost:\(server.address.port)/"
        let session = try await within("a session opens") {
          try await TriwireClient(url, configuration: first).connect()
        }
        #expect(session.transport == .webSocket)
        session.close()
        client.tls.caFile = nil
        let trusting = client
        let error = await #expect(throws: ConnectError.self) {
          try await within("the client gives up") {
            _ = try await TriwireClient(url, configuration: trusting).connect()
          }
        }
        #expect(error?.attempts.last?.tls == .selfSigned)
      }
    }
  }

  @Test("Secrets go to another place of the same origin, and not to another origin")
  func secrets() async throws {
    let headers: Headers = [
      "Authorization": "Bearer secret", "cookie": "a=secret", "Proxy-Authorization": "secret",
      "x-mine": "kept",
    ]
    let (_, same) = try await failure(.webSocket, .followed(limit: 1), headers: headers) { head in
      head.hasPrefix("GET /new ") ? Self.refusal : Self.redirect("/new")
    }
    #expect(same.count == 2 && same.allSatisfy { $0.split(separator: "secret").count == 4 })
    let others = Mailbox<String>()
    try await withScript({ _ in Self.refusal }) { other, _ in
      _ = try await failure(.webSocket, .followed(limit: 2), headers: headers) { _ in
        Self.redirect("http://\(other.address)/")
      }
      others.put(try await other.heads.next("the redirected request"))
    }
    let head = try await others.next("a head")
    #expect(!head.contains("secret") && head.contains("x-mine: kept"), "\(head)")
  }

  @Test("A circle of redirects ends at once, and the error lists its hops")
  func circle() async throws {
    let (reason, heads) = try await failure(.webSocket, path: "/a", .followed(limit: 100)) { head in
      Self.redirect(head.hasPrefix("GET /a ") ? "/b" : head.hasPrefix("GET /b ") ? "/c" : "/b")
    }
    #expect(heads.count == 3)
    let hops = reason.split(separator: " -> ").map { $0.suffix(2) }
    #expect(reason.hasPrefix("redirects go in a circle: ") && hops == ["/a", "/b", "/c", "/b"])
  }

  @Test(
    "More redirects than the limit end with an error that lists them", arguments: [0, 1, 4, -1])
  func limit(limit: Int) async throws {
    let count = Shared(0)
    let (reason, heads) = try await failure(.webSocket, path: "/0", .followed(limit: limit)) { _ in
      count.change { $0 += 1 }
      return Self.redirect("/\(count.value)")
    }
    #expect(heads.count == max(limit, 0) + 1)
    #expect(reason.hasPrefix("more than \(max(limit, 0)) redirects: "), "\(reason)")
    #expect(
      reason.contains("/0 -> ") && reason.contains("/\(max(limit, 0) + 1): raise"), "\(reason)")
  }
}
