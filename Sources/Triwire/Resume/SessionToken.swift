import TriwireCodec

/// What a client says with each request of a resumable session: which one it means, that it may,
/// and what it has.
///
/// On the wire `NAME.SECRET.EPOCH.RECEIVED`; behind it `.probe` where a request must not take the
/// session away from a connection that works, and `.beat-MILLISECONDS` where the server shall say
/// something that often.
struct SessionToken: Equatable {
  /// Says which session; it may stand in logs.
  var name: String
  /// Proves that the session is the client's; known to it and the server alone.
  var secret: String
  /// The life of the session that the count belongs to; nil when the client knows of none yet.
  var epoch: String?
  /// The messages that the client has of that life.
  var received: UInt64
  /// Whether the session stays with its present connection until the client says `use`.
  var isProbe = false
  /// Milliseconds between the heartbeats that the client wishes for; nil when the server's own do.
  var heartbeat: UInt64?

  /// The header field that carries it, and the query item of clients that cannot set one.
  static let field = "triwire-session"
  /// The subprotocol of resumable sessions (RFC 6455 §1.9).
  static let subprotocol = "triwire.1"
  /// Before the token in `Sec-WebSocket-Protocol`, the one field that a browser lets a page set.
  static let subprotocolPrefix = "triwire.session."

  var text: String {
    "\(name).\(secret).\(epoch ?? "0").\(received)" + (isProbe ? ".\(Self.probe)" : "")
      + (heartbeat.map { ".\(Self.beat)\($0)" } ?? "")
  }

  private static let probe = "probe"
  private static let beat = "beat-"

  init(name: String, secret: String, epoch: String? = nil, received: UInt64 = 0) {
    self.name = name
    self.secret = secret
    self.epoch = epoch
    self.received = received
  }

  /// Reads what `text` wrote; nil when it is something else.
  init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard 4...6 ~= parts.count, SessionDirectory.isName(String(parts[0])),
      Self.isSecret(parts[1]), let received = UInt64(parts[3])
    else { return nil }
    guard parts[2] == "0" || Self.isEpoch(parts[2]) else { return nil }
    name = String(parts[0])
    secret = String(parts[1])
    epoch = parts[2] == "0" ? nil : String(parts[2])
    self.received = received
    for part in parts[4...] {
      if part == Self.probe, !isProbe, heartbeat == nil {
        isProbe = true
      } else if part.hasPrefix(Self.beat), heartbeat == nil {
        heartbeat = UInt64(part.dropFirst(Self.beat.count))
        if heartbeat == nil { return nil }
      } else {
        return nil
      }
    }
  }

  /// 128 bits at least: 22 characters of the alphabet of names.
  private static func isSecret(_ text: some StringProtocol) -> Bool {
    text.utf8.count >= 22 && SessionDirectory.isName(String(text))
  }

  private static func isEpoch(_ text: some StringProtocol) -> Bool {
    text.utf8.count == 8 && SessionDirectory.isName(String(text))
  }

  /// A new name: 72 random bits, which are no secret.
  static func newName() -> String { String(SessionDirectory.newName().prefix(12)) }

  /// A new epoch: 48 random bits.
  static func newEpoch() -> String { String(SessionDirectory.newName().prefix(epochBytes)) }

  static let epochBytes = 8

  /// The token of a request; nil when it has none.
  ///
  /// - Throws: `HTTPViolation` when it has one that cannot be read.
  static func find(in head: RequestHead) throws(HTTPViolation) -> SessionToken? {
    guard let text = text(in: head) else { return nil }
    guard var token = SessionToken(text) else {
      throw HTTPViolation(
        .badRequest, "a session token is NAME.SECRET.EPOCH.RECEIVED[.probe][.beat-MS]: see \(field)"
      )
    }
    // A browser's own reconnect of an event stream says what it has in a field of its own.
    if let id = head.headers["last-event-id"], let position = EventPosition(id) {
      token.epoch = position.epoch
      token.received = position.offset
    }
    return token
  }

  private static func text(in head: RequestHead) -> String? {
    if let value = head.headers[field] { return value }
    if WebSocketHandshake.isRequested(by: head) {
      let offered = WebSocketHandshake.tokens(head.headers.values(of: "sec-websocket-protocol"))
      if let token = offered.first(where: { $0.hasPrefix(subprotocolPrefix) }) {
        return String(token.dropFirst(subprotocolPrefix.count))
      }
    }
    return head.queryItem(field)
  }
}

/// The `id` of a resumable session's event: `EPOCH.OFFSET`.
struct EventPosition: Equatable {
  var epoch: String
  var offset: UInt64

  var text: String { "\(epoch).\(offset)" }

  init(epoch: String, offset: UInt64) {
    self.epoch = epoch
    self.offset = offset
  }

  init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == 8, let offset = UInt64(parts[1]) else {
      return nil
    }
    epoch = String(parts[0])
    self.offset = offset
  }
}
