import Testing
import TriwireCodec

@Suite("HTTP client codec")
struct HTTPClientCodecTests {
  private func expect(
    _ input: String, to methods: [HTTPMethod] = [.get], upgrade: Bool = false,
    gives expected: [Observed], left: String = "", ended: Bool = false,
    at location: SourceLocation = #_sourceLocation
  ) {
    for arrivals in Cuts.all(Array(input.utf8)) {
      let (observed, rest) = responses(arrivals, to: methods, upgrade: upgrade, ended: ended)
      #expect(observed == expected, sourceLocation: location)
      #expect(text(rest) == left, sourceLocation: location)
      if observed != expected { return }
    }
  }

  private func head(
    _ status: HTTPStatus, _ body: ClientResponseFraming.Body, _ headers: Headers = [:],
    keepAlive: Bool = true, version: HTTPVersion = .http11
  ) -> Observed {
    .response(
      ResponseHead(status: status, version: version, headers: headers),
      ClientResponseFraming(body: body, keepAlive: keepAlive))
  }

  @Test("Pipelined responses answer the requests in order (RFC 9112 §9.3.2)")
  func pipelined() {
    expect(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
        + "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
        + "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
      to: [.get, .head, .post],
      gives: [
        head(.ok, .length(2), ["Content-Length": "2"]), .body("hi"), .end(trailers: nil),
        head(.ok, .none, ["Content-Length": "7"]), .end(trailers: nil),
        head(.notFound, .none, ["Content-Length": "0"]), .end(trailers: nil),
      ])
  }

  @Test("A chunked response with trailers (RFC 9112 §7.1)")
  func chunked() {
    expect(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: 1\r\n\r\n",
      gives: [
        head(.ok, .chunked, ["Transfer-Encoding": "chunked"]), .body("hi"),
        .end(trailers: ["x": "1"]),
      ])
  }

  @Test("A response without a length ends with the connection (RFC 9112 §6.3)")
  func untilClose() {
    expect(
      "HTTP/1.1 200\r\n\r\nall of it\r\n",
      gives: [
        head(.ok, .untilClose, keepAlive: false), .body("all of it\r\n"), .end(trailers: nil),
      ], ended: true)
    expect(
      "HTTP/1.0 200 OK\r\n\r\n",
      gives: [head(.ok, .untilClose, keepAlive: false, version: .http10), .end(trailers: nil)],
      ended: true)
  }

  @Test("204 and 304 have no body whatever their fields say (RFC 9112 §6.3)")
  func noBody() {
    expect(
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
      to: [.get, .get],
      gives: [
        head(.notModified, .none, ["Content-Length": "5"]), .end(trailers: nil),
        head(.noContent, .none), .end(trailers: nil),
      ])
  }

  @Test("Interim responses precede the final one (RFC 9110 §15.2)")
  func interim() {
    expect(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
        + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      to: [.post],
      gives: [
        .informational(ResponseHead(status: .continue)),
        .informational(ResponseHead(status: HTTPStatus(103), headers: ["link": "a"])),
        head(.ok, .none, ["content-length": "0"]), .end(trailers: nil),
      ])
  }

  @Test("101 and a tunnel hand the bytes that follow over (RFC 9110 §7.8, §9.3.6)")
  func handOver() {
    expect(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{1}\u{2}",
      upgrade: true,
      gives: [head(.switchingProtocols, .handedOver, ["upgrade": "websocket"], keepAlive: false)],
      left: "\u{1}\u{2}")
    expect(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
      to: [.connect],
      gives: [head(.ok, .handedOver, ["content-length": "5"], keepAlive: false)], left: "abc")
  }

  @Test("A refused upgrade is an ordinary response (RFC 9110 §7.8)")
  func refusedUpgrade() {
    expect(
      "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", upgrade: true,
      gives: [
        head(.forbidden, .length(2), ["content-length": "2"]), .body("no"), .end(trailers: nil),
      ])
  }

  @Test(
    "A response that breaks a rule is refused with 502 at every cut (RFC 9112)",
    arguments: [
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
      "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 200\tOK\r\n\r\n", "HTTP/1.1 200 O\u{1}K\r\n\r\n",
      "HTTP/2.0 200 OK\r\n\r\n", "HTTX/1.1 200 OK\r\n\r\n", "200 OK\r\n\r\n", "\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\nx",
    ])
  func violations(response: String) {
    let bytes = Array(response.utf8)
    let expected = responses([bytes[...]]).observed
    guard case .violation(let violation)? = expected.last else {
      Issue.record("no violation in \(expected)")
      return
    }
    #expect(violation.status == .badGateway)
    #expect(Cuts.all(bytes).allSatisfy { responses($0).observed == expected })
  }

  @Test("An end of input inside a response is a violation, between them it is not (RFC 9112 §8)")
  func truncated() {
    let bytes = Array(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n".utf8)
    for count in 0...bytes.count {
      let observed = responses([bytes[..<count]], ended: true).observed
      if case .violation(let violation)? = observed.last {
        #expect(count > 0 && count < bytes.count && violation.status == .badGateway)
      } else {
        #expect(count == 0 || count == bytes.count)
      }
    }
  }

  @Test("Endless interim responses are refused")
  func manyInterim() {
    var limits = HTTPLimits()
    limits.interimResponses = 2
    let one = "HTTP/1.1 100 Continue\r\n\r\n"
    let bytes = Array((one + one + one).utf8)
    guard case .violation(let violation)? = responses([bytes[...]], limits: limits).observed.last
    else {
      Issue.record("no violation")
      return
    }
    #expect(violation.message.contains("raise limits.interimResponses"))
  }

  @Test("A connection can carry another request until a response says otherwise (RFC 9112 §9.3)")
  func canSend() throws {
    for (fields, expected) in [
      ("Content-Length: 0", true), ("Content-Length: 0\r\nConnection: close", false),
    ] {
      var codec = HTTPClientCodec()
      codec.requestSent(.get)
      #expect(codec.canSend && codec.outstanding == 1)
      let input = Array("HTTP/1.1 200 OK\r\n\(fields)\r\n\r\n".utf8)
      var offset = 0
      while try codec.nextEvent(in: input.span, at: &offset) != nil {}
      #expect(codec.canSend == expected && codec.outstanding == 0)
    }
  }
}
