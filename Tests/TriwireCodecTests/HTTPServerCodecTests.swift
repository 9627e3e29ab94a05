import Testing
import TriwireCodec

@Suite("HTTP server codec")
struct HTTPServerCodecTests {
  private func expect(
    _ input: String, limits: HTTPLimits = HTTPLimits(), gives expected: [Observed],
    left: String = "", at location: SourceLocation = #_sourceLocation
  ) {
    for arrivals in Cuts.all(Array(input.utf8)) {
      let (observed, rest) = requests(arrivals, limits: limits)
      #expect(observed == expected, sourceLocation: location)
      #expect(text(rest) == left, sourceLocation: location)
      if observed != expected { return }
    }
  }

  @Test("A GET is a head and an end, at every cut (RFC 9112 §3)")
  func get() {
    let head = RequestHead(
      target: "/healthz?a=b", headers: ["host": "a:80", "accept": "*/*", "X-Empty": ""])
    expect(
      "GET /healthz?a=b HTTP/1.1\r\nHost: a:80\r\nAccept:  \t*/*\t \r\nX-Empty:\r\n\r\n",
      gives: [.request(head, RequestFraming()), .end(trailers: nil)])
  }

  @Test("A body of known length comes in pieces, and the next request follows (RFC 9112 §6.2)")
  func contentLength() {
    let first = RequestHead(
      method: .post, target: "/", headers: ["Host": "a", "Content-Length": "5"])
    let second = RequestHead(target: "/next", headers: ["Host": "b"])
    expect(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        + "GET /next HTTP/1.1\r\nHost: b\r\n\r\nGE",
      gives: [
        .request(first, RequestFraming(body: .length(5))), .body("hello"), .end(trailers: nil),
        .request(second, RequestFraming()), .end(trailers: nil),
      ],
      left: "GE")
  }

  @Test("A head that repeats the fields of the last one is judged as if it stood alone")
  func repeatedFields() {
    var limits = HTTPLimits()
    limits.requestLineBytes = 40
    limits.headBytes = 80
    let long = String(repeating: "x", count: 30)
    let heads = [
      "GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n", "HEAD /b HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n",
      "GET /a HTTP/1.0\r\nHost: a\r\nX: 1\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a\r\nX: 2\r\n\r\n",
      "GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 1\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /a HTTP/2.0\r\nHost: a\r\nX: 1\r\n\r\n", "GET /a HTTP/1.1\nHost: a\r\nX: 1\r\n\r\n",
      "GET /\(long) HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n",
      "G\u{1} / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
      "\r\nGET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n",
    ]
    for first in heads {
      for second in heads {
        let (before, kept) = requests([Array(first.utf8)[...]], limits: limits)
        guard kept.isEmpty, before.count == 2 else { continue }
        let (alone, left) = requests([Array(second.utf8)[...]], limits: limits)
        let (after, rest) = requests([Array((first + second).utf8)[...]], limits: limits)
        #expect(after == before + alone && rest == left, "\(second) after \(first)")
      }
    }
  }

  @Test("A chunked body with extensions and trailers, at every cut (RFC 9112 §7.1)")
  func chunked() {
    let head = RequestHead(
      method: .post, target: "/", headers: ["Host": "a", "Transfer-Encoding": "Chunked"])
    expect(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
        + "5\r\nhello\r\n00a;name=\"v\"\r\n, world.\r\n\r\n1 ; a\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n",
      gives: [
        .request(head, RequestFraming(body: .chunked)), .body("hello, world.\r\n!"),
        .end(trailers: ["x-sum": "1"]),
      ])
  }

