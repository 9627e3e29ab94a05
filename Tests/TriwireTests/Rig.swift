import TestSupport
import Triwire

extension SessionLimits {
  /// Limits whose times no machine exceeds, for tests that are not about them.
  static var patient: SessionLimits {
    var limits = SessionLimits()
    limits.heartbeatSeconds = 1000
    limits.closeSeconds = 1000
    limits.pollGapSeconds = 1000
    return limits
  }
}

extension TriwireClient.Configuration {
  /// The default settings, but for a proxy that the environment may name: servers of tests are here.
  static var direct: TriwireClient.Configuration {
    var configuration = TriwireClient.Configuration()
    configuration.proxy = .none
    return configuration
  }
}

/// A server on two loops, and the loops of its clients.
struct Rig: Sendable {
  let server: TriwireServer
  let address: SocketAddress
  let clients: EventLoopGroup
  var client = TriwireClient.Configuration.direct

  /// Starts a server that serves what `routes` adds.
  static func start(
    session: SessionLimits = .patient, client: SessionLimits = .patient,
    configure: (inout TriwireServer.Configuration) throws -> Void = { _ in },
    _ routes: (TriwireServer) -> Void
  ) async throws -> Rig {
    var configuration = TriwireServer.Configuration()
    configuration.loops = 2
    configuration.session = session
    configuration.headSeconds = 1000
    configuration.bodySeconds = 1000
    configuration.keepAliveSeconds = 1000
    try configure(&configuration)
    let server = TriwireServer(configuration: configuration)
    routes(server)
    let address = try await within("the server starts") {
      try await server.start(on: "127.0.0.1:0")
    }
    var rig = Rig(server: server, address: address, clients: try EventLoopGroup(count: 1))
    rig.client.group = rig.clients
    rig.client.session = client
    // Most tests are about one transport, and what it alone does.
    rig.client.resume = nil
    rig.client.openSeconds = 1000
    rig.client.connectSeconds = 1000
    if let tls = configuration.tls { rig.client.tls.caFile = tls.certificate }
    return rig
  }

  /// Runs `body` with a server that is stopped afterwards.
  static func run(
    session: SessionLimits = .patient, client: SessionLimits = .patient,
    configure: (inout TriwireServer.Configuration) throws -> Void = { _ in },
    _ routes: (TriwireServer) -> Void, _ body: @escaping @Sendable (Rig) async throws -> Void
  ) async throws {
    let rig = try await start(
      session: session, client: client, configure: configure, routes)
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(rig))
    } catch {
      result = .failure(error)
    }
    try await rig.stop()
    try result.get()
  }

  /// Opens a session.
  func connect(_ path: String, over transport: TransportKind) async throws -> Session {
    try await connect(path, over: [transport])
  }

  func connect(_ path: String, over transports: [TransportKind]) async throws -> Session {
    try await within("a session opens") {
      try await TriwireClient("\(scheme)://\(address)\(path)", configuration: client)
        .connect(over: transports)
    }
  }

  private var scheme: String { server.configuration.tls == nil ? "http" : "https" }

  /// A client without rules.
  func rawPeer(receiveBuffer: Int32? = nil) throws -> RawPeer {
    try RawPeer(to: address, receiveBuffer: receiveBuffer)
  }

  func stop() async throws {
    try await within("the server stops") { await server.stop(within: 0.2) }
    try await within("the clients' loops stop") { await clients.stop() }
  }
}

extension TriwireServer.Configuration {
  private static let identity = Result { () throws(IOError) in try TLSIdentity.selfSigned() }

  /// Serves with a certificate for this host.
  mutating func useTLS(_ version: TLSVersion = .v1_3) throws {
    let identity = try Self.identity.get()
    var options = TLSServerOptions(
      certificate: .text(identity.certificate), key: .text(identity.key))
    options.maximumVersion = version
    options.handshakeSeconds = 1000
    tls = options
  }
}

extension Session {
  /// The next `count` messages.
  func take(_ count: Int, _ what: String = "messages") async throws -> [Message] {
    try await within("\(count) \(what) on \(transport.rawValue)") {
      var taken: [Message] = []
      var iterator = self.messages.makeAsyncIterator()
      while taken.count < count, let message = try await iterator.next() { taken.append(message) }
      return taken
    }
  }

  /// The next message.
  func take() async throws -> Message? { try await take(1, "message").first }

  /// All messages until the session ends.
  func takeAll() async throws -> [Message] {
    try await within("the messages end on \(transport.rawValue)") {
      var taken: [Message] = []
      for try await message in self.messages { taken.append(message) }
      return taken
    }
  }

  /// How the session ends.
  func end() async throws -> SessionEnd {
    try await within("the session ends on \(transport.rawValue)") { await self.ended() }
  }

  /// Sends messages in order, from a task on the session's loop or from elsewhere.
  func send(all messages: [Message], onLoop: Bool = false) async throws {
    try await within("\(messages.count) messages leave on \(transport.rawValue)") {
      let task = Task(executorPreference: onLoop ? self.loop : nil) {
        for message in messages { try await self.send(message) }
      }
      try await task.value
    }
  }
}
