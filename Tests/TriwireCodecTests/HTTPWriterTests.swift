import Testing
import TriwireCodec

@Suite("HTTP writers")
struct HTTPWriterTests {
  private func response(
    _ head: ResponseHead, body: HTTPBodySize, to method: HTTPMethod = .get,
    version: HTTPVersion = .http11, keepAlive: Bool = true
  ) throws(HTTPHeadError) -> (text: String, framing: ResponseFraming) {
    let framing = try ResponseFraming(
      head, body: body, to: method, version: version, keepAlive: keepAlive)
    let capacity = HTTPResponseWriter.capacity(head)
    let bytes = try written(capacity: capacity) { (output) throws(HTTPHeadError) in
      try HTTPResponseWriter.write(head, framing: framing, into: &output)
    }
    return (text(bytes), framing)
  }

  @Test(
    "Each body is framed as request and status allow (RFC 9112 §6)",
    arguments: [
      (200, "GET", HTTPVersion.http11, HTTPBodySize.bytes(5), "content-length: 5\r\n"),
      (200, "GET", .http11, .none, "content-length: 0\r\n"),
      (200, "GET", .http11, .bytes(0), "content-length: 0\r\n"),
      (200, "GET", .http11, .unknown, "transfer-encoding: chunked\r\n"),
      (200, "GET", .http10, .unknown, "connection: close\r\n"),
      (200, "GET", .http10, .bytes(5), "content-length: 5\r\nconnection: keep-alive\r\n"),
      (200, "HEAD", .http11, .bytes(5), "content-length: 5\r\n"),
      (200, "HEAD", .http11, .unknown, ""),
      (204, "GET", .http11, .none, ""),
      (304, "GET", .http11, .none, ""),
      (101, "GET", .http11, .none, ""),
      (200, "CONNECT", .http11, .none, ""),
    ])
  func framing(
    code: Int, method: String, version: HTTPVersion, body: HTTPBodySize, expected: String
  ) throws {
    let head = ResponseHead(status: HTTPStatus(code))
    let response = try response(
      head, body: body, to: HTTPMethod(rawValue: method), version: version)
    #expect(
      response.text == "HTTP/1.1 \(code) \(HTTPStatus(code).reason)\r\n\(expected)\r\n")
  }

  @Test("What is sent after a head, and whether the connection is kept (RFC 9112 §9.3)")
  func decisions() throws {
    let plain = ResponseHead()
    let closing = ResponseHead(headers: ["Connection": "Close"])
    #expect(try response(plain, body: .bytes(5)).framing.coding == .length(5))
    #expect(try response(plain, body: .unknown).framing.coding == .chunked)
    #expect(try response(plain, body: .bytes(5), to: .head).framing.coding == .none)
    let streamed = try response(plain, body: .unknown, version: .http10)
    #expect(streamed.framing.coding == .untilClose && !streamed.framing.keepAlive)
    let refused = try response(plain, body: .none, keepAlive: false)
    #expect(refused.text.contains("connection: close\r\n") && !refused.framing.keepAlive)
    let own = try response(closing, body: .none)
    #expect(own.text == "HTTP/1.1 200 OK\r\nConnection: Close\r\ncontent-length: 0\r\n\r\n")
    #expect(!own.framing.keepAlive)
  }

  @Test("A body where none is allowed is the caller's mistake (RFC 9112 §6.3)")
  func bodyNotAllowed() {
    #expect(throws: HTTPHeadError.bodyNotAllowed(status: 204)) {
      try response(ResponseHead(status: .noContent), body: .bytes(1))
    }
  }

  @Test("The length and coding of a head give way to the ones decided on (RFC 9112 §6.2)")
  func ownFraming() throws {
    let head = ResponseHead(
      headers: ["A": "1", "Content-Length": "99", "B": "2", "Transfer-Encoding": "chunked"])
    #expect(
      try response(head, body: .bytes(3)).text
        == "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\ncontent-length: 3\r\n\r\n")
  }

  @Test(
    "A field that would break out of its line is never written (RFC 9110 §5.5)",
    arguments: [
      ("X", "a\r\nSet-Cookie: b"), ("X", "a\nb"), ("X", "a\rb"), ("X", "a\0b"), ("X", "a\u{7F}"),
      ("", "a"), ("X Y", "a"), ("X:", "a"), ("X\r\nY", "a"), ("é", "a"),
    ])
  func injection(name: String, value: String) throws {
    var headers: Headers = ["Host": "a"]
    headers.append(name, value)
    headers.append("Z", "fine")
    headers.remove("Host")
    headers.append("Host", "a")
    #expect(throws: HTTPHeadError.field(name: name)) {
      try response(ResponseHead(headers: headers), body: .none)
    }
    let request = RequestHead(target: "/", headers: headers)
    #expect(throws: HTTPHeadError.field(name: name)) { try requestText(request) }
    #expect(throws: HTTPHeadError.field(name: name)) {
      try written { (output) throws(HTTPHeadError) in
        try HTTPChunk.writeLast(trailers: headers, into: &output)
      }
    }
    headers.remove(name)
    #expect(try response(ResponseHead(headers: headers), body: .none).text.contains("Z: fine"))
  }

  @Test("A status line that would break is never written (RFC 9112 §4)")
  func statusLine() {
    for status in [HTTPStatus(200, reason: "OK\r\nX: 1"), HTTPStatus(20), HTTPStatus(1000)] {
      #expect(throws: HTTPHeadError.statusLine(status.description)) {
        let framing = try ResponseFraming(ResponseHead(), body: .none, to: .get)
        _ = try written { (output) throws(HTTPHeadError) in
          try HTTPResponseWriter.write(
            ResponseHead(status: status), framing: framing, into: &output)
        }
      }
    }
  }

  private func requestText(
    _ head: RequestHead, body: HTTPBodySize = .none
  ) throws(HTTPHeadError) -> String {
    let capacity = HTTPRequestWriter.capacity(head)
    return text(
      try written(capacity: capacity) { (output) throws(HTTPHeadError) in
        try HTTPRequestWriter.write(head, body: body, into: &output)
      })
  }

  @Test(
    "A request says how long its body is (RFC 9110 §8.6)",
    arguments: [
      ("GET", HTTPBodySize.none, ""), ("POST", .none, "content-length: 0\r\n"),
      ("POST", .bytes(7), "content-length: 7\r\n"),
      ("PUT", .unknown, "transfer-encoding: chunked\r\n"),
    ])
  func request(method: String, body: HTTPBodySize, expected: String) throws {
    let head = RequestHead(
      method: HTTPMethod(rawValue: method), target: "/a?b", headers: ["Host": "a"])
    #expect(
      try requestText(head, body: body)
        == "\(method) /a?b HTTP/1.1\r\nHost: a\r\n\(expected)\r\n")
  }

  @Test("A request that no server would take is the caller's mistake (RFC 9112 §3)")
  func badRequests() {
    let host: Headers = ["Host": "a"]
    for head in [
      RequestHead(target: "", headers: host), RequestHead(target: "a b", headers: host),
      RequestHead(target: "/ HTTP/1.1\r\nX: ", headers: host),
      RequestHead(target: "/é", headers: host),
      RequestHead(method: HTTPMethod(rawValue: ""), target: "/", headers: host),
      RequestHead(method: HTTPMethod(rawValue: "G T"), target: "/", headers: host),
    ] {
      #expect(throws: HTTPHeadError.self) { try requestText(head) }
    }
    for headers: Headers in [[:], ["Host": "a", "host": "a"], ["Host": "a/b"]] {
      #expect(throws: HTTPHeadError.host) {
        try requestText(RequestHead(target: "/", headers: headers))
      }
    }
  }

  @Test("A request of HTTP/1.0 needs no host and has no chunks (RFC 9112 §6.1)")
  func oldRequest() throws {
    let head = RequestHead(target: "/", version: .http10)
    #expect(try requestText(head) == "GET / HTTP/1.0\r\n\r\n")
    #expect(throws: HTTPHeadError.self) { try requestText(head, body: .unknown) }
  }

  @Test("100 Continue is a head of its own (RFC 9110 §15.2.1)")
  func interim() {
    let bytes = written(capacity: 25) { HTTPResponseWriter.writeContinue(into: &$0) }
    #expect(
      responses([bytes[...]]).observed == [.informational(ResponseHead(status: .continue))])
  }

  @Test("What a writer writes, the other side's codec reads (RFC 9112)")
  func roundTrip() throws {
    let request = RequestHead(
      method: .post, target: "/a?b=c", headers: ["Host": "a", "X": "1", "x": "é"])
    let sent = Array(try requestText(request, body: .bytes(2)).utf8) + Array("hi".utf8)
    let read = requests([sent[...]]).observed
    guard case .request(let head, let framing)? = read.first else {
      Issue.record("no head in \(read)")
      return
    }
    #expect(head.target == request.target && head.headers.values(of: "x") == ["1", "é"])
    #expect(framing.body == .length(2) && read.dropFirst() == [.body("hi"), .end(trailers: nil)])

    var answer = Array(
      try response(ResponseHead(headers: ["Y": "2"]), body: .unknown, to: .post).text.utf8)
    for size in [1, 15, 16, 255, 256, 4095, 70000] {
      let chunk = [UInt8](repeating: 0x61, count: size)
      let framed = written(capacity: size + HTTPChunk.overhead) {
        HTTPChunk.write(chunk.span, into: &$0)
      }
      #expect(framed.count == size + HTTPChunk.overhead(size))
      answer += framed
    }
    let trailers: Headers = ["Z": "3"]
    answer += try written(capacity: HTTPChunk.lastCapacity(trailers: trailers)) {
      (output) throws(HTTPHeadError) in
      try HTTPChunk.writeLast(trailers: trailers, into: &output)
    }
    let observed = responses([answer[...]], to: [.post]).observed
    #expect(observed.count == 3 && observed.last == .end(trailers: ["z": "3"]))
    guard case .body(let body) = observed[1] else {
      Issue.record("no body")
      return
    }
    #expect(body.count == 1 + 15 + 16 + 255 + 256 + 4095 + 70000)
  }
}

@Suite("Numbers in heads")
struct NumberTests {
  @Test(
    "Decimal lengths of every size are written in full",
    arguments: [
      0, 9, 10, 99, 12_345_678, 99_999_999, 100_000_000, 100_000_001, 9_999_999_999_999_999,
      10_000_000_000_000_000, 10_000_000_000_000_007, Int.max,
    ])
  func decimal(number: Int) {
    #expect(text(written(capacity: 19) { $0.append(decimal: number) }) == "\(number)")
  }

  @Test("Hexadecimal sizes are written without leading zeros (RFC 9112 §7.1)")
  func hex() {
    for number in [0, 1, 15, 16, 255, 256, 65535, 65536, UInt64.max] {
      let expected = String(number, radix: 16)
      #expect(text(written(capacity: 16) { $0.append(hex: number) }) == expected)
    }
  }
}
