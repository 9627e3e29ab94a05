import Testing
import TestSupport
import Triwire

@Suite("Traffic: every byte is accounted for", .takesTurns)
struct TrafficTests {
  static func addEcho(_ server: TriwireServer) {
    server.session(at: "/echo") { session in
      for try await message in session.messages { try await session.send(message) }
    }
  }

  /// What a session has moved once ledgers, streams and kernel agree.
  func settled(_ session: Session) async throws -> Traffic {
    try await session.loop.wait("the ledger agrees on \(session.transport.rawValue): \(session.id)")
    {
      let traffic = session.trafficNow
      return traffic.isExact
    }
    return try await session.loop.run { session.trafficNow }
  }

  @Test(
    "Ledger, streams and kernel count the same bytes, at rest and after the end",
    arguments: TransportKind.allCases)
  func exact(kind: TransportKind) async throws {
    try await Rig.run(Self.addEcho) { rig in
      let session = try await rig.connect("/echo", over: kind)
      let messages =
        ["a\r\nb", "\n", "é"].map { Message($0) }
        + [0, 1, 125, 126, 3000, 65_535, 65_536, 300_000].flatMap { size in
          [
            Message(String(repeating: "x", count: size)),
            Message(binary: [UInt8](repeating: 7, count: size)),
          ]
        }
      for round in 1...3 {
        async let sending: Void = session.send(all: messages)
        #expect(try await session.take(messages.count) == messages)
        try await sending
        let traffic = try await settled(session)
        let bytes = UInt64(messages.reduce(0) { $0 + $1.bytes.count } * round)
        for ledger in [traffic.sent, traffic.received] {
          #expect(ledger.payload == bytes && ledger.messages == UInt64(messages.count * round))
          #expect(ledger.http > 0 && ledger.framing > 0)
        }
      }
      session.close(.normal, "done")
      _ = try await session.end()
    }
  }

