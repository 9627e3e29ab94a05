import TestSupport
import Testing
import TriwireFaults
import TriwireIO

/// A relay between raw peers and a server that does what the test says.
struct RelayRig: Sendable {
  let relay: FaultRelay
  let address: SocketAddress
  let server: Lobby
  let records: Mailbox<FaultRecord>
  private let loop: EventLoop

  /// Runs `body` with a relay whose rules are these specs.
  static func run(
    _ rules: String..., seed: UInt64 = 1, network: NetworkConditions? = nil,
    _ body: @escaping @Sendable (RelayRig) async throws -> Void
  ) async throws {
    try await withLobby { server, group in
      let records = Mailbox<FaultRecord>()
      var configuration = FaultRelay.Configuration()
      configuration.connectTimeout = .seconds(1000)
      configuration.rules = try rules.map { try FaultRule(parsing: $0) }
      configuration.seed = seed
      configuration.network = network
      configuration.onFault = { records.put($0) }
      let relay = FaultRelay(to: "\(server.address)", configuration: configuration)
      let address = try await within("the relay starts") { try await relay.start() }
      let result: Result<Void, any Error>
      do {
        result = .success(
          try await body(
            RelayRig(
              relay: relay, address: address, server: server, records: records,
              loop: group.loops[0])))
      } catch {
        result = .failure(error)
      }
      try await within("the relay stops") { await relay.stop() }
      try result.get()
      let counters = await relay.counters()
      #expect(counters.open == 0)
      #expect(counters.waiting == 0)
    }
  }

  func peer(receiveBuffer: Int32? = nil) throws -> RawPeer {
    try RawPeer(to: address, receiveBuffer: receiveBuffer)
  }

  /// A client that has sent something, and the server's end of its connection with that.
  func pair(
    sending text: String, receiveBuffer: Int32? = nil
  ) async throws -> (client: RawPeer, stream: ByteStream, received: Recorder) {
    let client = try peer(receiveBuffer: receiveBuffer)
    try await client.send(text)
    let received = Recorder()
    let stream = try await server.accept(received)
    #expect(try await received.text(text.utf8.count) == text)
    return (client, stream, received)
  }

  /// A WebSocket that is open on both sides.
  func webSocket(
    receiveBuffer: Int32? = nil
  ) async throws -> (client: RawPeer, stream: ByteStream, received: Recorder) {
    let (client, stream, received) = try await pair(
      sending: upgrade, receiveBuffer: receiveBuffer)
    try await stream.send(switching)
    #expect(try await client.receive(until: "\r\n\r\n") == switching)
    return (client, stream, received)
  }

  /// Waits until the relay has counted something.
  func wait(_ what: String, until condition: @escaping @Sendable (RelayCounters) -> Bool)
    async throws
  {
    try await within(what) {
      while !condition(await relay.counters()) { try await pause() }
    }
  }

  /// Lets others run for a moment, which yielding in a circle does not.
  private func pause() async throws {
    await withUnsafeContinuation { continuation in
      loop.execute {
        loop.schedule(at: EventLoop.clock() + 1_000_000) { continuation.resume() }
      }
    }
  }

  /// The next fault that strikes, by its first word.
  func nextFault() async throws -> String {
    try await records.next("a fault strikes").rule.fault.name
  }
}

/// The handshake of RFC 6455 §1.3.
let upgrade = """
  GET /chat HTTP/1.1\r
  Host: test\r
  Upgrade: websocket\r
  Connection: Upgrade\r
  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
  Sec-WebSocket-Version: 13\r
  \r\n
  """

let switching = """
  HTTP/1.1 101 Switching Protocols\r
  Upgrade: websocket\r
  Connection: Upgrade\r
  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
  \r\n
  """

let poll = "GET /poll HTTP/1.1\r\nHost: test\r\n\r\n"
let events = "GET /events HTTP/1.1\r\nHost: test\r\nAccept: text/event-stream\r\n\r\n"
let eventsHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

func post(_ body: String) -> String {
  "POST /up HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

func ok(_ body: String) -> String {
  "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

extension Recorder {
  func text(_ count: Int) async throws -> String {
    String(decoding: try await bytes(count), as: UTF8.self)
  }
}

extension ByteStream {
  func send(_ text: String) async throws { try await send(Array(text.utf8)) }
}

extension RawPeer {
  func text(_ count: Int) async throws -> String {
    String(decoding: try await receive(count), as: UTF8.self)
  }

  /// All text until the other side ends.
  func rest() async throws -> String {
    String(decoding: try await receiveAll(), as: UTF8.self)
  }

  /// Expects a reset, and nothing before it.
  func expectReset() async throws {
    let failure = await #expect(throws: Failure.self) { _ = try await receiveAll() }
    #expect(failure?.isReset == true)
  }
}

/// Bytes that are more than all buffers on the way hold, made once.
let manyBytes = pattern(16 << 20)
