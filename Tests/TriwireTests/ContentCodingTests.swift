import TestSupport
import Testing
import Triwire
import TriwireCodec

/// A body that is read as its coding says.
private func plain(_ body: [UInt8]) throws -> String {
  let reader = GzipReader(ratio: 2000)
  var text: [UInt8] = []
  var offset = 0
  while try reader.next(body.span, at: &offset, { text.append(copying: $0) }) {}
  return String(decoding: text, as: UTF8.self)
}

@Suite("Event streams and polls in the coding gzip", .takesTurns)
struct ContentCodingTests {
  private static let words = String(repeating: "all the news that fits; ", count: 40)

  private func start(
    session: SessionLimits = .patient, client: SessionLimits = .patient, isAsked: Bool = true,
    isOn: Bool = true, _ routes: (TriwireServer) -> Void
  ) async throws -> Rig {
    var rig = try await Rig.start(
      session: session, client: client,
      configure: { if isOn { $0.gzip = GzipOptions() } }, routes)
    if isAsked { rig.client.gzip = GzipOptions() }
    return rig
  }

  @Test(
    "Echoes come back, cost less, and every byte is accounted for on both sides",
    arguments: [TransportKind.serverSentEvents, .longPolling])
  func echoes(_ kind: TransportKind) async throws {
    let sessions = Mailbox<Session>()
    let rig = try await start { server in
      server.session(at: "/echo") { session in
        sessions.put(session)
        for try await message in session.messages { try await session.send(message) }
      }
    }
    let session = try await rig.connect("/echo", over: kind)
    let other = try await sessions.next("the server's end")
    var reader = session.messages.makeAsyncIterator()
    for size in [0, 1, 63, 300, 5000, 70_000, 1 << 20] {
      let text = String(repeating: "wort für wort; ", count: size / 16)
      try await session.send(text)
      #expect(try await reader.next()?.text == text)
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
      try await session.send(Message(binary: bytes))
      #expect(try await reader.next()?.bytes == bytes)
    }
    for end in [session, other] {
      let traffic = await end.traffic()
      #expect(traffic.sent.total == traffic.streams.reduce(0) { $0 + $1.bytesSent })
      #expect(traffic.received.total == traffic.streams.reduce(0) { $0 + $1.bytesReceived })
    }
    #expect(await session.traffic().received.saved > 1_000_000)
    #expect(await other.traffic().sent.saved > 1_000_000)
    try await rig.stop()
  }

