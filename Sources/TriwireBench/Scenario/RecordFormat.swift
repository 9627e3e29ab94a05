/// The ways in which the same record is written into a message.
///
/// The record is a quote: what it is about, where, when, three prices and a number of pieces, and an
/// identifier, which is the message's ``Stamp``. Each format is what its own libraries read.
public enum RecordFormat: String, Sendable, CaseIterable, Codable {
  /// A JSON object (RFC 8259), without blanks.
  case json
  /// A MessagePack map with the same keys.
  case messagePack = "messagepack"
  /// A message of Protocol Buffers; the fields have the numbers 1 to 8 in the order of the record.
  case protobuf
  /// The values alone in the order of the record, numbers as eight bytes, the highest first.
  case binary

  /// Whether messages of this format are text.
  var kind: Flow.Kind { self == .json ? .text : .binary }

  /// Where the identifier begins in a message that begins with this byte.
  ///
  /// A ``Stamp`` that begins the message begins with a letter, a digit, `-` or `_`.
  static func identifierOffset(after first: UInt8) -> Int {
    switch first {
    case UInt8(ascii: "{"): 7
    case 0x88: 5
    case 0x0A: 2
    default: 0
    }
  }

  /// How large each message is.
  var size: ByteCount { Self.sizes[self] ?? ByteCount(sample.count) }

  /// Asked for each message of a plan.
  private static let sizes = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0, ByteCount($0.sample.count)) })

  /// A message; the place of its identifier has letters A.
  var sample: [UInt8] {
    switch self {
    case .json:
      let members = Record.fields.map { "\"\($0.key)\":\($0.value.json)" }
      return Array("{\(members.joined(separator: ","))}".utf8)
    case .messagePack:
      return Record.fields.reduce(into: [0x80 | UInt8(Record.fields.count)]) { bytes, field in
        bytes += Record.Value.text(field.key).messagePack + field.value.messagePack
      }
    case .protobuf:
      return Record.fields.enumerated().reduce(into: []) { bytes, field in
        bytes += field.element.value.protobuf(field.offset + 1)
      }
    case .binary: return Record.fields.flatMap(\.value.binary)
    }
  }
}

/// What each message of records says.
private enum Record {
  enum Value {
    case text(String)
    case real(Double)
    case whole(UInt64)
  }

  static let fields: [(key: String, value: Value)] = [
    ("id", .text(String(repeating: "A", count: Stamp.length))),
    ("symbol", .text("TRIW")), ("venue", .text("XNAS")), ("time", .whole(1_790_000_000_123)),
    ("price", .real(101.25)), ("bid", .real(101.24)), ("ask", .real(101.26)),
    ("size", .whole(300)),
  ]
}

extension Record.Value {
  fileprivate var json: String {
    switch self {
    case .text(let text): "\"\(text)\""
    case .real(let number): "\(number)"
    case .whole(let number): "\(number)"
    }
  }

  /// The shortest form of a value.
  fileprivate var messagePack: [UInt8] {
    switch self {
    case .text(let text): [0xA0 | UInt8(text.utf8.count)] + text.utf8
    case .real(let number): [0xCB] + Record.Value.bytes(number.bitPattern, 8)
    case .whole(let number):
      switch number {
      case ..<0x80: [UInt8(number)]
      case ..<0x100: [0xCC, UInt8(number)]
      case ..<0x1_0000: [0xCD] + Record.Value.bytes(number, 2)
      case ..<0x1_0000_0000: [0xCE] + Record.Value.bytes(number, 4)
      default: [0xCF] + Record.Value.bytes(number, 8)
      }
    }
  }

  fileprivate func protobuf(_ number: Int) -> [UInt8] {
    let tag = UInt8(number << 3)
    switch self {
    case .text(let text): return [tag | 2, UInt8(text.utf8.count)] + text.utf8
    case .real(let real): return [tag | 1] + Record.Value.bytes(real.bitPattern, 8).reversed()
    case .whole(var rest):
      var bytes = [tag]
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      return bytes + [UInt8(rest)]
    }
  }

  fileprivate var binary: [UInt8] {
    switch self {
    case .text(let text): Array(text.utf8)
    case .real(let number): Record.Value.bytes(number.bitPattern, 8)
    case .whole(let number): Record.Value.bytes(number, 8)
    }
  }

  /// The last so many bytes of a number, the highest first.
  private static func bytes(_ number: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * (count - 1 - $0))) }
  }
}
