import Testing
import TriwireCodec

@Suite("WebSocket codec: what it reads (RFC 6455 §5)")
struct WebSocketCodecTests {
  static let roles: [WebSocketRole] = [.server, .client]

  @Test("The examples of RFC 6455 §5.7 are read as they say")
  func examples() {
    let hello = WebSocketSeen.text("Hello")
    let masked: [UInt8] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
    #expect(webSocketEvents([masked[...]], to: .server).seen == [hello])
    let plain: [UInt8] = [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]
    #expect(webSocketEvents([plain[...]], to: .client).seen == [hello])
    let halves: [UInt8] = [0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F]
    #expect(webSocketEvents([halves[...]], to: .client).seen == [hello])
    let ping: [UInt8] = [0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]
    #expect(webSocketEvents([ping[...]], to: .client).seen == [.ping(Array("Hello".utf8))])
    let long: [UInt8] = [0x82, 0x7E, 0x01, 0x00] + pattern(256)
    #expect(webSocketEvents([long[...]], to: .client).seen == [.binary(pattern(256))])
    let longer: [UInt8] = [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0] + pattern(65_536)
    #expect(webSocketEvents([longer[...]], to: .client).seen == [.binary(pattern(65_536))])
  }

  @Test("A conversation is read the same at every cut, with what follows kept", arguments: roles)
  func everyCut(role: WebSocketRole) {
    let frames: [TestFrame] = [
      .text("grüße, 世界 😀"), .binary([]), .text(""), TestFrame(opcode: 9, payload: [1, 2]),
      .text("a 😀", isFinal: false), TestFrame(opcode: 10, payload: []), .more([], isFinal: false),
      .more(Array("é".utf8)), .binary(pattern(130)), TestFrame(opcode: 2, payload: [7]),
    ]
    let expected: [WebSocketSeen] = [
      .text("grüße, 世界 😀"), .binary([]), .text(""), .ping([1, 2]), .pong([]), .text("a 😀é"),
      .binary(pattern(130)), .binary([7]),
    ]
    let trailing: [UInt8] = [0x82]
    let bytes = frames.flatMap { $0.bytes(to: role) } + trailing
    for way in Cuts.all(bytes) {
      let (seen, kept) = webSocketEvents(way, to: role)
      if seen != expected || kept != trailing {
        Issue.record("\(way.map(\.count)): \(seen), left \(kept)")
      }
    }
  }

  @Test("A text whose characters are cut between frames is read whole (RFC 6455 §5.6)")
  func charactersAcrossFrames() {
    let bytes = Array("é世😀".utf8)
    for first in 0...bytes.count {
      for second in first...bytes.count {
        let frames: [TestFrame] = [
          TestFrame(opcode: 1, payload: Array(bytes[..<first]), isFinal: false),
          .more(Array(bytes[first..<second]), isFinal: false), .more(Array(bytes[second...])),
        ]
        #expect(webSocketEvents(frames) == [.text("é世😀")])
      }
    }
  }

  @Test("Lengths around each form are read in both roles (RFC 6455 §5.2)", arguments: roles)
  func lengths(role: WebSocketRole) {
    for length in [0, 1, 124, 125, 126, 127, 65_535, 65_536, 65_537] {
      let payload = pattern(length)
      #expect(webSocketEvents([.binary(payload)], to: role) == [.binary(payload)], "\(length)")
    }
  }

  @Test("A payload is handed out as it comes, so that no more than a head or a ping is kept")
  func piecesAtOnce() {
    var feed = WebSocketFeed(.server)
    let frames: [TestFrame] = [.binary(pattern(5000)), TestFrame(opcode: 9, payload: pattern(125))]
    var most = 0
    for byte in frames.flatMap({ $0.bytes(to: .server) }) {
      feed.receive([byte])
      most = max(most, feed.kept.count)
    }
    #expect(feed.seen == [.binary(pattern(5000)), .ping(pattern(125))])
    #expect(most <= 139)
  }

  @Test("A message in one piece is one event, even when text (no copy is needed)")
  func wholeMessages() throws {
    for (frame, kind) in [(TestFrame.text("né"), MessageKind.text), (.binary([1, 2, 3]), .binary)] {
      var codec = WebSocketCodec(role: .server, messageBytes: 10)
      var bytes = frame.bytes(to: .server)
      var span = bytes.mutableSpan
      var offset = 0
      let event = try codec.nextEvent(in: &span, at: &offset)
      #expect(event == .message(kind, 6..<9))
      #expect(offset == 9)
      #expect(Array(bytes[6...]) == frame.payload)
    }
  }

  @Test("Nothing after a close frame counts (RFC 6455 §5.5.1)", arguments: roles)
  func nothingAfterClose(role: WebSocketRole) {
    let frames: [TestFrame] = [.close(1000, Array("bye é".utf8)), .text("late")]
    #expect(webSocketEvents(frames, to: role) == [.close(.normal, "bye é")])
    let garbage = TestFrame.close(4000).bytes(to: role) + [0xFF, 0xFF, 0xFF]
    let (seen, kept) = webSocketEvents(Cuts.all(garbage)[1], to: role)
    #expect(seen == [.close(CloseCode(rawValue: 4000), "")])
    #expect(kept == [0xFF, 0xFF, 0xFF])
  }

  @Test("A close frame without a body has no code (RFC 6455 §7.1.5)", arguments: roles)
  func emptyClose(role: WebSocketRole) {
    #expect(webSocketEvents([TestFrame(opcode: 8, payload: [])], to: role) == [.close(nil, "")])
  }

  @Test("A close may come within a fragmented message (RFC 6455 §5.4)")
  func closeWithinMessage() {
    let frames: [TestFrame] = [.text("half", isFinal: false), .close(1001)]
    #expect(webSocketEvents(frames) == [.close(.goingAway, "")])
  }

  @Test("A message exactly at the limit passes, in one frame and in several")
  func atTheLimit() {
    #expect(webSocketEvents([.binary(pattern(100))], messageBytes: 100) == [.binary(pattern(100))])
    let halves: [TestFrame] = [.binary(pattern(60), isFinal: false), .more(pattern(40))]
    let expected = [WebSocketSeen.binary(pattern(60) + pattern(40))]
    #expect(webSocketEvents(halves + halves, messageBytes: 100) == expected + expected)
  }
}
