import Testing
import TriwireCodec

@Suite("WebSocket codec: text is UTF-8 (RFC 6455 §8.1)")
struct WebSocketTextTests {
  static func refused(at byte: Int) -> WebSocketSeen {
    .violation(.invalidPayload, "a text message is not valid UTF-8 at byte \(byte)")
  }

  /// Bytes that are not UTF-8, and at which of them that becomes certain.
  static let wrong: [(bytes: [UInt8], at: Int)] = [
    ([0x80], 0), ([0xBF], 0), ([0xC0, 0xAF], 0), ([0xC1, 0xBF], 0), ([0xE0, 0x80, 0xAF], 1),
    ([0xE0, 0x9F, 0xBF], 1), ([0xED, 0xA0, 0x80], 1), ([0xED, 0xBF, 0xBF], 1),
    ([0xF0, 0x80, 0x80, 0xAF], 1), ([0xF0, 0x8F, 0xBF, 0xBF], 1), ([0xF4, 0x90, 0x80, 0x80], 1),
    ([0xF5, 0x80, 0x80, 0x80], 0), ([0xF8, 0x88, 0x80, 0x80, 0x80], 0), ([0xFE], 0), ([0xFF], 0),
    ([0xC3, 0x28], 1), ([0xE2, 0x28, 0xA1], 1), ([0xE2, 0x82, 0x28], 2),
    ([0xF0, 0x9F, 0x98, 0x28], 3), ([0xF0, 0x9F, 0x28], 2), ([0x61, 0xC3, 0x61], 2),
  ]

  /// Texts of the edges of each form.
  static let right = [
    "", "\0", "\u{7F}", "\u{80}", "\u{7FF}", "\u{800}", "\u{FFF}", "\u{1000}", "\u{D7FF}",
    "\u{E000}", "\u{FFFD}", "\u{FFFE}", "\u{FFFF}", "\u{10000}", "\u{3FFFF}", "\u{100000}",
    "\u{10FFFF}", "κόσμε", "\u{FEFF}bom",
  ]

  @Test("Text of all lengths of characters passes at every cut")
  func rightTexts() {
    for text in Self.right {
      let bytes = TestFrame.text(text).bytes(to: .server)
      for way in Cuts.all(bytes) {
        #expect(webSocketEvents(way, to: .server).seen == [.text(text)])
      }
    }
  }

  @Test("Text that is not UTF-8 is refused with 1007 and the place in the message, at every cut")
  func wrongTexts() {
    let start = Array("ok 世".utf8)
    for (wrong, at) in Self.wrong {
      let payload = start + wrong + Array("k".utf8)
      let refused = Self.refused(at: start.count + at)
      let bytes = TestFrame(opcode: 1, payload: payload).bytes(to: .server)
      for way in Cuts.all(bytes) {
        #expect(webSocketEvents(way, to: .server).seen == [refused], "\(wrong)")
      }
      for cut in 0...payload.count {
        let frames = [
          TestFrame(opcode: 1, payload: Array(payload[..<cut]), isFinal: false),
          .more(Array(payload[cut...])),
        ]
        #expect(webSocketEvents(frames) == [refused])
      }
    }
  }

  @Test("Text is refused at its first bad byte, before the message is whole (§8.1)")
  func failFast() {
    for (wrong, at) in Self.wrong {
      let start = Array("ok é".utf8)
      let payload = start + wrong + pattern(1000).map { $0 & 0x7F }
      let bytes = TestFrame(opcode: 1, payload: payload, isFinal: false).bytes(to: .client)
      let head = bytes.count - payload.count
      var feed = WebSocketFeed(.client)
      for byte in bytes[..<(head + start.count + at)] { feed.receive([byte]) }
      #expect(feed.seen.isEmpty, "too early: \(wrong)")
      feed.receive([bytes[head + start.count + at]])
      #expect(feed.seen == [Self.refused(at: start.count + at)], "too late: \(wrong)")
    }
  }

  @Test("A character that is cut off by the end of the message is refused with 1007")
  func cutOff() {
    let bytes = Array("a😀".utf8)
    let refused = WebSocketSeen.violation(
      .invalidPayload, "a text message ends within a character")
    for end in 2..<bytes.count {
      #expect(webSocketEvents([TestFrame(opcode: 1, payload: Array(bytes[..<end]))]) == [refused])
      let frames = [
        TestFrame(opcode: 1, payload: Array(bytes[..<end]), isFinal: false), TestFrame.more([]),
      ]
      #expect(webSocketEvents(frames) == [refused])
    }
  }

  @Test("Binary messages may hold any bytes")
  func binary() {
    for (wrong, _) in Self.wrong { #expect(webSocketEvents([.binary(wrong)]) == [.binary(wrong)]) }
  }
}
