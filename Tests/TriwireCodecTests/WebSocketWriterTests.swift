import Testing
import TriwireCodec

@Suite("WebSocket writer and mask (RFC 6455 §5)")
struct WebSocketWriterTests {
  static let lengths = [
    0, 1, 2, 3, 4, 5, 63, 64, 65, 124, 125, 126, 127, 1000, 65_535, 65_536, 100_000,
  ]

  func frame(_ opcode: WebSocketWriter.Opcode, _ payload: [UInt8], mask: UInt32?) -> [UInt8] {
    written(capacity: payload.count + WebSocketWriter.maximumHead) {
      WebSocketWriter.append(
        opcode, payload.span, mask: mask.map { WebSocketMask(littleEndian: $0) }, to: &$0)
    }
  }

  @Test("What one role writes the other reads, at all lengths, and the mask does not show")
  func roundTrip() {
    for length in Self.lengths {
      let payload = pattern(length)
      let fromServer = frame(.binary, payload, mask: nil)
      #expect(webSocketEvents([fromServer[...]], to: .client).seen == [.binary(payload)])
      let fromClient = frame(.binary, payload, mask: 0x9A5C_31E7)
      #expect(webSocketEvents([fromClient[...]], to: .server).seen == [.binary(payload)])
      #expect(fromClient.count == fromServer.count + 4)
    }
  }

  @Test("Each opcode is written with FIN alone, and read back")
  func opcodes() {
    let cases: [(WebSocketWriter.Opcode, [UInt8], WebSocketSeen)] = [
      (.text, Array("é".utf8), .text("é")), (.binary, [0xFF], .binary([0xFF])),
      (.ping, [1], .ping([1])), (.pong, [2], .pong([2])), (.close, [3, 232], .close(.normal, "")),
    ]
    for (opcode, payload, expected) in cases {
      let bytes = frame(opcode, payload, mask: nil)
      #expect(bytes[0] == 0x80 | opcode.rawValue)
      #expect(webSocketEvents([bytes[...]], to: .client).seen == [expected])
    }
  }

  @Test("A head takes 2, 4 or 10 bytes, and 4 more for a mask (§5.2)")
  func heads() {
    for (length, bytes) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10), (100_000, 10)] {
      #expect(WebSocketWriter.headBytes(payload: length, masked: false) == bytes)
      #expect(WebSocketWriter.headBytes(payload: length, masked: true) == bytes + 4)
      #expect(frame(.binary, pattern(length), mask: nil).count == bytes + length)
    }
  }

  @Test("A close reason is cut to what fits, at a character (§5.5)")
  func closeReasons() throws {
    let short = WebSocketWriter.closePayload(.goingAway, "bye")
    #expect(short == [3, 233] + Array("bye".utf8))
    for reason in [String(repeating: "a", count: 200), String(repeating: "😀", count: 40)] {
      let payload = WebSocketWriter.closePayload(.normal, reason)
      #expect((122...125).contains(payload.count))
      let words = try #require(String(validating: payload[2...], as: UTF8.self))
      #expect(reason.hasPrefix(words))
    }
  }

  @Test("A mask covers every length from every offset, and turns for what follows (§5.3)")
  func masks() {
    let key: [UInt8] = [0x12, 0x34, 0x56, 0x78]
    for offset in 0..<70 {
      for length in 0..<150 {
        let plain = pattern(offset + length + 1)
        var bytes = plain
        var mask = WebSocketMask(littleEndian: 0x7856_3412)
        bytes.withUnsafeMutableBytes {
          mask.apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[offset..<offset + length]))
        }
        let expected = plain.enumerated().map { index, byte in
          let place = index - offset
          return place >= 0 && place < length ? byte ^ key[place % 4] : byte
        }
        if bytes != expected { Issue.record("offset \(offset), length \(length)") }
        let turned = (0..<4).map { key[(length + $0) % 4] }
        let left = (0..<4).map { UInt8(truncatingIfNeeded: mask.littleEndian >> UInt32(8 * $0)) }
        if left != turned { Issue.record("turned to \(left) after \(length) bytes") }
      }
    }
  }

  @Test("A mask applied in two pieces is the mask applied at once (§5.3)")
  func maskInPieces() {
    let plain = pattern(200)
    for cut in 0...200 {
      var whole = plain
      var pieces = plain
      var first = WebSocketMask(littleEndian: 0xA1B2_C3D4)
      var second = first
      whole.withUnsafeMutableBytes { first.apply(to: $0) }
      pieces.withUnsafeMutableBytes {
        second.apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[..<cut]))
        second.apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[cut...]))
      }
      #expect(whole == pieces)
      #expect(first == second)
    }
  }
}
