/// The ways to carry a session, by their names in reports and on the command line.
public enum TransportKind: String, Sendable, CaseIterable, Codable {
  case webSocket = "websocket"
  case serverSentEvents = "sse"
  case longPolling = "long-polling"
}
