import FoundationEssentials
import Triwire

/// The bytes of the transports, as little of them as our own client needs.
enum NullFraming {
  /// A frame of a client: where its payload is.
  struct Frame {
    let opcode: UInt8
    let payload: Int
    let length: Int

    /// The frame at a place, once all of it is there.
    init?(in input: [UInt8], at start: Int) {
      guard input.count >= start + 6 else { return nil }
      var length = Int(input[start + 1] & 127)
      var head = 6
      let more = length == 126 ? 2 : length == 127 ? 8 : 0
      guard input.count >= start + head + more else { return nil }
      if more > 0 {
        length = input[(start + 2)..<(start + 2 + more)].reduce(0) { $0 << 8 | Int($1) }
        head += more
      }
      guard length >= 0, length <= 1 << 22, input.count >= start + head + length else {
        return nil
      }
      (opcode, payload, self.length) = (input[start] & 15, start + head, length)
    }
  }

  /// A frame to a client (RFC 6455 §5.2).
  static func frame(_ kind: MessageKind, _ message: Span<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = [kind == .text ? 0x81 : 0x82]
    bytes.reserveCapacity(message.count + 10)
    switch message.count {
    case ..<126: bytes.append(UInt8(message.count))
    case ..<65_536: bytes += [126, UInt8(message.count >> 8), UInt8(message.count & 255)]
    default:
      bytes.append(127)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(message.count >> shift & 255))
      }
    }
    for index in message.indices { bytes.append(message[index]) }
    return bytes
  }

  /// An event in a chunk of its own (WHATWG HTML §9.2.5, RFC 9112 §7.1).
  static func event(_ kind: MessageKind, _ message: Span<UInt8>) -> [UInt8] {
    var event = Array((kind == .text ? "data: " : "event: binary\ndata: ").utf8)
    event.reserveCapacity(message.count * 2 + 40)
    if kind == .text {
      for index in message.indices { event.append(message[index]) }
    } else {
      let bytes = message.indices.map { message[$0] }
      event += Array(Data(bytes).base64EncodedString().utf8)
    }
    event += Array("\n\n".utf8)
    return Array("\(String(event.count, radix: 16))\r\n".utf8) + event + Array("\r\n".utf8)
  }

  /// A message as a record of a batch: its length and kind in LEB128, and itself.
  static func appendRecord(_ kind: MessageKind, _ message: Span<UInt8>, to bytes: inout [UInt8]) {
    var number = message.count << 2 | (kind == .text ? 0 : 1)
    while number > 127 {
      bytes.append(UInt8(number & 127 | 128))
      number >>= 7
    }
    bytes.append(UInt8(number))
    for index in message.indices { bytes.append(message[index]) }
  }

  /// The next record of a batch, or `nil` at its end.
  static func record(
    in bytes: [UInt8], at offset: inout Int
  ) -> (kind: MessageKind, range: Range<Int>)? {
    var (number, shift) = (0, 0)
    while offset < bytes.count, shift < 32 {
      let byte = bytes[offset]
      offset += 1
      number |= Int(byte & 127) << shift
      shift += 7
      guard byte < 128 else { continue }
      let range = offset..<(offset + number >> 2)
      guard range.upperBound <= bytes.count else { return nil }
      offset = range.upperBound
      return (number & 3 == 0 ? .text : .binary, range)
    }
    return nil
  }

  /// What has to be known of a request.
  struct Head {
    /// Where the body begins.
    let end: Int
    let isPost: Bool
    /// The number in the path `/trials/NUMBER`; 0 where there is none.
    let client: Int
    private(set) var contentLength = 0
    private(set) var isBatch = false
    private(set) var isBinary = false
    private(set) var wantsEvents = false
    /// The key of a WebSocket handshake.
    private(set) var key: String?

    /// The head at a place, once all of it is there.
    init?(in input: [UInt8], at start: Int) {
      var position = start
      // The end of a head: an empty line.
      while true {
        guard position + 3 < input.count else { return nil }
        if input[position] == 13, input[position + 2] == 13, input[position + 3] == 10 { break }
        position += 1
      }
      end = position + 4
      let lines = input[start..<position].split(separator: 10)
      guard let first = lines.first else { return nil }
      isPost = first.first == UInt8(ascii: "P")
      let path = Array(TrialPath.client("").utf8)
      let number = first.split(separator: UInt8(ascii: " ")).dropFirst().first?
        .dropFirst(path.count).prefix { (0x30...0x39).contains($0) }
      client = min((number ?? []).prefix(7).reduce(0) { $0 * 10 + Int($1) - 0x30 }, 1 << 20)
      for line in lines.dropFirst() { read(line) }
    }

    private mutating func read(_ line: ArraySlice<UInt8>) {
      // Few fields matter, and their lengths tell them apart from most others.
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return }
      let length = colon - line.startIndex
      guard [6, 12, 14, 17].contains(length) else { return }
      let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
      let value = String(decoding: line[(colon + 1)...], as: UTF8.self).trimmed
      switch name {
      case "accept": wantsEvents = value.contains("text/event-stream")
      case "content-type":
        isBatch = value.contains("triwire.batch")
        isBinary = value.contains("octet-stream")
      case "content-length": contentLength = min(max(Int(value) ?? 0, 0), 1 << 22)
      case "sec-websocket-key": key = value
      default: break
      }
    }
  }
}
