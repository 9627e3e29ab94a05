import Testing
import TriwireCodec

@Suite("WebSocket codec: what it refuses (RFC 6455)")
struct WebSocketRuleTests {
  static let roles: [WebSocketRole] = [.server, .client]

  /// The violation that frames end in, at every cut; nil when there is none, or not at all cuts.
  func refusal(
    _ frames: [TestFrame], to role: WebSocketRole = .server, messageBytes: Int = 1 << 20
  ) -> WebSocketSeen? {
    let bytes = frames.flatMap { $0.bytes(to: role) }
    var last: WebSocketSeen?
    for way in Cuts.all(bytes) {
      let seen = webSocketEvents(way, to: role, messageBytes: messageBytes).seen.last
      guard case .violation = seen, last == nil || last == seen else { return nil }
      last = seen
    }
    return last
  }

  @Test("Every combination of reserved bits is refused with 1002 (§5.2)", arguments: roles)
  func reservedBits(role: WebSocketRole) {
    for reserved in UInt8(1)...7 {
      for opcode in [UInt8(0), 1, 2, 8, 9, 10] {
        let frame = TestFrame(opcode: opcode, payload: [], reserved: reserved)
        let expected = WebSocketSeen.violation(.protocolError, "a reserved bit is set")
        #expect(refusal([frame], to: role) == expected, "bits \(reserved), opcode \(opcode)")
      }
    }
  }

  @Test("Every reserved opcode is refused with 1002 (§5.2)", arguments: roles)
  func reservedOpcodes(role: WebSocketRole) {
    for opcode in [UInt8(3), 4, 5, 6, 7, 11, 12, 13, 14, 15] {
      for isFinal in [true, false] {
        let frame = TestFrame(opcode: opcode, payload: [], isFinal: isFinal)
        let expected = WebSocketSeen.violation(.protocolError, "opcode \(opcode) is reserved")
        #expect(refusal([frame], to: role) == expected)
      }
    }
  }

  @Test("A client frame without a mask and a server frame with one are refused with 1002 (§5.1)")
  func masking() {
    for opcode in [UInt8(1), 2, 8, 9, 10] {
      let plain = TestFrame(opcode: opcode, payload: []).bytes(to: .client)
      let toServer = WebSocketSeen.violation(.protocolError, "a client frame is not masked")
      #expect(webSocketEvents([plain[...]], to: .server).seen == [toServer])
      let masked = TestFrame(opcode: opcode, payload: []).bytes(to: .server)
      let toClient = WebSocketSeen.violation(.protocolError, "a server frame is masked")
      #expect(webSocketEvents([masked[...]], to: .client).seen == [toClient])
    }
  }

  @Test("A fragmented control frame is refused with 1002 (§5.5)", arguments: [UInt8(8), 9, 10])
  func fragmentedControl(opcode: UInt8) {
    let expected = WebSocketSeen.violation(.protocolError, "a control frame is fragmented")
    #expect(refusal([TestFrame(opcode: opcode, payload: [], isFinal: false)]) == expected)
  }

  @Test("A control frame of more than 125 bytes is refused with 1002 (§5.5)")
  func longControl() {
    let expected = WebSocketSeen.violation(
      .protocolError, "a control frame has more than 125 bytes")
    for opcode in [UInt8(8), 9, 10] {
      for length in [126, 127, 65_536] {
        #expect(refusal([TestFrame(opcode: opcode, payload: pattern(length))].prefixes) == expected)
      }
    }
    #expect(webSocketEvents([TestFrame(opcode: 9, payload: pattern(125))]) == [.ping(pattern(125))])
  }

  @Test("A length that is not in its shortest form is refused with 1002 (§5.2)", arguments: roles)
  func shortestForm(role: WebSocketRole) {
    for (length, size) in [(0, 2), (125, 2), (0, 8), (125, 8), (126, 8), (65_535, 8)] {
      let frame = TestFrame(
        opcode: 2, payload: [], length: UInt64(length), lengthBytes: size)
      let expected = WebSocketSeen.violation(
        .protocolError, "a frame length of \(length) is not in its shortest form")
      #expect(refusal([frame], to: role) == expected)
    }
  }

  @Test("A length with its top bit set is refused with 1002 (§5.2)", arguments: roles)
  func topBit(role: WebSocketRole) {
    for length in [UInt64(1) << 63, .max] {
      let frame = TestFrame(opcode: 2, payload: [], length: length, lengthBytes: 8)
      let expected = WebSocketSeen.violation(
        .protocolError, "a frame length has its top bit set")
      #expect(refusal([frame], to: role) == expected)
    }
  }

