import Testing
import TriwireCodec

@Suite("Headers")
struct HeadersTests {
  @Test("Names are compared without case and values kept in order (RFC 9110 §5.1, §5.3)")
  func lookup() {
    var headers: Headers = ["Accept": "a", "X": "1", "accept": "b"]
    #expect(headers["ACCEPT"] == "a")
    #expect(headers.values(of: "Accept") == ["a", "b"])
    #expect(headers["Y"] == nil)
    #expect(headers.contains("x") && !headers.contains("xx") && !headers.contains(""))
    headers["accept"] = "c"
    #expect(headers.values(of: "accept") == ["c"])
    #expect(headers.map(\.name) == ["X", "accept"])
    headers["x"] = nil
    #expect(headers.count == 1 && headers["accept"] == "c")
    headers.removeAll()
    #expect(headers.isEmpty && headers == [:])
  }

  @Test("Characters that differ in bit 5 alone are different names (RFC 9110 §5.6.2)")
  func bitFive() {
    let headers: Headers = ["x^": "1", "x~": "2"]
    #expect(headers["X~"] == "2" && headers["X^"] == "1")
  }

  @Test("A removal in the middle leaves the others whole")
  func remove() {
    var headers: Headers = ["A": "1", "B": "2", "C": "", "b": "3", "D": "4"]
    headers.remove("b")
    #expect(headers.map { "\($0.name)=\($0.value)" } == ["A=1", "C=", "D=4"])
    headers.append("E", "5")
    #expect(headers["e"] == "5" && headers["d"] == "4")
  }

  @Test("Lists are split at commas over all fields of a name (RFC 9110 §5.6.1)")
  func tokens() {
    let headers: Headers = ["Connection": "keep-alive ,\tUpgrade,", "connection": ", x"]
    for token in ["upgrade", "Keep-Alive", "X"] {
      #expect(headers.contains(token: token, in: "connection"))
    }
    for token in ["up", "grade", "keep-alive, upgrade", ""] {
      #expect(!headers.contains(token: token, in: "connection"))
    }
    #expect(!headers.contains(token: "x", in: "upgrade"))
  }

  @Test("Two are equal when each name has the same values in order (RFC 9110 §5.3)")
  func equality() {
    let headers: Headers = ["A": "1", "B": "2", "a": "3"]
    #expect(headers == ["b": "2", "a": "1", "A": "3"])
    #expect(headers != ["b": "2", "a": "3", "A": "1"])
    #expect(headers != ["a": "1", "b": "2"])
    #expect(headers != ["a": "1", "b": "2", "c": "3"])
  }

  @Test("Parsed fields can be changed like any others")
  func parsed() {
    let input = "GET / HTTP/1.1\r\nHost:  a \r\nX:1\r\nY: 2\t\r\n\r\n"
    guard case .request(var head, _)? = requests([Array(input.utf8)[...]]).observed.first else {
      Issue.record("no head")
      return
    }
    #expect(head.headers["host"] == "a" && head.headers["y"] == "2")
    head.headers["x"] = nil
    head.headers.append("Z", "3")
    #expect(head.headers == ["Host": "a", "Y": "2", "Z": "3"])
  }
}

@Suite("Request heads")
struct RequestHeadTests {
  @Test(
    "The path and the query of a target (RFC 9112 §3.2)",
    arguments: [
      ("/", "/", nil), ("/a/b?c=d", "/a/b", "c=d"), ("/a?", "/a", ""), ("*", "*", nil),
      ("http://h:80/a?b?c", "/a", "b?c"), ("http://h", "/", nil), ("http://h?q", "/", "q"),
      ("h:443", "h:443", nil), ("//a/b", "//a/b", nil),
    ] as [(String, String, String?)])
  func path(target: String, path: String, query: String?) {
    let head = RequestHead(target: target)
    #expect(head.path == path)
    #expect(head.query == query)
  }

  @Test(
    "Query items are decoded as forms are (WHATWG URL §5.1)",
    arguments: [
      ("/?a=1&b=2", "b", "2"), ("/?a=1&a=2", "a", "1"), ("/?a", "a", ""), ("/?a=", "a", ""),
      ("/?b=1", "a", nil), ("/", "a", nil), ("/?", "a", nil), ("/?a%20b=c+d", "a b", "c d"),
      ("/?a=%C3%A9%2B", "a", "é+"), ("/?a=%", "a", "%"), ("/?a=%4", "a", "%4"),
      ("/?a=%zz", "a", "%zz"), ("/?&&a=1", "a", "1"), ("/?a=b=c", "a", "b=c"),
    ] as [(String, String, String?)])
  func queryItem(target: String, name: String, value: String?) {
    #expect(RequestHead(target: target).queryItem(name) == value)
  }

  @Test("An encoded item is decoded to itself (RFC 3986 §2)")
  func percentCoding() {
    let item = "a b&c=d/é+~%\r\n"
    let head = RequestHead(target: "/?x=\(PercentCoding.encode(item))")
    #expect(head.queryItem("x") == item)
  }

  @Test("A status has its standard phrase and is compared by code (RFC 9112 §4)")
  func status() {
    #expect(HTTPStatus(404).description == "404 Not Found")
    #expect(HTTPStatus(799).description == "799")
    #expect(HTTPStatus(200, reason: "Fine") == .ok)
    let statuses: Set<HTTPStatus> = [.ok, HTTPStatus(200, reason: ""), .gone]
    #expect(statuses.count == 2)
    #expect(HTTPStatus.continue.isInformational && !HTTPStatus.ok.isInformational)
    #expect(HTTPVersion.http10 < .http11)
  }

  @Test(
    "Dates are IMF-fixdates (RFC 9110 §5.6.7)",
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
      (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
      (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
      (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
    ])
  func date(seconds: Int, expected: String) {
    #expect(text(HTTPDate.bytes(unixSeconds: seconds)) == expected)
  }
}
