import TriwireCodec
import TriwireIO

/// The opening handshake of RFC 6455 §4, both sides.
enum WebSocketHandshake {
  /// Whether a request asks for WebSocket at all.
  static func isRequested(by head: RequestHead) -> Bool {
    head.headers.contains(token: "websocket", in: "Upgrade")
  }

  /// Whether a request was a handshake before somebody took its `Upgrade` out, as a proxy does that
  /// was not told of WebSocket: it is hop by hop (RFC 9110 §7.6.1), and the key is not.
  static func isStripped(_ head: RequestHead) -> Bool {
    head.headers.contains("Sec-WebSocket-Key") && !isRequested(by: head)
  }

  /// The answer to a handshake without its `Upgrade`.
  static let strippedRefusal = Refusal(
    .upgradeRequired,
    "this WebSocket handshake came without Upgrade: a proxy on its way has to pass it on", offer)

  /// What an answer with 426 says (RFC 9110 §15.5.22).
  // RFC 9110 §7.8: who sends Upgrade says so in Connection.
  private static let offer: Headers = [
    "Sec-WebSocket-Version": "13", "Upgrade": "websocket", "Connection": "Upgrade",
  ]

  /// The answer to an upgrade request: 101, or why not.
  static func answer(_ head: RequestHead) -> Result<ResponseHead, Refusal> {
    // RFC 6455 §4.2.1: GET, HTTP/1.1 or higher, Connection with "Upgrade", key, version 13.
    guard head.method == .get, head.version == .http11 else {
      return .failure(Refusal(.badRequest, "a WebSocket handshake is a GET of HTTP/1.1"))
    }
    guard head.headers.contains(token: "upgrade", in: "Connection") else {
      return .failure(
        Refusal(.badRequest, "a WebSocket handshake needs the header Connection: Upgrade"))
    }
    guard head.headers["Sec-WebSocket-Version"] == "13" else {
      // RFC 6455 §4.4: the answer names the versions that are spoken.
      return .failure(
        Refusal(.upgradeRequired, "only WebSocket version 13 is spoken here", offer))
    }
    let keys = head.headers.values(of: "Sec-WebSocket-Key")
    guard keys.count == 1, isKey(keys[0]) else {
      return .failure(
        Refusal(.badRequest, "Sec-WebSocket-Key is not one key of 16 bytes in base64"))
    }
    let headers: Headers = [
      "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept(keys[0]),
    ]
    return .success(ResponseHead(status: .switchingProtocols, headers: headers))
  }

  /// Why an upgrade was refused.
  struct Refusal: Error {
    let status: HTTPStatus
    let message: String
    let headers: Headers

    init(_ status: HTTPStatus, _ message: String, _ headers: Headers = [:]) {
      self.status = status
      self.message = message
      self.headers = headers
    }
  }

  /// A key for a client's request: 16 random bytes in base64.
  static func newKey() -> String { base64(Digest.random(16)) }

  /// What a server proves with that it understood (RFC 6455 §4.2.2).
  static func accept(_ key: String) -> String {
    base64(Digest.sha1(Array(key.utf8) + Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)))
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let text = [UInt8](capacity: Base64.encodedCount(bytes.count)) {
      Base64.encode(bytes.span, into: &$0)
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func isKey(_ key: String) -> Bool {
    key.utf8.count == 24 && Base64.decode(key.utf8.span)?.count == 16
  }

  /// Why a server's answer does not open a WebSocket, or nil when it does (RFC 6455 §4.1).
  static func flaw(in head: ResponseHead, key: String) -> String? {
    guard head.status == .switchingProtocols else {
      return "the server answered \(head.status) to the WebSocket handshake"
    }
    guard head.headers.contains(token: "websocket", in: "Upgrade"),
      head.headers.contains(token: "upgrade", in: "Connection")
    else { return "the server switched to another protocol than WebSocket" }
    // RFC 6455 §11.3.3: it appears once.
    guard head.headers.values(of: "Sec-WebSocket-Accept") == [accept(key)] else {
      return "Sec-WebSocket-Accept does not match the key"
    }
    return nil
  }

  /// The subprotocol that a server chose.
  ///
  /// - Throws: `OpenFailure` when it is not exactly one of those offered (RFC 6455 §4.1).
  static func subprotocol(
    in head: ResponseHead, offered: [String]
  ) throws(OpenFailure) -> String? {
    let chosen = head.headers.values(of: "sec-websocket-protocol")
    guard let first = chosen.first else { return nil }
    guard chosen.count == 1, offered.contains(first) else {
      throw OpenFailure(reason: "the server chose a subprotocol that was not offered")
    }
    return first
  }

  /// The members of a comma-separated list of tokens.
  static func tokens(_ values: [String]) -> [String] {
    values.flatMap { $0.split(separator: ",") }
      .map { String($0.filter { $0 != " " && $0 != "\t" }) }
      .filter { !$0.isEmpty }
  }
}
