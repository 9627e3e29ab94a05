import Testing
import TestSupport
import Triwire

@Suite("Server: violations of HTTP", .takesTurns)
struct ViolationTests {
  /// A violation, the status that answers it, and words that its text has.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let request: String
    let status: Int
    let words: String
    var testDescription: String { name }

    init(_ name: String, _ status: Int, _ words: String, _ request: String) {
      (self.name, self.status, self.words, self.request) = (name, status, words, request)
    }
  }

  static let host = "GET /hello HTTP/1.1\r\nhost: a\r\n"
  static let post = "POST /reflect HTTP/1.1\r\nhost: a\r\n"
  static let chunked = post + "transfer-encoding: chunked\r\n\r\n"

  static let cases = [
    Case(
      "both lengths (RFC 9112 §6.1)", 400, "content-length together with transfer-encoding",
      post + "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    Case(
      "two lengths (RFC 9112 §6.3)", 400, "content-length",
      post + "content-length: 5\r\ncontent-length: 6\r\n\r\nhello"),
    Case(
      "a length that is no number (RFC 9110 §8.6)", 400, "content-length",
      post + "content-length: +5\r\n\r\nhello"),
    Case("a bare CR in a head (RFC 9112 §2.2)", 400, "CR", host + "a: b\rc: d\r\n\r\n"),
    Case("a bare LF in a head (RFC 9112 §2.2)", 400, "LF", host + "a: b\n\r\n"),
    Case("obs-fold (RFC 9112 §5.2)", 400, "", host + "a: b\r\n c\r\n\r\n"),
    Case("a space before the colon (RFC 9112 §5.1)", 400, "", host + "a : b\r\n\r\n"),
    Case("a field without a name (RFC 9112 §5)", 400, "", host + ": b\r\n\r\n"),
    Case("a chunk size that is no number (RFC 9112 §7.1)", 400, "chunk", chunked + "x\r\n"),
    Case("a chunk size with a sign", 400, "chunk", chunked + "+5\r\nhello\r\n0\r\n\r\n"),
    Case("a chunk size with 0x", 400, "chunk", chunked + "0x5\r\nhello\r\n0\r\n\r\n"),
    Case("a chunk size over 64 bits", 400, "chunk", chunked + "10000000000000000\r\n"),
    Case("a chunk longer than its size", 400, "chunk", chunked + "2\r\nhello\r\n0\r\n\r\n"),
    Case("no Host (RFC 9112 §3.2)", 400, "host", "GET /hello HTTP/1.1\r\n\r\n"),
    Case("two Hosts (RFC 9112 §3.2)", 400, "host", host + "host: b\r\n\r\n"),
    Case("a Host that is none (RFC 9112 §3.2)", 400, "host", "GET / HTTP/1.1\r\nhost: a b\r\n\r\n"),
    Case(
      "a request line over its limit (RFC 9112 §3)", 414, "limits.requestLineBytes",
      "GET /" + String(repeating: "x", count: 300) + " HTTP/1.1\r\nhost: a\r\n\r\n"),
    Case(
      "a head over its limit (RFC 6585 §5)", 431, "limits.headBytes",
      host + "a: " + String(repeating: "x", count: 1100) + "\r\n\r\n"),
    Case(
      "more fields than the limit (RFC 6585 §5)", 431, "limits.headerCount",
      host + String(repeating: "a: b\r\n", count: 20) + "\r\n"),
    Case(
      "a body over its limit (RFC 9110 §15.5.14)", 413, "limits.bodyBytes",
      post + "content-length: 2001\r\n\r\n"),
    Case(
      "chunks over the limit of a body", 413, "limits.bodyBytes",
      chunked + "7d0\r\n" + String(repeating: "x", count: 2000) + "\r\n1\r\n"),
    Case(
      "an unknown transfer-coding (RFC 9112 §6.1)", 501, "chunked",
      post + "transfer-encoding: gzip, chunked\r\n\r\n"),
    Case("another major version (RFC 9110 §15.6.6)", 505, "", "GET / HTTP/2.0\r\nhost: a\r\n\r\n"),
    Case("something that is not HTTP at all", 400, "", "\u{16}\u{3}\u{1}\0\r\n\r\n"),
    Case(
      "an unknown expectation (RFC 9110 §10.1.1)", 417, "100-continue",
      post + "expect: 200-ok\r\ncontent-length: 1\r\n\r\n"),
  ]

  static func addRoutes(_ server: TriwireServer) {
    server.respond(at: "/hello", synchronously: { _ in Response(text: "hello") })
    server.respond(at: "/reflect", to: nil, synchronously: { Response(body: $0.body) })
    server.session(at: "/echo") { session in
      for try await message in session.messages { try await session.send(message) }
    }
  }

  static func configure(_ configuration: inout TriwireServer.Configuration) {
    configuration.http.requestLineBytes = 200
    configuration.http.headBytes = 1000
    configuration.http.headerCount = 16
    configuration.http.bodyBytes = 2000
  }

  @Test(
    "A violation is answered with its status and a reason, then the connection ends",
    arguments: cases)
  func violation(example: Case) async throws {
    try await Rig.run(configure: Self.configure, Self.addRoutes) { rig in
      let peer = try rig.rawPeer()
      let answer = try await peer.exchange(example.request)
      #expect(answer.status == example.status)
      #expect(answer.text.contains(example.words), "\(answer.text)")
      #expect(answer["connection"] == "close")
      #expect(answer["content-type"]?.hasPrefix("text/plain") == true)
      #expect(try await peer.receiveAll().isEmpty)
    }
  }

  @Test("A good request before a violation is answered, and other sessions go on meanwhile")
  func othersGoOn() async throws {
    try await Rig.run(configure: Self.configure, Self.addRoutes) { rig in
      var sessions: [Session] = []
      for kind in TransportKind.allCases {
        sessions.append(try await rig.connect("/echo", over: kind))
      }
      for (number, example) in Self.cases.enumerated() {
        let peer = try rig.rawPeer()
        try await peer.send(request("GET /hello") + example.request)
        let first = try await peer.answer()
        #expect(first.status == 200 && first.text == "hello\n")
        #expect(try await peer.answer().status == example.status, "\(example.name)")
        for session in sessions {
          try await session.send("\(number)")
          #expect(try await session.take() == Message("\(number)"))
        }
      }
      for session in sessions { session.close() }
    }
  }

  @Test(
    "A head, and a body, that take too long are answered with 408 that names the limit",
    arguments: [
      "GET /hello HTTP/1.1\r\nho",
      "POST /reflect HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhal",
    ])
  func tooLong(start: String) async throws {
    try await Rig.run(
      configure: {
        $0.headSeconds = 0.1
        $0.bodySeconds = 0.1
      }, Self.addRoutes
    ) { rig in
      let peer = try rig.rawPeer()
      try await peer.send(start)
      let answer = try await within("the answer comes by itself") {
        try await peer.answer()
      }
      #expect(answer.status == 408)
      #expect(answer.text.contains("configuration.headSeconds or bodySeconds"))
      #expect(try await peer.receiveAll().isEmpty)
    }
  }

  @Test("A connection that says nothing is ended after its time, without a word")
  func idle() async throws {
    try await Rig.run(configure: { $0.keepAliveSeconds = 0.1 }, Self.addRoutes) { rig in
      let silent = try rig.rawPeer()
      let used = try rig.rawPeer()
      #expect(try await used.exchange(request("GET /hello")).status == 200)
      for peer in [silent, used] {
        let rest = try await within("the connection ends by itself") {
          try await peer.receiveAll()
        }
        #expect(rest.isEmpty)
      }
    }
  }
}
