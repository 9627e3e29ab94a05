import TestSupport
import Testing
import Triwire
import TriwireCodec

@Suite("Compressed sessions", .takesTurns)
struct CompressionTests {
  /// Six ways to compress, both ends alike.
  static let options: [DeflateOptions] = [9, 12, 15].flatMap { bits in
    [true, false].map { keepsContext in
      var options = DeflateOptions()
      options.windowBits = bits
      options.peerWindowBits = bits
      options.contextTakeover = keepsContext
      options.peerContextTakeover = keepsContext
      return options
    }
  }

  @Test("Echoes come back over a compressed WebSocket, and cost less", arguments: options)
  func echoes(options: DeflateOptions) async throws {
    var configuration = TriwireServer.Configuration()
    configuration.deflate = options
    let server = TriwireServer(configuration: configuration)
    server.session(at: "/echo") { session in
      for try await message in session.messages { try await session.send(message) }
    }
    let address = try await server.start(on: "127.0.0.1:0")
    var client = TriwireClient.Configuration.direct
    client.deflate = options
    let session = try await TriwireClient("ws://\(address)/echo", configuration: client)
      .connect(over: [.webSocket])
    var reader = session.messages.makeAsyncIterator()
    for size in [0, 1, 63, 64, 200, 5000, 70_000, 1 << 20] {
      let text = String(repeating: "wort für wort; ", count: size / 16)
      try await session.send(text)
      #expect(try await reader.next()?.text == text)
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
      for compression in [MessageCompression.automatic, .never, .noContextTakeover] {
        try await session.send(Message(binary: bytes), compression: compression)
        #expect(try await reader.next()?.bytes == bytes)
      }
    }
    let traffic = await session.traffic()
    #expect(traffic.sent.total == traffic.streams.reduce(0) { $0 + $1.bytesSent })
    #expect(traffic.received.total == traffic.streams.reduce(0) { $0 + $1.bytesReceived })
    #expect(traffic.received.saved > 1_000_000)
    session.close()
    #expect(await session.ended().code == .normal)
    await server.stop()
  }

