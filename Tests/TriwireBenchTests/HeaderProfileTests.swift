import Testing
import Triwire

@testable import TriwireBench

@Suite("Header profiles")
struct HeaderProfileTests {
  private func text(
    _ profile: HeaderProfile, _ purpose: HeaderProfile.Purpose, _ origin: String
  ) -> String {
    profile.fields(for: purpose, at: origin).map { "\($0.0): \($0.1)\r\n" }.joined()
  }

  @Test("The profiles of browsers send as much as was captured, except that nobody saw it headless")
  func captured() {
    // Heads of Chromium 156 to 127.0.0.1:36461, less their request lines, hosts, what the transport
    // sends itself, the path of the page and the word "Headless".
    let origin = "http://127.0.0.1:36461"
    let host = "Host: 127.0.0.1:36461\r\n"
    let word = "Headless".count
    let page = "healthz".count
    func own(_ line: String, _ more: String...) -> Int {
      line.utf8.count + host.utf8.count + more.reduce(0) { $0 + $1.utf8.count + 2 } + 2
    }
    #expect(
      text(.browser2026, .webSocket, origin).utf8.count
        == 501 - word
        - own(
          "GET /echo HTTP/1.1\r\n", "Connection: Upgrade", "Upgrade: websocket",
          "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: PSIQpY/8I6kn1NqmXACNQA=="))
    #expect(
      text(.browser2026, .eventStream, origin).utf8.count
        == 555 - word - page - own("GET /echo HTTP/1.1\r\n"))
    #expect(
      text(.browser2026, .poll, origin).utf8.count
        == 544 - word - page - own("GET /reflect HTTP/1.1\r\n"))
    #expect(
      text(.browser2026, .post, origin).utf8.count
        == 579 - word - page
        - own("POST /reflect HTTP/1.1\r\n", "Content-Length: 5", "content-type: text/plain"))
  }

  @Test("The cookie makes 1,024 bytes, and the profile of 2010 the request of 692 characters")
  func sizes() {
    let plain = text(.browser2026, .poll, "http://h")
    let more = text(.browserWithCookie, .poll, "http://h")
    #expect(more.utf8.count - plain.utf8.count == "Cookie: \r\n".utf8.count + 1024)
    let lines = HeaderProfile.kaazing2010.fields(for: .poll, at: "http://h")
    let characters = lines.reduce(0) { $0 + $1.0.count + $1.1.count + 2 }
    #expect(
      characters + "GET /PollingStock//PollingStock HTTP/1.1".count + "Host: localhost:8080".count
        == 692)
    #expect(HeaderProfile.minimal.fields(for: .poll, at: "http://h").isEmpty)
  }

  @Test("A scenario names its profile, and a wrong name is refused")
  func reading() throws {
    func scenario(_ name: String) throws -> Scenario {
      try load(
        """
        {"name": "x", "clients": 4, "headers": "\(name)", "traffic": [
          {"direction": "echo", "rate": "10/s per client", "payload": "64 B"}]}
        """
      ).scenario
    }
    for profile in HeaderProfile.allCases {
      #expect(try scenario(profile.rawValue).headers == profile)
    }
    #expect(throws: ScenarioError.self) { try scenario("browser") }
  }

  @Test("A request carries each field once, those it needs as it needs them")
  func once() throws {
    var configuration = TriwireClient.Configuration()
    configuration.send(.browser2026, to: "http://127.0.0.1:1")
    let fields = try #require(configuration.fieldsOfRequest)
    let stream = fields(.get, ["accept": "text/event-stream"])
    #expect(!stream.contains("accept") && stream.contains("sec-fetch-mode"))
    let socket = fields(.get, ["connection": "Upgrade", "upgrade": "websocket"])
    #expect(!socket.contains("connection") && !socket.contains("sec-fetch-mode"))
    #expect(fields(.get, [:])["accept"] == nil && fields(.get, [:])["origin"] == nil)
    #expect(fields(.get, [:])["referer"] == "http://127.0.0.1:1/")
    #expect(fields(.post, [:])["accept"] == "*/*")
    #expect(fields(.post, [:])["origin"] == "http://127.0.0.1:1")
  }
}
