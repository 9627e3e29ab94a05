import TriwireCodec

/// A message that is a request or its response, as it travels among the others: U+0000, a line that
/// says which, and the payload.
struct RequestEnvelope: Equatable {
  enum Kind: String, Equatable {
    case ask
    case answer
    case refuse
  }

  let kind: Kind
  let number: UInt64
  let message: Message

  init(_ kind: Kind, _ number: UInt64, _ message: Message) {
    self.kind = kind
    self.number = number
    self.message = message
  }

  /// Reads what follows the U+0000; nil when it is no envelope.
  init?(_ bytes: Span<UInt8>) {
    // The longest first line is "refuse", a number of 20 digits, and a letter.
    var end = 0
    while end < bytes.count, end < 32, bytes[end] != UInt8(ascii: "\n") { end += 1 }
    guard end < bytes.count, end < 32 else { return nil }
    let line = Message(.text, copying: bytes.extracting(0..<end)).text
    let words = line.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, let kind = Kind(rawValue: String(words[0])),
      let number = UInt64(words[1])
    else { return nil }
    let payload = bytes.extracting(end + 1..<bytes.count)
    switch words[2] {
    case "t": message = Message(.text, copying: payload)
    case "b":
      guard let decoded = Base64.decode(payload) else { return nil }
      message = Message(binary: decoded)
    default: return nil
    }
    self.kind = kind
    self.number = number
  }

  /// Whether what follows a U+0000 is an envelope rather than a control line.
  static func isOne(_ bytes: Span<UInt8>) -> Bool {
    // Control lines are one line.
    var index = 0
    while index < bytes.count, index < 32 {
      if bytes[index] == UInt8(ascii: "\n") { return true }
      index += 1
    }
    return false
  }

  /// The text message that carries it.
  var wrapped: Message {
    var base64: [UInt8] {
      [UInt8](capacity: Base64.encodedCount(message.bytes.count)) {
        Base64.encode(message.bytes.span, into: &$0)
      }
    }
    let form = message.kind == .text ? "t" : "b"
    let line = "\0\(kind.rawValue) \(number) \(form)\n"
    let payload = message.kind == .text ? message.bytes : base64
    return Message(.text, Array(line.utf8) + payload)
  }
}
