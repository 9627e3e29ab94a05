import Testing
import TestSupport
import Triwire

@Suite("Server: the WebSocket handshake (RFC 6455 §4.2)", .takesTurns)
struct UpgradeTests {
  /// The example of RFC 6455 §1.3.
  static let key = "dGhlIHNhbXBsZSBub25jZQ=="

  static func handshake(
    _ line: String = "GET /echo HTTP/1.1", key: String? = key, version: String? = "13",
    connection: String? = "Upgrade", host: String? = "test"
  ) -> String {
    var text = line + "\r\nupgrade: websocket\r\n"
    if let host { text += "host: \(host)\r\n" }
    if let connection { text += "connection: \(connection)\r\n" }
    if let key { text += "sec-websocket-key: \(key)\r\n" }
    if let version { text += "sec-websocket-version: \(version)\r\n" }
    return text + "\r\n"
  }

  /// A masked text frame of a client.
  static func frame(_ text: String, opcode: UInt8 = 1) -> [UInt8] {
    let mask: [UInt8] = [1, 2, 3, 4]
    return [0x80 | opcode, 0x80 | UInt8(text.utf8.count)] + mask
      + text.utf8.enumerated().map { $1 ^ mask[$0 % 4] }
  }

  func run(_ body: @escaping @Sendable (Rig) async throws -> Void) async throws {
    try await Rig.run(ViolationTests.addRoutes, body)
  }

