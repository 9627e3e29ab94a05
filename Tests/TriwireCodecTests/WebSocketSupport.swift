import TriwireCodec

/// What a WebSocket codec made of its input, whatever the cuts: pieces of a message are joined.
enum WebSocketSeen: Equatable {
  case message(MessageKind, [UInt8])
  case ping([UInt8])
  case pong([UInt8])
  case close(CloseCode?, String)
  case violation(CloseCode, String)

  static func text(_ text: String) -> WebSocketSeen { .message(.text, Array(text.utf8)) }
  static func binary(_ bytes: [UInt8]) -> WebSocketSeen { .message(.binary, bytes) }
}

/// A frame as a peer may send it, right or wrong.
struct TestFrame {
  var opcode: UInt8
  var payload: [UInt8]
  var isFinal = true
  var reserved: UInt8 = 0
  var mask: [UInt8]? = nil
  /// What the length is said to be; that of the payload when nil.
  var length: UInt64? = nil
  /// How many bytes the length takes: 0, 2 or 8; the fewest when nil.
  var lengthBytes: Int? = nil

  static func text(_ text: String, isFinal: Bool = true) -> TestFrame {
    TestFrame(opcode: 1, payload: Array(text.utf8), isFinal: isFinal)
  }
  static func binary(_ bytes: [UInt8], isFinal: Bool = true) -> TestFrame {
    TestFrame(opcode: 2, payload: bytes, isFinal: isFinal)
  }
  static func more(_ bytes: [UInt8], isFinal: Bool = true) -> TestFrame {
    TestFrame(opcode: 0, payload: bytes, isFinal: isFinal)
  }
  static func close(_ code: UInt16, _ reason: [UInt8] = []) -> TestFrame {
    TestFrame(opcode: 8, payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
  }

  /// The bytes that the receiver in `role` expects: masked for a server, plain for a client.
  func bytes(to role: WebSocketRole) -> [UInt8] {
    var frame = self
    if role == .server, mask == nil { frame.mask = [0x37, 0xFA, 0x21, 0x3D] }
    return frame.bytes
  }

  var bytes: [UInt8] {
    let length = length ?? UInt64(payload.count)
    let size = lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8)
    let short = size == 0 ? UInt8(length) : size == 2 ? 126 : 127
    var bytes = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode, (mask == nil ? 0 : 0x80) | short]
    for index in 0..<size {
      bytes.append(UInt8(truncatingIfNeeded: length >> UInt64(8 * (size - 1 - index))))
    }
    if let mask {
      bytes += mask
      bytes += payload.enumerated().map { $1 ^ mask[$0 % 4] }
    } else {
      bytes += payload
    }
    return bytes
  }
}

/// A codec that is fed with arrivals, and all that came of it.
struct WebSocketFeed: ~Copyable {
  private var codec: WebSocketCodec
  private(set) var seen: [WebSocketSeen] = []
  /// What the codec left for the next arrival.
  private(set) var kept: [UInt8] = []
  private var assembly: [UInt8] = []
  private var turn = 0
  private var hasFailed = false

  init(_ role: WebSocketRole, messageBytes: Int = 1 << 20) {
    codec = WebSocketCodec(role: role, messageBytes: messageBytes)
  }

  mutating func receive(_ arrival: some Sequence<UInt8>) {
    guard !hasFailed else { return }
    turn += 1
    let padding = turn % 3
    var input = [UInt8](repeating: 0xFF, count: padding) + kept + arrival
    var offset = padding
    var span = input.mutableSpan
    do throws(WebSocketViolation) {
      while let event = try codec.nextEvent(in: &span, at: &offset) {
        note(event, span.span)
      }
    } catch {
      hasFailed = true
      seen.append(.violation(error.closeCode, error.message))
    }
    kept = Array(input[offset...])
  }

  private mutating func note(_ event: WebSocketEvent, _ input: Span<UInt8>) {
    func bytes(_ range: Range<Int>) -> [UInt8] { range.map { input[$0] } }
    switch event {
    case .message(let kind, let range): seen.append(.message(kind, bytes(range)))
    case .fragment(let kind, let range, let isLast), .deflated(let kind, let range, let isLast):
      assembly += bytes(range)
      guard isLast else { return }
      seen.append(.message(kind, assembly))
      assembly = []
    case .ping(let range): seen.append(.ping(bytes(range)))
    case .pong(let range): seen.append(.pong(bytes(range)))
    case .close(let code, let range): seen.append(.close(code, text(bytes(range))))
    }
  }
}

/// What a codec sees when bytes arrive in these pieces.
func webSocketEvents(
  _ arrivals: [ArraySlice<UInt8>], to role: WebSocketRole, messageBytes: Int = 1 << 20
) -> (seen: [WebSocketSeen], kept: [UInt8]) {
  var feed = WebSocketFeed(role, messageBytes: messageBytes)
  for arrival in arrivals { feed.receive(arrival) }
  return (feed.seen, feed.kept)
}

/// What a codec sees of frames that arrive at once.
func webSocketEvents(
  _ frames: [TestFrame], to role: WebSocketRole = .server, messageBytes: Int = 1 << 20
) -> [WebSocketSeen] {
  let bytes = frames.flatMap { $0.bytes(to: role) }
  return webSocketEvents([bytes[...]], to: role, messageBytes: messageBytes).seen
}

/// Bytes that differ from place to place.
func pattern(_ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
}
