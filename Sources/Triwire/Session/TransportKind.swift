/// The ways to carry a session; raw values are their names in reports and on the command line.
public enum TransportKind: String, Sendable, Hashable, CaseIterable, Codable {
  /// WebSocket (RFC 6455).
  case webSocket = "websocket"
  /// Server-Sent Events down (WHATWG HTML §9.2), POST up.
  case serverSentEvents = "sse"
  /// Long polling down (RFC 6202 §2), POST up.
  case longPolling = "long-polling"
}
