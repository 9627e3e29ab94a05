import Testing
import TriwireCodec

/// A request that breaks a rule, and the status that answers it.
struct Offence: CustomTestStringConvertible, Sendable {
  var rule: String
  var request: String
  var status: Int

  var testDescription: String { "\(rule): \(request.debugDescription)" }

  init(_ rule: String, _ request: String, _ status: Int = 400) {
    self.rule = rule
    self.request = request
    self.status = status
  }

  /// A GET with the given field lines after Host.
  static func field(_ rule: String, _ lines: String, _ status: Int = 400) -> Offence {
    Offence(rule, "GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n", status)
  }

  /// A POST with a chunked body.
  static func chunk(_ rule: String, _ body: String, _ status: Int = 400) -> Offence {
    Offence(
      rule, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)", status)
  }

  static let startLines = [
    Offence("§3 no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3 no version", "GET /\r\nHost: a\r\n\r\n"),
    Offence("§3 no method", " / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3 two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3 two spaces", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3 tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3 space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    Offence("§3.1 method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2 space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2 control in the target", "GET /a\u{1}b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2 non-ASCII in the target", "GET /é HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2 fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2.1 no slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2.1 query alone", "GET ?a HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2.2 no host", "GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2.2 port alone", "GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2.2 user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2.3 path", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2.3 no port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2.3 no host", "CONNECT :80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2.3 authority for GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3.2.4 star for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§2.3 version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n"),
    Offence("§2.3 long minor", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
    Offence("§2.3 long major", "GET / HTTP/11.1\r\nHost: a\r\n\r\n"),
    Offence("§2.3 other name", "GET / HTTQ/1.1\r\nHost: a\r\n\r\n"),
    Offence("§2.3 no minor", "GET / HTTP/2\r\nHost: a\r\n\r\n"),
    Offence("§2.3 other major", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    Offence("§2.3 other major", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
    Offence("§2.3 preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    Offence("§2.2 TLS", "\u{16}\u{3}\u{1}"),
    Offence("§2.2 bare LF", "GET / HTTP/1.1\nHost: a\n\n"),
    Offence("§2.2 bare LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§2.2 bare CR", "GET / HTTP/1.1\rHost: a\r\n\r\n"),
    Offence("§2.2 bare CR first", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Offence("§3 whitespace before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
  ]

  static let fields = [
    field("§5.1 space before the colon", "X : 1"),
    field("§5.1 tab before the colon", "X\t: 1"),
    field("§5.1 space in the name", "X Y: 1"),
    field("§5 no colon", "X"),
    field("§5 empty name", ": 1"),
    field("§5.1 bad name", "X(: 1"),
    field("§5.1 bad name", "X\u{0}: 1"),
    field("§5.1 non-ASCII name", "é: 1"),
    field("§5.2 obs-fold", "X: 1\r\n 2"),
    field("§5.2 obs-fold with tab", "X: 1\r\n\t2"),
    field("§5.5 NUL", "X: a\u{0}b"),
    field("§5.5 control", "X: a\u{1}b"),
    field("§5.5 DEL", "X: a\u{7F}b"),
    field("§2.2 bare CR", "X: a\rb"),
    field("§2.2 bare CR at the end", "X: a\r"),
    field("§2.2 bare LF", "X: a\nY: b"),
    Offence("§3.2 no host", "GET / HTTP/1.1\r\nX: a\r\n\r\n"),
    Offence("§3.2 no field at all", "GET / HTTP/1.1\r\n\r\n"),
    field("§3.2 two hosts", "Host: a"),
    field("§3.2 two hosts", "host: b"),
    Offence("§3.2 two hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
    Offence("§3.2 bad host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    Offence("§3.2 bad host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    Offence("§3.2 bad host", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    Offence("§3.2 bad host", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"),
    Offence("§3.2 bad host", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
    Offence("§3.2 bad host", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"),
    Offence("§3.2 bad host", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    Offence("§3.2 bad host", "GET / HTTP/1.1\r\nHost: []\r\n\r\n"),
    Offence("§3.2 bad host", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n"),
    Offence("§3.2 bad host", "GET / HTTP/1.1\r\nHost: é\r\n\r\n"),
    field("9110 §10.1.1 expectation", "Expect: 200-ok", 417),
    field("9110 §10.1.1 expectations", "Expect: 100-continue\r\nExpect: 100-continue", 417),
  ]

  /// Where two recipients could see two different ends of one request.
  static let smuggling = [
    field("§6.1 both lengths", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
    field("§6.1 both lengths", "Transfer-Encoding: chunked\r\nContent-Length: 5"),
    field("§6.1 both lengths", "Transfer-Encoding: chunked\r\nContent-Length: 0"),
    field("§6.1 both lengths", "Transfer-Encoding: x\r\nContent-Length: 0"),
    field("§6.3 two lengths", "Content-Length: 5\r\nContent-Length: 6"),
    field("§6.3 two equal lengths", "Content-Length: 5\r\nContent-Length: 5"),
    field("§6.3 list", "Content-Length: 5, 5"),
    field("§6.3 list", "Content-Length: 5,6"),
    field("9110 §8.6 sign", "Content-Length: +5"),
    field("9110 §8.6 sign", "Content-Length: -5"),
    field("9110 §8.6 empty", "Content-Length:"),
    field("9110 §8.6 hex", "Content-Length: 0x5"),
    field("9110 §8.6 space", "Content-Length: 5 0"),
    field("9110 §8.6 fraction", "Content-Length: 5.0"),
    field("9110 §8.6 quotes", "Content-Length: \"5\""),
    field("9110 §8.6 other digits", "Content-Length: ５"),
    field("9110 §8.6 overflow", "Content-Length: 9223372036854775808"),
    field("9110 §8.6 overflow", "Content-Length: 18446744073709551621"),
    field("9110 §8.6 overflow", "Content-Length: 99999999999999999999999999999999999999"),
    field("§5.1 space before the colon", "Content-Length : 5"),
    field("§5.1 space before the colon", "Transfer-Encoding : chunked"),
    field("§5.2 folded", "Transfer-Encoding:\r\n chunked"),
    field("§5.5 control before the coding", "Transfer-Encoding: \u{0B}chunked"),
    field("§6.1 unknown", "Transfer-Encoding: gzip", 501),
    field("§6.1 unknown", "Transfer-Encoding: identity", 501),
    field("§6.1 unknown", "Transfer-Encoding: xchunked", 501),
    field("§6.1 unknown before chunked", "Transfer-Encoding: gzip, chunked", 501),
    field(
      "§6.1 unknown before chunked", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 501),
    field("§6.1 chunked with a parameter", "Transfer-Encoding: chunked;a=b", 501),
    field("§6.3 chunked is not last", "Transfer-Encoding: chunked, gzip"),
    field("§6.3 chunked is not last", "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip"),
    field("§6.1 chunked twice", "Transfer-Encoding: chunked, chunked"),
    field("§6.1 chunked twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    field("§6.1 empty members", "Transfer-Encoding: chunked,"),
    field("§6.1 empty members", "Transfer-Encoding: , chunked"),
    field("§6.1 empty", "Transfer-Encoding:"),
    field("§6.1 quoted", "Transfer-Encoding: \"chunked\""),
    field("§6.1 space", "Transfer-Encoding: chun ked"),
    Offence(
      "§6.1 coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
  ]

  static let chunks = [
    chunk("§7.1 empty size", "\r\n"),
    chunk("§7.1 no hex digit", "g\r\n"),
    chunk("§7.1 prefix", "0x5\r\nhello\r\n"),
    chunk("§7.1 sign", "+5\r\nhello\r\n"),
    chunk("§7.1 sign", "-5\r\nhello\r\n"),
    chunk("§7.1 space first", " 5\r\nhello\r\n"),
    chunk("§7.1 space after", "5 \r\nhello\r\n"),
    chunk("§7.1 overflow", "8000000000000000\r\n"),
    chunk("§7.1 overflow", "fffffffffffffffff\r\n"),
    chunk("§7.1 endless zeros", "00000000000000001\r\n"),
    chunk("§7.1 extension without a size", ";a=b\r\n"),
    chunk("§7.1.1 LF in an extension", "5;a\nhello\r\n"),
    chunk("§7.1.1 NUL in an extension", "5;a\u{0}\r\nhello\r\n"),
    chunk("§2.2 bare LF", "5\nhello\r\n"),
    chunk("§2.2 bare CR", "5\rhello\r\n"),
    chunk("§7.1 data too short", "5\r\nhell\r\n0\r\n\r\n"),
    chunk("§7.1 data too long", "5\r\nhello!\r\n0\r\n\r\n"),
    chunk("§7.1 bare LF after data", "5\r\nhello\n0\r\n\r\n"),
    chunk("§7.1 bare CR after data", "5\r\nhello\r0\r\n\r\n"),
    chunk("§7.1.2 length as a trailer", "0\r\nContent-Length: 5\r\n\r\n"),
    chunk("§7.1.2 coding as a trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    chunk("§7.1.2 host as a trailer", "0\r\nHost: b\r\n\r\n"),
    chunk("9110 §6.5.1 control as a trailer", "0\r\nConnection: close\r\n\r\n"),
    chunk("9110 §6.5.1 identity as a trailer", "0\r\nCookie: a=b\r\n\r\n"),
    chunk("§5.2 folded trailer", "0\r\nX: 1\r\n 2\r\n\r\n"),
    chunk("§2.2 bare LF in trailers", "0\r\nX: 1\n\r\n"),
    chunk("§7.1 total too large", "100001\r\n", 413),
    chunk("§7.1 one chunk too large", "7fffffffffffffff\r\n", 413),
  ]

  static let sizes = [
    field("9110 §8.6 body too large", "Content-Length: 1048577", 413),
    Offence("§3 line too long", "GET /\(String(repeating: "a", count: 8192))", 414),
    Offence("§3 head too long", longHead, 431),
    field(
      "§3 too many fields", Array(repeating: "X: 1", count: 100).joined(separator: "\r\n"), 431),
  ]

  private static let longHead =
    "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 16400)
}

@Suite("HTTP violations")
struct HTTPViolationTests {
  /// Whatever the cuts, the same violation comes, and nothing after it.
  private func check(_ offence: Offence) {
    let bytes = Array(offence.request.utf8)
    let expected = requests([bytes[...]]).observed
    guard case .violation(let violation)? = expected.last else {
      Issue.record("no violation in \(expected)")
      return
    }
    #expect(violation.status.code == offence.status, "\(violation)")
    #expect(violation.message.first?.isUppercase == false || violation.message.hasPrefix("HTTP"))
    let ways = bytes.count < 1000 ? Cuts.all(bytes) : Array(Cuts.all(bytes).prefix(2))
    #expect(ways.allSatisfy { requests($0).observed == expected })
  }

  @Test("A malformed request line is refused (RFC 9112 §2, §3)", arguments: Offence.startLines)
  func startLine(offence: Offence) { check(offence) }

  @Test("A malformed header field is refused (RFC 9112 §5)", arguments: Offence.fields)
  func field(offence: Offence) { check(offence) }

  @Test(
    "A request with two possible ends is refused (RFC 9112 §6, §11)", arguments: Offence.smuggling)
  func smuggling(offence: Offence) { check(offence) }

  @Test("A malformed chunk or trailer is refused (RFC 9112 §7.1)", arguments: Offence.chunks)
  func chunk(offence: Offence) { check(offence) }

  @Test("A request over a limit is refused with the status of the limit", arguments: Offence.sizes)
  func size(offence: Offence) { check(offence) }

  @Test("A request at each limit passes, one over it names the limit and its value")
  func limits() {
    var limits = HTTPLimits()
    limits.requestLineBytes = 14
    limits.headBytes = 35
    limits.headerCount = 2
    limits.bodyBytes = 3
    limits.chunkExtensionBytes = 4
    limits.trailerBytes = 8
    func message(_ request: String) -> String? { violation(request, limits: limits)?.message }
    #expect(message("GET / HTTP/1.1\r\nHost: a\r\nX: abc\r\n\r\n") == nil)
    #expect(
      message("GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        == "request line is over 14 bytes: raise limits.requestLineBytes")
    #expect(
      message("GET / HTTP/1.1\r\nHost: a\r\nX: abcdef\r\n\r\n")
        == "message head is over 35 bytes: raise limits.headBytes")
    #expect(
      message("GET / HTTP/1.1\r\nHost:a\r\nX:\r\nY:\r\n\r\n")
        == "more than 2 header fields: raise limits.headerCount")
    limits.headBytes = 100
    #expect(message("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc") == nil)
    #expect(
      message("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
        == "body is 4 bytes or more, limit is 3: raise limits.bodyBytes")
    let head = "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(message(head + "1;ab\r\na\r\n2\r\nbc\r\n0\r\nX: ab\r\n\r\n") != nil)
    #expect(message(head + "1;ab\r\na\r\n2\r\nbc\r\n0\r\nX:ab\r\n") == nil)
    #expect(
      message(head + "2\r\nab\r\n2\r\n")
        == "body is 4 bytes or more, limit is 3: raise limits.bodyBytes")
    #expect(
      message(head + "1;abcdef\r\n")
        == "chunk extensions are over 4 bytes: raise limits.chunkExtensionBytes")
    #expect(
      message(head + "0\r\nX: abcdef\r\n\r\n")
        == "trailers are over 8 bytes: raise limits.trailerBytes")
  }
}