  @Test("The example of §1.3 is answered as it says, and frames of the same packet are read")
  func samePacket() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      try await peer.send(
        Array(Self.handshake().utf8) + Self.frame("one") + Self.frame("two")
          + Self.frame("p", opcode: 9))
      let answer = try await peer.answerHead()
      #expect(answer.status == 101)
      #expect(answer["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
      #expect(answer["upgrade"]?.lowercased() == "websocket")
      #expect(answer["connection"]?.lowercased() == "upgrade")
      let frames = try await peer.receive(5 + 5 + 3)
      let expected = [
        [0x81, 3] + Array("one".utf8), [0x81, 3] + Array("two".utf8), [0x8A, 1] + Array("p".utf8),
      ]
      // The pong may overtake the handler's answers, which come from a task.
      for frame in expected { #expect(frames.contains(frame)) }
    }
  }

  @Test("A handshake that comes byte by byte is one all the same")
  func byteByByte() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      for byte in Array(Self.handshake().utf8) + Self.frame("slow") { try await peer.send([byte]) }
      #expect(try await peer.answerHead().status == 101)
      #expect(try await peer.receive(6) == [0x81, 4] + Array("slow".utf8))
    }
  }

  @Test("A handshake behind other requests is one too")
  func afterOthers() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      try await peer.send(
        Array((request("GET /hello") + Self.handshake()).utf8) + Self.frame("late"))
      #expect(try await peer.answer().text == "hello\n")
      #expect(try await peer.answerHead().status == 101)
      #expect(try await peer.receive(6) == [0x81, 4] + Array("late".utf8))
    }
  }

  @Test(
    "Another version is refused with 426 that names the one that is spoken (§4.4)",
    arguments: ["8", "12", "14", "x", nil])
  func version(version: String?) async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      let answer = try await peer.exchange(Self.handshake(version: version))
      #expect(answer.status == 426)
      #expect(answer["sec-websocket-version"] == "13")
      #expect(answer["upgrade"] == "websocket")
      // RFC 9110 §7.8: who sends Upgrade says so in Connection.
      #expect(answer["connection"]?.lowercased() == "upgrade")
    }
  }

  @Test(
    "A handshake whose Upgrade a proxy has taken out is refused with 426, and opens nothing",
    arguments: ["HTTP/1.1", "HTTP/1.0"], [true, false])
  func stripped(version: String, isResumable: Bool) async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      let token = "stripped.AAAAAAAAAAAAAAAAAAAAAA.0.0"
      // As nginx passes it on that was not told of WebSocket.
      let answer = try await peer.exchange(
        "GET /echo \(version)\r\nhost: test\r\nconnection: close\r\nsec-websocket-version: 13\r\n"
          + "sec-websocket-key: \(Self.key)\r\n"
          + (isResumable ? "triwire-session: \(token)\r\n" : "") + "\r\n")
      #expect(answer.status == 426)
      #expect(answer["upgrade"] == "websocket")
      #expect(answer.text.contains("a proxy"), "\(answer.text)")
      let other = try rig.rawPeer()
      let next = try await other.exchange(
        "POST /echo HTTP/1.1\r\nhost: test\r\ntriwire-session: \(token)\r\ncontent-length: 0\r\n\r\n"
      )
      #expect(next.status == 404, "a session is open")
    }
  }

  @Test("A handshake without what it needs is refused with 400, and the reason (§4.2.1)")
  func incomplete() async throws {
    try await run { rig in
      let cases = [
        Self.handshake(key: nil), Self.handshake(key: ""), Self.handshake(key: "short"),
        Self.handshake(key: "dGhlIHNhbXBsZSBub25jZQ=?"), Self.handshake(connection: nil),
        Self.handshake(connection: "keep-alive"),
        Self.handshake("GET /echo HTTP/1.0", connection: "Upgrade, keep-alive"),
      ]
      for text in cases {
        let peer = try rig.rawPeer()
        let answer = try await peer.exchange(text)
        #expect(answer.status == 400, "\(text)")
        #expect(!answer.body.isEmpty)
      }
    }
  }

  @Test(
    "A frame that breaks a rule is answered with its close code, then the server closes first (§7.1.1)"
  )
  func badFrame() async throws {
    try await run { rig in
      let other = try await rig.connect("/echo", over: .webSocket)
      let cases: [(bytes: [UInt8], code: UInt16)] = [
        ([0x81, 0x01, 0x61], 1002), ([0xC1, 0x80, 1, 2, 3, 4], 1002),
        ([0x83, 0x80, 1, 2, 3, 4], 1002),
        (Self.frame("\u{7F}").dropLast() + [0xFF ^ 1], 1007),
        ([0x82, 0xFF, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0], 1009),
      ]
      for (bytes, code) in cases {
        let peer = try rig.rawPeer()
        try await peer.send(Array(Self.handshake().utf8) + bytes)
        #expect(try await peer.answerHead().status == 101)
        let close = try await peer.receiveAll()
        #expect(close.prefix(1) == [0x88] && close.count > 4, "\(bytes)")
        #expect(Array(close[2..<4]) == [UInt8(code >> 8), UInt8(code & 0xFF)], "\(bytes)")
        try await other.send("unharmed")
        #expect(try await other.take() == Message("unharmed"))
      }
      other.close()
    }
  }

  @Test("A long frame may come in parts of any size, and what stands behind it is the next one")
  func longFrames() async throws {
    try await run { rig in
      let payload = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      let mask: [UInt8] = [1, 2, 3, 4]
      var bytes: [UInt8] = [0x82, 0xFF, 0, 0, 0, 0, 0, 4, 0x93, 0xE0] + mask
      bytes += payload.enumerated().map { $1 ^ mask[$0 & 3] }
      for size in [40_000, 100_001, 299_999] {
        let peer = try rig.rawPeer()
        try await peer.send(Array(Self.handshake().utf8) + bytes[..<size])
        #expect(try await peer.answerHead().status == 101)
        try await peer.send(Array(bytes[size...]) + Self.frame("next"))
        let echo = try await peer.receive(10 + payload.count)
        #expect(Array(echo.prefix(10)) == [0x82, 127, 0, 0, 0, 0, 0, 4, 0x93, 0xE0])
        #expect(Array(echo.dropFirst(10)) == payload, "parted at \(size)")
        #expect(try await peer.receive(6) == [0x81, 4] + Array("next".utf8))
      }
    }
  }

  @Test("A long text that is not UTF-8 is refused at the byte where it fails (§8.1)")
  func longBadText() async throws {
    try await run { rig in
      var payload = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
      payload[200_000] = 0xFF
      let head: [UInt8] = [0x81, 0xFF, 0, 0, 0, 0, 0, 4, 0x93, 0xE0, 0, 0, 0, 0]
      let peer = try rig.rawPeer()
      try await peer.send(Array(Self.handshake().utf8) + head + payload[..<100_000])
      #expect(try await peer.answerHead().status == 101)
      try await peer.send(Array(payload[100_000..<250_000]))
      let close = try await peer.receiveAll()
      #expect(Array(close.prefix(1) + close.dropFirst(2).prefix(2)) == [0x88, 3, 0xEF])
      #expect(String(decoding: close.dropFirst(4), as: UTF8.self).contains("200000"))
    }
  }

  @Test("A client's close is answered with its code, and the server closes first (§5.5.1, §7.1.1)")
  func close() async throws {
    try await run { rig in
      let peer = try rig.rawPeer()
      try await peer.send(
        Array(Self.handshake().utf8) + Self.frame("bye") + [0x88, 0x82, 0, 0, 0, 0, 0x0F, 0xA0])
      #expect(try await peer.answerHead().status == 101)
      let rest = try await peer.receiveAll()
      #expect(rest.suffix(4) == [0x88, 2, 0x0F, 0xA0])
    }
  }
}