  @Test("A broadcast reaches compressed and plain subscribers alike")
  func broadcast() async throws {
    var options = DeflateOptions()
    options.contextTakeover = false
    var configuration = TriwireServer.Configuration()
    configuration.deflate = options
    let server = TriwireServer(configuration: configuration)
    server.session(at: "/news") { session in
      session.subscribe(to: server.topic("news"))
      try await session.send("subscribed")
      _ = await session.ended()
    }
    let address = try await server.start(on: "127.0.0.1:0")
    var compressed = TriwireClient.Configuration.direct
    compressed.deflate = options
    let text = String(repeating: "all the news that fits; ", count: 40)
    var readers: [(Session, Messages.Iterator)] = []
    for configuration in [compressed, compressed, TriwireClient.Configuration.direct] {
      let session = try await TriwireClient("ws://\(address)/news", configuration: configuration)
        .connect(over: [.webSocket])
      var reader = session.messages.makeAsyncIterator()
      #expect(try await reader.next()?.text == "subscribed")
      readers.append((session, reader))
    }
    for number in 0..<3 { server.topic("news").publish(Message("\(number) \(text)")) }
    for (session, reader) in readers {
      var reader = reader
      for number in 0..<3 { #expect(try await reader.next()?.text == "\(number) \(text)") }
      session.close()
    }
    await server.stop()
  }

  @Test("A message that decompresses over the limit closes the session with 1009")
  func bomb() async throws {
    var configuration = TriwireServer.Configuration()
    configuration.deflate = DeflateOptions()
    configuration.session.messageBytes = 100_000
    let server = TriwireServer(configuration: configuration)
    server.session(at: "/echo") { session in
      for try await message in session.messages { try await session.send(message) }
    }
    let address = try await server.start(on: "127.0.0.1:0")
    var client = TriwireClient.Configuration.direct
    client.deflate = DeflateOptions()
    let session = try await TriwireClient("ws://\(address)/echo", configuration: client)
      .connect(over: [.webSocket])
    try await session.send(Message(binary: [UInt8](repeating: 0, count: 1_000_000)))
    let end = await session.ended()
    #expect(end.code == .messageTooBig)
    #expect(end.reason.contains("raise limits.messageBytes"))
    await server.stop()
  }

  @Test("Compressed text that is not UTF-8 is refused with 1007 and the place in the message")
  func badText() async throws {
    let rig = try await Rig.start(configure: { $0.deflate = DeflateOptions() }) { server in
      server.session(at: "/echo") { session in _ = await session.ended() }
    }
    let long = Array(String(repeating: "世界, ", count: 400).utf8)
    let cases: [(text: [UInt8], words: String)] = [
      (long + [0xED, 0xA0] + long, "is not valid UTF-8 at byte 3201"),
      ([0x61, 0xFF], "is not valid UTF-8 at byte 1"),
      ([0x61, 0xE4, 0xB8], "ends within a character"),
    ]
    let offer = "sec-websocket-extensions: permessage-deflate\r\n\r\n"
    for (text, words) in cases {
      let peer = try rig.rawPeer()
      // A CRLF is one character.
      try await peer.send(UpgradeTests.handshake().dropLast() + offer)
      #expect(try await peer.answerHead()["sec-websocket-extensions"] != nil)
      let compressed = Deflater(windowBits: 9, memoryLevel: 1, level: 6)
        .compress(text.span, keepingContext: false)
      let half = compressed.count / 2
      for (head, part) in [(UInt8(0x41), compressed[..<half]), (0x80, compressed[half...])] {
        try #require(part.count < 126)
        try await peer.send([head, 0x80 | UInt8(part.count), 0, 0, 0, 0] + part)
      }
      let close = try await peer.receiveAll()
      #expect(close.starts(with: [0x88, UInt8(close.count - 2), 0x03, 0xEF]))
      #expect(String(decoding: close.dropFirst(4), as: UTF8.self) == "a text message \(words)")
    }
    try await rig.stop()
  }

  @Test("A session ends when it has lasted its time, and when nothing is said")
  func expiry() async throws {
    var idle = RouteOptions()
    idle.limits = SessionLimits()
    idle.limits?.idleSeconds = 0.05
    var short = RouteOptions()
    short.limits = SessionLimits()
    short.limits?.lifetimeSeconds = 0.05
    let server = TriwireServer()
    server.session(at: "/idle", options: idle) { session in _ = await session.ended() }
    server.session(at: "/short", options: short) { session in _ = await session.ended() }
    let address = try await server.start(on: "127.0.0.1:0")
    for path in ["idle", "short"] {
      let session = try await TriwireClient("http://\(address)/\(path)", configuration: .direct)
        .connect()
      #expect(await session.ended().code == .goingAway)
    }
    await server.stop()
  }

  @Test("A subprotocol is the first that the server knows, and reaches both sides")
  func subprotocols() async throws {
    var options = RouteOptions()
    options.subprotocols = .firstOf(["v2", "v1"])
    let server = TriwireServer()
    server.session(at: "/talk", options: options) { session in
      try await session.send(session.subprotocol ?? "none")
      _ = await session.ended()
    }
    let address = try await server.start(on: "127.0.0.1:0")
    for (offered, chosen) in [(["v1", "v2"], "v2"), (["v1"], "v1"), (["v9"], nil), ([], nil)] {
      var configuration = TriwireClient.Configuration.direct
      configuration.subprotocols = offered
      let session = try await TriwireClient("ws://\(address)/talk", configuration: configuration)
        .connect(over: [.webSocket])
      var reader = session.messages.makeAsyncIterator()
      #expect(try await reader.next()?.text == chosen ?? "none")
      #expect(session.subprotocol == chosen)
      session.close()
    }
    await server.stop()
  }

  @Test("A ping measures the round trip, and none is measured without one")
  func ping() async throws {
    let server = TriwireServer()
    server.session(at: "/echo") { session in _ = await session.ended() }
    let address = try await server.start(on: "127.0.0.1:0")
    let session = try await TriwireClient("ws://\(address)/echo", configuration: .direct).connect(
      over: [.webSocket])
    let time = try #require(await session.ping())
    #expect(time > 0)
    let other = try await TriwireClient("http://\(address)/echo", configuration: .direct).connect(
      over: [.longPolling])
    #expect(await other.ping() == nil)
    session.close()
    other.close()
    await server.stop()
  }
}
