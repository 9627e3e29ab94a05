/// What every measured message carries: who sent it, which one it is, and when.
///
/// It is the first bytes, or the identifier of a record (``RecordFormat``).
///
/// The stamp is 20 characters of the URL-safe base64 alphabet, so that the same bytes are valid in
/// text and in binary messages, need no escaping anywhere, and leave the rest of the payload free:
///
/// | characters | what | range |
/// |---|---|---|
/// | 7 | intended time, ns after the start of the trial | 73 min |
/// | 4 | sequence in this sender's flow | 16,777,215 |
/// | 3 | sender: a client, or a group the server broadcasts to | 262,143 |
/// | 1 | flow | 63 |
/// | 4 | how much later than intended it was sent, in units of 256 ns | 4.29 s, then clamped |
/// | 1 | check over the above and the size of the message | |
struct Stamp: Equatable, Sendable {
  /// The bytes a stamp takes; no message is smaller.
  static let length = 20
  /// How many flows a stamp can tell apart.
  static let flows = 64

  /// When the message should have been sent, in nanoseconds after the start of the trial.
  var intended: UInt64
  /// How much later it was sent, in nanoseconds, in steps of 256.
  var slip: UInt64
  var sender: Int
  var flow: Int
  var sequence: UInt32

  init(intended: UInt64, slip: UInt64, sender: Int, flow: Int, sequence: UInt32) {
    self.intended = intended
    self.slip = min(slip & ~255, 0xFFFFFF << 8)
    self.sender = sender
    self.flow = flow
    self.sequence = sequence
  }

  /// Reads the stamp of a message, or `nil` when it carries none or was damaged on its way.
  init?(of message: Span<UInt8>) {
    guard message.count >= Stamp.length else { return nil }
    var position = RecordFormat.identifierOffset(after: message[0])
    guard message.count >= position + Stamp.length else { return nil }
    var check = Check(size: message.count)
    func number(_ digits: Int, _ check: inout Check) -> UInt64? {
      var value: UInt64 = 0
      for _ in 0..<digits {
        guard let digit = Digits.value(of: message[position]) else { return nil }
        check.add(digit)
        value = value << 6 | UInt64(digit)
        position += 1
      }
      return value
    }
    guard let intended = number(7, &check), let sequence = number(4, &check),
      let sender = number(3, &check), let flow = number(1, &check), let slip = number(4, &check),
      Digits.value(of: message[position]) == check.digit
    else { return nil }
    self.init(
      intended: intended, slip: slip << 8, sender: Int(sender), flow: Int(flow),
      sequence: UInt32(sequence))
  }

  /// Writes the stamp into a message that is `size` bytes long, from `start` on.
  func write(to buffer: inout [UInt8], size: Int, from start: Int = 0) {
    var check = Check(size: size)
    var position = start
    func put(_ value: UInt64, digits: Int) {
      for shift in stride(from: UInt64(digits - 1) * 6, through: 0, by: -6) {
        let digit = UInt8(truncatingIfNeeded: value >> shift & 63)
        check.add(digit)
        buffer[position] = Digits.letter(of: digit)
        position += 1
      }
    }
    put(intended, digits: 7)
    put(UInt64(sequence), digits: 4)
    put(UInt64(sender), digits: 3)
    put(UInt64(flow), digits: 1)
    put(slip >> 8, digits: 4)
    buffer[position] = Digits.letter(of: check.digit)
  }
}

/// The bytes of one flow's messages: a stamp, and a filling that is the same each time unless the
/// flow has a content.
struct PayloadBuffer: Sendable {
  private var bytes: [UInt8]
  private let start: Int
  /// What messages are filled from; empty where the filling stays.
  private let content: [UInt8]

  init(for flow: Flow) {
    if case .record(let format) = flow.payload {
      bytes = format.sample
      content = []
      start = RecordFormat.identifierOffset(after: bytes[0])
      return
    }
    start = 0
    let size = flow.payload.largest.bytes
    content = flow.content.map { $0.bytes(flow.kind, size + ContentSource.variety) } ?? []
    bytes = []
    bytes.reserveCapacity(size)
    for position in 0..<size {
      switch flow.kind {
      case .text: bytes.append(Digits.letter(of: UInt8(truncatingIfNeeded: position &* 11 & 63)))
      case .binary: bytes.append(UInt8(truncatingIfNeeded: position &* 151 &+ 128))
      }
    }
  }

  /// The message with this stamp, `size` bytes long.
  mutating func message(_ stamp: Stamp, size: Int) -> ArraySlice<UInt8> {
    if !content.isEmpty {
      // A part that no compressor has in its window any more when it comes again.
      let from = ContentSource.offset(of: stamp)
      bytes.replaceSubrange(Stamp.length..<size, with: content[from + Stamp.length..<from + size])
    }
    stamp.write(to: &bytes, size: size, from: start)
    return bytes[..<size]
  }
}

/// A remainder over the digits of a stamp (in GF(64), by x⁶ + x + 1) that starts from the size.
///
/// It notices every change of one character, every swap of two neighbours, and most of the rest.
private struct Check {
  private(set) var digit: UInt8

  init(size: Int) { digit = UInt8(truncatingIfNeeded: (size ^ size >> 6 ^ size >> 12) & 63) }

  mutating func add(_ next: UInt8) {
    let doubled = digit & 32 == 0 ? digit << 1 : digit << 1 ^ 0x43
    digit = doubled ^ next
  }
}

/// The URL-safe base64 alphabet (RFC 4648 §5).
private enum Digits {
  static func letter(of digit: UInt8) -> UInt8 {
    switch digit {
    case 0..<26: digit + 0x41
    case 26..<52: digit + 71
    case 52..<62: digit - 4
    case 62: UInt8(ascii: "-")
    default: UInt8(ascii: "_")
    }
  }

  static func value(of letter: UInt8) -> UInt8? {
    switch letter {
    case 0x41...0x5A: letter - 0x41
    case 0x61...0x7A: letter - 71
    case 0x30...0x39: letter + 4
    case UInt8(ascii: "-"): 62
    case UInt8(ascii: "_"): 63
    default: nil
    }
  }
}