  @Test("An empty chunked body without trailers ends at once (RFC 9112 §7.1)")
  func emptyChunked() {
    let head = RequestHead(
      method: .put, target: "/", headers: ["Host": "a", "Transfer-Encoding": "chunked"])
    expect(
      "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      gives: [.request(head, RequestFraming(body: .chunked)), .end(trailers: nil)])
  }

  @Test("Bytes after an upgrade request stay with the caller (RFC 9110 §7.8)")
  func upgrade() throws {
    let input = Array(
      "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n\u{1}\u{2}"
        .utf8)
    var codec = HTTPServerCodec()
    var offset = 0
    guard case .head(_, let framing) = try codec.nextEvent(in: input.span, at: &offset) else {
      Issue.record("no head")
      return
    }
    #expect(framing.isUpgrade)
    #expect(try codec.nextEvent(in: input.span, at: &offset) == .end(trailers: nil))
    #expect(Array(input[offset...]) == [1, 2])
  }

  @Test(
    "Whether the connection persists (RFC 9112 §9.3)",
    arguments: [
      ("1.1", "", true), ("1.1", "Connection: close\r\n", false),
      ("1.1", "Connection: keep-alive, CLOSE\r\n", false),
      ("1.1", "Connection: x\r\nConnection: close\r\n", false),
      ("1.0", "", false), ("1.0", "Connection: Keep-Alive\r\n", true),
      ("1.0", "Connection: keep-alive, close\r\n", false),
      ("1.1", "Connection: closed\r\n", true),
    ])
  func keepAlive(version: String, fields: String, expected: Bool) {
    let input = "GET / HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n"
    guard case .request(_, let framing)? = requests([Array(input.utf8)[...]]).observed.first else {
      Issue.record("no head")
      return
    }
    #expect(framing.keepAlive == expected)
  }

  @Test(
    "A wait for 100 Continue counts in HTTP/1.1 and with a body only (RFC 9110 §10.1.1)",
    arguments: [
      ("1.1", "Content-Length: 1", true), ("1.1", "Transfer-Encoding: chunked", true),
      ("1.1", "Content-Length: 0", false), ("1.0", "Content-Length: 1", false),
    ])
  func expectContinue(version: String, field: String, expected: Bool) {
    let input = "PUT / HTTP/\(version)\r\nHost: a\r\nExpect: 100-Continue\r\n\(field)\r\n\r\n"
    guard case .request(_, let framing)? = requests([Array(input.utf8)[...]]).observed.first else {
      Issue.record("no head")
      return
    }
    #expect(framing.expectsContinue == expected)
  }

  @Test("Upgrade is ignored in HTTP/1.0 and without its connection option (RFC 9110 §7.8)")
  func noUpgrade() {
    for head in [
      "GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n",
    ] {
      guard case .request(_, let framing)? = requests([Array(head.utf8)[...]]).observed.first else {
        Issue.record("no head")
        continue
      }
      #expect(!framing.isUpgrade)
    }
  }

  @Test(
    "Every form of target is taken with its method (RFC 9112 §3.2)",
    arguments: [
      "GET /", "GET /a/b?c=d&e", "GET http://example.org", "GET http://example.org:8080/a?b",
      "GET https://[::1]:443/", "OPTIONS *", "OPTIONS /a", "CONNECT example.org:443",
      "CONNECT [::1]:443", "PROPFIND /x", "GET /a|b{c}", "GET //",
    ])
  func targets(start: String) {
    #expect(violation("\(start) HTTP/1.1\r\nHost: a\r\n\r\n") == nil)
  }

  @Test(
    "Valid hosts are taken (RFC 9110 §7.2)",
    arguments: [
      "a", "a:80", "a.b-c_d~e", "127.0.0.1:8080", "[::1]", "[::1]:80", "[v1.a:b]", "a%20b", "",
      "a:",
      "xn--nxasmq6b.example",
    ])
  func hosts(host: String) {
    #expect(violation("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n") == nil)
  }

  @Test("HTTP/1.0 needs no host, and HTTP/1.9 is taken as 1.1 (RFC 9110 §2.5)")
  func versions() {
    expect(
      "GET / HTTP/1.0\r\n\r\n",
      gives: [
        .request(RequestHead(target: "/", version: .http10), RequestFraming(keepAlive: false)),
        .end(trailers: nil),
      ])
    expect(
      "GET / HTTP/1.9\r\nHost: a\r\n\r\n",
      gives: [
        .request(RequestHead(target: "/", headers: ["host": "a"]), RequestFraming()),
        .end(trailers: nil),
      ])
  }

  @Test("Two empty lines before a request are ignored, a third is not (RFC 9112 §2.2)")
  func emptyLines() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    let head = RequestHead(target: "/", headers: ["host": "a"])
    let whole: [Observed] = [.request(head, RequestFraming()), .end(trailers: nil)]
    expect("\r\n\r\n" + request + "\r\n" + request, gives: whole + whole)
    #expect(violation("\r\n\r\n\r\n" + request)?.status == .badRequest)
  }

  @Test("Bytes above 0x7F pass in a value and are read as what they are (RFC 9110 §5.5)")
  func obsText() {
    let head = "GET / HTTP/1.1\r\nHost: a\r\nX: é\r\nY: "
    let input = Array(head.utf8) + [0xE9] + Array("\r\n\r\n".utf8)
    guard case .request(let head, _)? = requests([input[...]]).observed.first else {
      Issue.record("no head")
      return
    }
    #expect(head.headers["x"] == "é")
    #expect(head.headers["y"] == "é")
  }

  @Test("An end of input is clean between requests and nowhere else (RFC 9112 §8)")
  func endOfInput() {
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
    let bytes = Array(request.utf8)
    for count in 0...bytes.count {
      let observed = requests([bytes[..<count]], ended: true).observed
      let isClean = count == 0 || count == bytes.count
      if case .violation(let violation)? = observed.last {
        #expect(!isClean && violation.status == .badRequest)
      } else {
        #expect(isClean)
      }
    }
  }

  @Test("A codec is idle between requests and nowhere else")
  func isIdle() throws {
    let input = Array("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx".utf8)
    var codec = HTTPServerCodec()
    var offset = 0
    #expect(codec.isIdle)
    #expect(try codec.nextEvent(in: input.span.extracting(0..<5), at: &offset) == nil)
    #expect(!codec.isIdle)
    var events = 0
    while try codec.nextEvent(in: input.span, at: &offset) != nil {
      events += 1
      #expect(codec.isIdle == (events == 3))
    }
    #expect(events == 3)
  }

  @Test("A violation is thrown again by every later call")
  func poisoned() {
    let input = Array("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    var codec = HTTPServerCodec()
    var offset = 0
    #expect(throws: Never.self) { try codec.endOfInput() }
    for _ in 0..<3 {
      #expect(throws: HTTPViolation(.badRequest, "request has no host header field")) {
        try codec.nextEvent(in: input.span, at: &offset)
      }
    }
    #expect(throws: HTTPViolation.self) { try codec.endOfInput() }
  }

  @Test("A head of 14 KB that comes byte by byte is whole with its last byte and not before")
  func slowHead() {
    var limits = HTTPLimits()
    limits.headBytes = 1 << 20
    limits.headerCount = 100_000
    let field = "a: " + String(repeating: "b", count: 14_000) + "\r\n"
    let input = Array(("GET / HTTP/1.1\r\nHost: a\r\n" + field + "\r\n").utf8)
    var codec = HTTPServerCodec(limits: limits)
    var offset = 0
    for count in 1..<input.count {
      let arrived = input.span.extracting(0..<count)
      #expect((try? codec.nextEvent(in: arrived, at: &offset)) == .some(nil))
    }
    #expect((try? codec.nextEvent(in: input.span, at: &offset)) != nil)
  }
}
