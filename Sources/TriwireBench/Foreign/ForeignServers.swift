import Triwire

/// Servers that nobody here wrote, by the URLs of what they carry.
///
/// In a URL `{client}` stands for the number of a client, `{trial}` for a word that no other trial has,
/// and `{cursor}` in a poll's for where the client is.
public struct ForeignServers: Sendable, Equatable, Codable {
  /// A stream of events, and where to publish what comes as one of them.
  public struct EventStream: Sendable, Equatable, Codable {
    /// Where the stream is (`text/event-stream`).
    public var events: String
    /// Where a POST's body becomes the data of an event of the stream.
    public var publish: String
  }

  /// A place to poll at, and where to publish what comes as an answer.
  public struct LongPolls: Sendable, Equatable, Codable {
    /// Where to poll; it has `{cursor}`.
    public var poll: String
    /// Where a POST's body becomes a message of an answer.
    public var publish: String
    /// The first cursor; where it is left out the first poll leaves out the part of the query with
    /// `{cursor}`.
    public var start: String?
    /// Where the next cursor is: `header NAME` or `field NAME`.
    public var cursor: String
    /// What a message is: `body`, `array` or `field NAME`; `body` unless given.
    public var messages: String?
  }

  /// A WebSocket that sends back each message.
  public var websocket: String?
  /// Server-Sent Events.
  public var sse: EventStream?
  /// Long polling.
  public var longPolling: LongPolls?

  private enum CodingKeys: String, CodingKey {
    case websocket, sse
    case longPolling = "long-polling"
  }

  /// All URLs of a transport; empty where it has none.
  func urls(of transport: TransportKind) -> [String] {
    switch transport {
    case .webSocket: [websocket].compactMap { $0 }
    case .serverSentEvents: sse.map { [$0.events, $0.publish] } ?? []
    case .longPolling: longPolling.map { [$0.poll, $0.publish] } ?? []
    }
  }

  /// What reports say of it, in a line.
  var text: String {
    TransportKind.allCases.compactMap { transport in
      let urls = urls(of: transport)
      return urls.isEmpty ? nil : "\(transport.rawValue) \(urls.joined(separator: " and "))"
    }.joined(separator: "; ")
  }

  /// What nobody knows of such servers, by the names of ``Measurement``.
  static let unmeasured = [
    "memory", "cpu.serverMicroseconds", "validity.serverBusy", "validity.serverWaited",
    "connection.serverCPUMicroseconds", "connection.serverSystemCalls", "bytes.down.retransmitted",
  ]

  /// Why a scenario cannot run over them, as the rest of a sentence; `nil` when it can.
  func objection(to scenario: Scenario) -> String? {
    if let flow = scenario.traffic.first(where: { $0.direction != .echo }) {
      return "has \"\(flow.name)\", which goes \(flow.direction.rawValue), and what is known of a "
        + "foreign server is that it echoes: name scenarios of \"echo\" alone, such as "
        + "Scenarios/echo.json"
    }
    let parts: [(String, Bool)] = [
      ("idle", scenario.idle != nil), ("faults", scenario.faults != nil),
      ("slow", scenario.slow != nil), ("visitors", scenario.visitors != nil),
      ("snapshot", scenario.snapshot != nil), ("network", scenario.network != nil),
      ("sessions", scenario.sessions != .plain), ("controlPoll", scenario.controlPoll != nil),
      ("compression", scenario.compressions.contains(.on)), ("traffic", scenario.traffic.isEmpty),
    ]
    if let part = parts.first(where: { $0.1 }) {
      return "asks by \"\(part.0)\" for what a foreign server does not know: leave it out"
    }
    for transport in scenario.transports {
      if let objection = objection(to: scenario, over: transport) { return objection }
    }
    return nil
  }

  private func objection(to scenario: Scenario, over transport: TransportKind) -> String? {
    let urls = urls(of: transport)
    guard !urls.isEmpty else {
      return "runs over \(transport.rawValue), for which no URL is named: name one, or write "
        + "--transports with those that have one"
    }
    if transport != .webSocket, let flow = scenario.traffic.first(where: { $0.kind == .binary }) {
      return "has binary messages (\"\(flow.name)\"), which only a WebSocket carries everywhere: "
        + "write --transports websocket, or text"
    }
    let isSecure = ForeignServers.isSecure(urls[0])
    guard let mode = scenario.tls.first(where: { ($0 != .off) != isSecure }) else { return nil }
    return "wants \(mode.name) and \(transport.rawValue) is at \(urls[0]): write "
      + (isSecure ? "--tls 1.3" : "--tls off, or another URL")
  }

  /// Whether a URL is one of TLS.
  static func isSecure(_ url: String) -> Bool { url.hasPrefix("https:") || url.hasPrefix("wss:") }
}

/// The URLs of one trial's clients.
struct ForeignPlaces: Sendable {
  let servers: ForeignServers
  /// A word that no other trial has.
  let trial: String

  init(_ servers: ForeignServers) {
    self.servers = servers
    trial = String(UInt64.random(in: 0...UInt64.max), radix: 36)
  }

  /// Where a client goes over a transport, and how.
  func place(
    of client: Int, over transport: TransportKind, _ configuration: TriwireClient.Configuration
  ) -> (url: String, configuration: TriwireClient.Configuration) {
    var configuration = configuration
    let filled = { (url: String) in
      url.replacing("{client}", with: "\(client)").replacing("{trial}", with: trial)
    }
    switch transport {
    case .webSocket: return (filled(servers.websocket ?? ""), configuration)
    case .serverSentEvents:
      let stream = servers.sse
      configuration.foreign = ForeignEndpoints(
        publish: ForeignPlaces.target(of: filled(stream?.publish ?? "")))
      return (filled(stream?.events ?? ""), configuration)
    case .longPolling:
      guard let polls = servers.longPolling else { return ("", configuration) }
      let poll = filled(polls.poll)
      configuration.foreign = ForeignEndpoints(
        publish: ForeignPlaces.target(of: filled(polls.publish)),
        polls: PollReader(polls).polls(at: ForeignPlaces.target(of: poll)))
      return (poll.replacing("{cursor}", with: ""), configuration)
    }
  }

  /// Path and query of a URL, beginning with a slash.
  static func target(of url: String) -> String {
    let rest = String(url.drop { $0 != "/" }.drop { $0 == "/" }.drop { $0 != "/" && $0 != "?" })
    return rest.hasPrefix("/") ? rest : "/" + rest
  }

  /// Scheme and authority of a URL.
  static func origin(of url: String) -> String {
    let scheme = url.prefix { $0 != "/" }
    let authority = url.drop { $0 != "/" }.drop { $0 == "/" }.prefix { $0 != "/" && $0 != "?" }
    return "\(scheme)//\(authority)"
  }
}