  @Test(
    "Over TLS payload, framing, control, HTTP and TLS make up the socket's bytes, both ways",
    arguments: TransportKind.allCases, [TLSVersion.v1_2, .v1_3])
  func exactOverTLS(kind: TransportKind, version: TLSVersion) async throws {
    try await Rig.run(configure: { try $0.useTLS(version) }, Self.addEcho) { rig in
      let session = try await rig.connect("/echo", over: kind)
      let messages = [0, 1, 125, 16_384, 16_385, 300_000].map {
        Message(binary: [UInt8](repeating: 7, count: $0))
      }
      for _ in 1...3 {
        async let sending: Void = session.send(all: messages)
        #expect(try await session.take(messages.count) == messages)
        try await sending
        let traffic = try await settled(session)
        for ledger in [traffic.sent, traffic.received] { #expect(ledger.tls > 300) }
      }
      session.close(.normal, "done")
      _ = try await session.end()
      #expect(try await session.loop.run { session.trafficNow.isExactlyWritten })
    }
  }

  @Test(
    "Through a proxy the bytes that open the tunnel count as HTTP, and all still add up",
    arguments: TransportKind.allCases, [false, true])
  func exactThroughProxy(kind: TransportKind, isSecured: Bool) async throws {
    try await Rig.run(configure: { if isSecured { try $0.useTLS() } }, Self.addEcho) { rig in
      try await TunnelProxy.run { proxy in
        var behind = rig
        behind.client.proxy = .url(proxy.url)
        let direct = try await rig.connect("/echo", over: kind)
        let tunnelled = try await behind.connect("/echo", over: kind)
        for session in [direct, tunnelled] {
          try await session.send("there and back")
          #expect(try await session.take() == Message("there and back"))
        }
        let (plain, through) = (try await settled(direct), try await settled(tunnelled))
        let place = rig.address.description
        let request = "CONNECT \(place) HTTP/1.1\r\nhost: \(place)\r\n\r\n".utf8.count
        let answer = "HTTP/1.1 200 Connection established\r\n\r\n".utf8.count
        let tunnels = UInt64(kind == .webSocket ? 1 : 2)
        // A poll that was not there yet when the other was read is not the proxy's.
        if kind != .longPolling {
          #expect(through.sent.http - plain.sent.http == tunnels * UInt64(request))
          #expect(through.received.http - plain.received.http == tunnels * UInt64(answer))
        }
        for session in [direct, tunnelled] {
          session.close()
          _ = try await session.end()
          #expect(try await session.loop.run { session.trafficNow.isExactlyWritten })
        }
      }
    }
  }

  @Test(
    "A WebSocket frame costs 2, 4 or 10 bytes from a server and 4 more from a client (RFC 6455 §5.2)"
  )
  func webSocketFraming() async throws {
    try await Rig.run(Self.addEcho) { rig in
      let session = try await rig.connect("/echo", over: .webSocket)
      for (size, head) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10), (200_000, 10)] {
        let before = try await settled(session)
        try await session.send(Message(binary: [UInt8](repeating: 1, count: size)))
        _ = try await session.take()
        let after = try await settled(session)
        let (sent, received) = (after.sent - before.sent, after.received - before.received)
        #expect(sent.framing == UInt64(head + 4) && received.framing == UInt64(head), "\(size)")
        #expect(sent.http == 0 && received.http == 0 && sent.control == 0 && received.control == 0)
      }
      session.close()
    }
  }

  @Test(
    "An event costs 14 bytes in its chunk, and with an id 5 more and the id's own",
    arguments: [16, 20, 100, 125])
  func eventFraming(size: Int) async throws {
    try await Rig.run({ server in
      Self.addEcho(server)
      server.session(at: "/topic") { session in
        session.subscribe(to: server.topic("numbered"))
        try await session.send("ready")
        _ = await session.ended()
      }
    }) { rig in
      let text = String(repeating: "x", count: size)
      let plain = try await rig.connect("/echo", over: .serverSentEvents)
      let before = try await settled(plain)
      try await plain.send(text)
      _ = try await plain.take()
      let framing = (try await settled(plain)).received.framing - before.received.framing
      #expect(framing == 14)
      plain.close()

      let subscriber = try await rig.connect("/topic", over: .serverSentEvents)
      #expect(try await subscriber.take() == Message("ready"))
      for _ in 1...12 {
        let before = try await settled(subscriber)
        let position = rig.server.topic("numbered").publish(Message(text))
        _ = try await subscriber.take()
        let framing = (try await settled(subscriber)).received.framing - before.received.framing
        #expect(framing == 14 + 5 + UInt64(position.description.utf8.count))
      }
      subscriber.close()
    }
  }

  @Test("Server and client agree on what went between them", arguments: TransportKind.allCases)
  func bothEnds(kind: TransportKind) async throws {
    try await Carrier.shipped(kind).withPair { pair in
      for (from, to) in pair.directions {
        try await from.send(all: (0..<50).map { Message("message \($0)") })
        _ = try await to.take(50)
      }
      let client = try await settled(pair.client)
      let server = await pair.server.traffic()
      #expect(client.sent.payload == server.received.payload)
      #expect(client.received.payload == server.sent.payload)
      #expect(client.sent.messages == 50 && server.sent.messages == 50)
      // The client counts the chunk around a comment as framing, the server as control.
      #expect(client.received.overhead == server.sent.overhead)
      #expect(client.sent.overhead == server.received.overhead)
    }
  }
}

extension Ledger {
  /// All that is neither the application's nor HTTP's.
  fileprivate var overhead: UInt64 { framing + control }
}

extension Traffic {
  /// Whether ledgers and streams agree on every byte; after the end there is no kernel to ask.
  var isExactlyWritten: Bool {
    sent.total == streams.reduce(0) { $0 + $1.bytesSent }
      && received.total == streams.reduce(0) { $0 + $1.bytesReceived }
  }

  /// Whether ledgers, streams and kernel agree on every byte.
  var isExact: Bool {
    let sent = streams.reduce(0) { $0 + $1.bytesSent }
    let received = streams.reduce(0) { $0 + $1.bytesReceived }
    // The kernel counts what it sent twice twice.
    let kernelSent = kernel.reduce(0) { $0 + $1.bytesSent - $1.bytesRetransmitted }
    let kernelReceived = kernel.reduce(0) { $0 + $1.bytesReceived }
    return self.sent.total == sent && self.received.total == received
      && kernelSent == sent && kernelReceived == received
  }
}