  @Test(
    "Messages of each kind of compression come, of the session and of a topic",
    arguments: [TransportKind.serverSentEvents, .longPolling])
  func kinds(_ kind: TransportKind) async throws {
    let rig = try await start { server in
      server.session(at: "/news") { session in
        session.subscribe(to: server.topic("news"))
        for compression in [MessageCompression.automatic, .never, .noContextTakeover, .automatic] {
          try await session.send(Message(Self.words), compression: compression)
        }
        _ = await session.ended()
      }
    }
    let session = try await rig.connect("/news", over: kind)
    var reader = session.messages.makeAsyncIterator()
    for _ in 0..<4 { #expect(try await reader.next()?.text == Self.words) }
    for number in 0..<3 { rig.server.topic("news").publish(Message("\(number) \(Self.words)")) }
    for number in 0..<3 { #expect(try await reader.next()?.text == "\(number) \(Self.words)") }
    try await rig.stop()
  }

  @Test(
    "It takes both: a client that asks and a server that is told to",
    arguments: [TransportKind.serverSentEvents, .longPolling], [(true, false), (false, true)])
  func off(_ kind: TransportKind, _ sides: (isAsked: Bool, isOn: Bool)) async throws {
    let rig = try await start(isAsked: sides.isAsked, isOn: sides.isOn) { server in
      server.session(at: "/news") { session in
        try await session.send(Self.words)
        _ = await session.ended()
      }
    }
    let session = try await rig.connect("/news", over: kind)
    var reader = session.messages.makeAsyncIterator()
    #expect(try await reader.next()?.text == Self.words)
    #expect(await session.traffic().received.saved == 0)
    try await rig.stop()
  }

  @Test(
    "The head says the coding where the request allows it (RFC 9110 §12.5.3)",
    arguments: [
      ("accept-encoding: gzip", true), ("accept-encoding: br, GZIP;q=0.5", true),
      ("accept-encoding: x-gzip", true), ("accept-encoding: *", true),
      ("accept-encoding: gzip;q=0, *", false), ("accept-encoding: *;q=0", false),
      ("accept-encoding: br, zstd", false), ("accept-encoding:", false),
      ("accept-encoding: gzip;q=x", false), ("x-other: gzip", false),
    ])
  func negotiation(_ field: String, _ isCoded: Bool) async throws {
    let rig = try await start { server in
      server.session(at: "/news") { session in
        try await session.send(Self.words)
        _ = await session.ended()
      }
    }
    let streaming = try rig.rawPeer()
    try await streaming.send(request("GET /news", "accept: text/event-stream\r\n\(field)"))
    let head = try await streaming.answerHead()
    #expect(head["content-encoding"] == (isCoded ? "gzip" : nil))
    #expect(head["vary"] == "accept-encoding")
    let polling = try rig.rawPeer()
    let answer = try await polling.exchange(request("GET /news?session=mine-1234", field))
    #expect(answer["content-encoding"] == (isCoded ? "gzip" : nil))
    #expect(answer["vary"] == "accept-encoding")
    #expect(try (isCoded ? plain(answer.body) : answer.text) == "[\"\(Self.words)\"]")
    try await rig.stop()
  }

  @Test("A stream is gzip from its first byte to its last, each event at once")
  func stream() async throws {
    let messages = Mailbox<Session>()
    let rig = try await start { server in
      server.session(at: "/news") { session in
        messages.put(session)
        _ = await session.ended()
      }
    }
    let peer = try rig.rawPeer()
    try await peer.send(
      request("GET /news", "accept: text/event-stream\r\naccept-encoding: gzip"))
    _ = try await peer.answerHead()
    let session = try await messages.next("the session")
    let reader = GzipReader(ratio: 2000)
    func next() async throws -> String? {
      let chunk = try await peer.chunk()
      guard !chunk.isEmpty else { return nil }
      var text: [UInt8] = []
      var offset = 0
      while try reader.next(chunk.span, at: &offset, { text.append(copying: $0) }) {}
      return String(decoding: text, as: UTF8.self)
    }
    #expect(try await next()?.hasPrefix(":") == true)
    try await session.send("one")
    #expect(try await next() == "data: one\n\n")
    session.close()
    #expect(try await next() == "event: close\ndata: 1000\n\n")
    #expect(!reader.isWhole)
    #expect(try await next() == "")
    #expect(reader.isWhole)
    #expect(try await next() == nil)
    try await rig.stop()
  }

  @Test(
    "A message that decompresses over the limit ends the session with 1009",
    arguments: [TransportKind.serverSentEvents, .longPolling])
  func bomb(_ kind: TransportKind) async throws {
    var limits = SessionLimits.patient
    limits.messageBytes = 100_000
    let rig = try await start(client: limits) { server in
      server.session(at: "/bomb") { session in
        for try await _ in session.messages {
          try await session.send(String(repeating: "0", count: 1_000_000))
        }
      }
    }
    let session = try await rig.connect("/bomb", over: kind)
    try await session.send("now")
    let end = await session.ended()
    #expect(end.code == .messageTooBig)
    #expect(end.reason.contains("limit"))
    try await rig.stop()
  }

  @Test(
    "An answer that grows beyond the ratio ends the session and names the option",
    arguments: [TransportKind.serverSentEvents, .longPolling])
  func ratio(_ kind: TransportKind) async throws {
    var rig = try await start { server in
      server.session(at: "/bomb") { session in
        for try await _ in session.messages {
          try await session.send(String(repeating: "0", count: 500_000))
        }
      }
    }
    rig.client.gzip?.maximumRatio = 10
    let session = try await rig.connect("/bomb", over: kind)
    try await session.send("now")
    let end = await session.ended()
    #expect(end.code == .messageTooBig)
    #expect(end.reason == "the answer grows more than 10-fold: raise gzip.maximumRatio")
    try await rig.stop()
  }

  @Test("A client that does not read lets the server wait, and then gets everything")
  func backpressure() async throws {
    var limits = SessionLimits.patient
    limits.queuedBytes = 4096
    let rig = try await start(session: limits, client: limits) { server in
      server.session(at: "/many") { session in
        for number in 0..<3000 { try await session.send("\(number) \(Self.words)") }
        _ = await session.ended()
      }
    }
    let session = try await rig.connect("/many", over: .serverSentEvents)
    var reader = session.messages.makeAsyncIterator()
    for number in 0..<3000 {
      #expect(try await reader.next()?.text == "\(number) \(Self.words)")
    }
    try await rig.stop()
  }
}