  @Test("A message over the limit is refused with 1009 as soon as its length stands there")
  func overTheLimit() {
    let words = "message is 101 bytes or more, limit is 100: raise limits.messageBytes"
    let expected = WebSocketSeen.violation(.messageTooBig, words)
    #expect(
      refusal([TestFrame(opcode: 2, payload: [], length: 101)], messageBytes: 100) == expected)
    let pieces: [TestFrame] = [
      .binary(pattern(99), isFinal: false), .more([1], isFinal: false),
      TestFrame(opcode: 0, payload: [], length: 1),
    ]
    #expect(refusal(pieces, messageBytes: 100) == expected)
    let largest = TestFrame(opcode: 2, payload: [], length: UInt64(Int.max), lengthBytes: 8)
    #expect(
      refusal([.binary([1], isFinal: false), largest.continuation], messageBytes: 100)
        == .violation(
          .messageTooBig,
          "message is \(Int.max) bytes or more, limit is 100: raise limits.messageBytes"))
  }

  @Test("A continuation that continues nothing is refused with 1002 (§5.4)", arguments: roles)
  func nothingToContinue(role: WebSocketRole) {
    let expected = WebSocketSeen.violation(
      .protocolError, "a continuation frame continues nothing")
    #expect(refusal([.more([1])], to: role) == expected)
    #expect(refusal([.text("whole"), .more([], isFinal: false)], to: role) == expected)
    let whole: [TestFrame] = [.binary([1], isFinal: false), .more([2]), .more([3])]
    #expect(refusal(whole, to: role) == expected)
  }

  @Test("A message that begins within another is refused with 1002 (§5.4)", arguments: roles)
  func messageWithinMessage(role: WebSocketRole) {
    let expected = WebSocketSeen.violation(
      .protocolError, "a new message begins within a fragmented one")
    for second in [TestFrame.text("b"), .binary([]), .text("", isFinal: false)] {
      #expect(refusal([.text("a", isFinal: false), second], to: role) == expected)
    }
  }

  @Test("Of all close codes those of §7.4 and of the registry may stand in a frame")
  func closeCodes() {
    for code in UInt16(0)...5500 {
      let isAllowed =
        (1000...1003).contains(code) || (1007...1014).contains(code) || (3000...4999).contains(code)
      let expected: WebSocketSeen =
        isAllowed
        ? .close(CloseCode(rawValue: code), "")
        : .violation(.protocolError, "close code \(code) must not be sent")
      #expect(webSocketEvents([.close(code)]) == [expected])
    }
    #expect(
      webSocketEvents([.close(65_535)]).last
        == .violation(.protocolError, "close code 65535 must not be sent"))
  }

  @Test("A close body of one byte is refused with 1002 (§5.5.1)", arguments: roles)
  func halfACloseCode(role: WebSocketRole) {
    let frame = TestFrame(opcode: 8, payload: [3])
    #expect(refusal([frame], to: role) == .violation(.protocolError, "a close code is cut off"))
  }

  @Test("A close reason that is not UTF-8 is refused with 1007 (§5.5.1, §8.1)", arguments: roles)
  func closeReason(role: WebSocketRole) {
    let cases: [(reason: [UInt8], words: String)] = [
      ([0xFF], "is not valid UTF-8 at byte 0"), ([0xC3], "ends within a character"),
      (Array("ok".utf8) + [0xED, 0xA0, 0x80], "is not valid UTF-8 at byte 3"),
    ]
    for (reason, words) in cases {
      let expected = WebSocketSeen.violation(.invalidPayload, "a close reason \(words)")
      #expect(refusal([.close(1000, reason)], to: role) == expected)
    }
  }

  @Test("A peer that broke a rule is refused for good: nothing after it is read")
  func refusedForGood() {
    var feed = WebSocketFeed(.client)
    feed.receive(TestFrame(opcode: 3, payload: []).bytes)
    feed.receive(TestFrame.text("later").bytes)
    #expect(feed.seen == [.violation(.protocolError, "opcode 3 is reserved")])
  }
}

extension TestFrame {
  /// The same as the last frame of a message.
  var continuation: TestFrame {
    var frame = self
    frame.opcode = 0
    return frame
  }
}

extension [TestFrame] {
  /// The frames without their payloads: enough where the head decides.
  var prefixes: [TestFrame] {
    map { frame in
      var frame = frame
      frame.length = UInt64(frame.payload.count)
      frame.payload = []
      return frame
    }
  }
}
