import Synchronization
import TestSupport
import TriwireIO

/// Certificates made for one test: an authority, a server's, and a client's.
struct Certificates: Sendable {
  let authority: TLSIdentity
  let server: TLSIdentity
  let client: TLSIdentity

  init(hosts: [String] = ["localhost", "127.0.0.1"], seconds: Range<Int> = -60..<3600) throws {
    authority = try TLSIdentity(named: "test authority", isAuthority: true)
    server = try TLSIdentity(named: "server", hosts: hosts, seconds: seconds, issuer: authority)
    client = try TLSIdentity(named: "client 7", issuer: authority)
  }

  /// A server's options.
  var serving: TLSServerOptions {
    Self.serving(server)
  }

  /// The options of a server that is patient with handshakes, however busy the machine is.
  static func serving(_ identity: TLSIdentity) -> TLSServerOptions {
    var options = TLSServerOptions(
      certificate: .text(identity.certificate), key: .text(identity.key))
    options.handshakeSeconds = 1000
    return options
  }

  /// The options of a client that trusts the authority.
  var trusting: TLSClientOptions {
    var options = TLSClientOptions()
    options.caFile = .text(authority.certificate)
    return options
  }
}

/// A listener that speaks TLS, whose connections tests pick up one by one.
final class SecureLobby: Sendable {
  let listener: Listener
  let streams = Mailbox<ByteStream>()
  /// What new connections are secured with.
  let context: Shared<TLSContext>

  init(
    _ options: TLSServerOptions, on group: EventLoopGroup, plainAnswer: String = ""
  ) throws {
    guard let address = SocketAddress(host: "127.0.0.1", port: 0) else {
      preconditionFailure("an address")
    }
    let streams = streams
    let context = Shared(try TLSContext(options, plainAnswer: Array(plainAnswer.utf8)))
    self.context = context
    listener = try Listener(address, on: group) { stream in
      do {
        try stream.secure(accepting: context.value)
        streams.put(stream)
      } catch {
        stream.abort()
      }
    }
    listener.start()
  }

  var address: SocketAddress { listener.address }

  /// A client's stream, after its handshake and before its start.
  func connect(
    _ options: TLSClientOptions, on loop: EventLoop, host: String = "localhost"
  ) async throws -> ByteStream {
    let address = address
    return try await within("a connection is secured") {
      let stream = try await Connector.connect(to: [address], on: loop)
      try await stream.secured(
        reaching: host, port: address.port, try TLSContext.shared(options),
        within: 1_000_000_000_000)
      return stream
    }
  }

  /// Makes a connection that nobody uses, and says how securing it failed, if it did.
  func attempt(
    _ options: TLSClientOptions, on loop: EventLoop, host: String = "localhost",
    _ server: Recorder = Recorder()
  ) async throws -> TLSFailure? {
    async let accepted = accept(server)
    let failure = try await failure {
      let stream = try await connect(options, on: loop, host: host)
      try await stream.loop.run { stream.abort() }
    }
    _ = try await accepted
    return failure
  }

  /// The next connection, which starts with `handler`.
  func accept(_ handler: any StreamHandler & Sendable) async throws -> ByteStream {
    let stream = try await streams.next("a connection comes")
    try await stream.loop.run { stream.start(handler) }
    return stream
  }

  /// Both ends of a connection that starts with these handlers.
  func pair(
    _ options: TLSClientOptions, on loop: EventLoop,
    _ near: any StreamHandler & Sendable, _ far: any StreamHandler & Sendable
  ) async throws -> (near: ByteStream, far: ByteStream) {
    async let accepted = accept(far)
    let stream = try await connect(options, on: loop)
    try await loop.run { stream.start(near) }
    return (stream, try await accepted)
  }
}

/// Runs `body` with a listener that speaks TLS, on loops that are stopped afterwards.
func withSecureLobby(
  _ options: TLSServerOptions, loops: Int = 1, plainAnswer: String = "",
  _ body: @escaping @Sendable (SecureLobby, EventLoopGroup) async throws -> Void
) async throws {
  try await withLoops(loops) { group in
    let lobby = try SecureLobby(options, on: group, plainAnswer: plainAnswer)
    try await body(lobby, group)
    await lobby.listener.stop()
  }
}

/// The failure of TLS that `body` throws; nil when it throws none.
func failure(of body: () async throws -> Void) async throws -> TLSFailure? {
  do {
    try await body()
    return nil
  } catch let error as IOError {
    return error.tls
  }
}

extension Recorder {
  /// The failure of TLS that the stream ended by; nil when it ended otherwise.
  func failure() async throws -> TLSFailure? {
    guard case .failed(let error) = try await end() else { return nil }
    return error.tls
  }
}
