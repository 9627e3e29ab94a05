/// Base64 with padding (RFC 4648 §4).
package enum Base64 {
  /// The bytes that `count` bytes take when encoded, exactly.
  package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

  /// Writes the base64 form of `bytes`: `encodedCount` bytes.
  package static func encode(_ bytes: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
    var index = 0
    while index &+ 3 <= bytes.count {
      let group =
        UInt32(bytes[index]) << 16 | UInt32(bytes[index &+ 1]) << 8 | UInt32(bytes[index &+ 2])
      output.append(letter(group >> 18))
      output.append(letter(group >> 12 & 63))
      output.append(letter(group >> 6 & 63))
      output.append(letter(group & 63))
      index &+= 3
    }
    switch bytes.count - index {
    case 1:
      let group = UInt32(bytes[index]) << 16
      output.append(letter(group >> 18))
      output.append(letter(group >> 12 & 63))
      output.append(Byte.equals)
      output.append(Byte.equals)
    case 2:
      let group = UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8
      output.append(letter(group >> 18))
      output.append(letter(group >> 12 & 63))
      output.append(letter(group >> 6 & 63))
      output.append(Byte.equals)
    default: break
    }
  }

  /// The bytes that `text` encodes, or nil if it is not base64.
  ///
  /// Strict (RFC 4648 §3.2, §3.3, §3.5): padded, no byte outside of the alphabet, no line breaks,
  /// and no bits set that belong to no byte, so that each value has one spelling.
  package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    if text.isEmpty { return [] }
    var padding = 0
    if text[text.count - 1] == Byte.equals { padding = text[text.count - 2] == Byte.equals ? 2 : 1 }
    let whole = padding == 0 ? text.count : text.count - 4
    var isValid = true
    let bytes = [UInt8](capacity: text.count / 4 * 3 - padding) { output in
      isValid = decodeWhole(text, whole, into: &output)
      if isValid, padding > 0 { isValid = decodeLast(text, padding, into: &output) }
    }
    return isValid ? bytes : nil
  }

  /// Decodes the groups without padding.
  private static func decodeWhole(
    _ text: Span<UInt8>, _ end: Int, into output: inout OutputSpan<UInt8>
  ) -> Bool {
    var index = 0
    while index < end {
      let first = value(text[index])
      let second = value(text[index &+ 1])
      let third = value(text[index &+ 2])
      let fourth = value(text[index &+ 3])
      if first | second | third | fourth > 63 { return false }
      let group = first << 18 | second << 12 | third << 6 | fourth
      output.append(UInt8(truncatingIfNeeded: group >> 16))
      output.append(UInt8(truncatingIfNeeded: group >> 8))
      output.append(UInt8(truncatingIfNeeded: group))
      index &+= 4
    }
    return true
  }

  /// Decodes the last group, which has padding.
  private static func decodeLast(
    _ text: Span<UInt8>, _ padding: Int, into output: inout OutputSpan<UInt8>
  ) -> Bool {
    let start = text.count - 4
    let first = value(text[start])
    let second = value(text[start + 1])
    let third = padding == 1 ? value(text[start + 2]) : 0
    let group = first << 18 | second << 12 | third << 6
    // RFC 4648 §3.5: the bits beyond the last byte are zero.
    let spare: UInt32 = padding == 1 ? 0xFF : 0xFFFF
    guard first | second | third <= 63, group & spare == 0 else { return false }
    output.append(UInt8(truncatingIfNeeded: group >> 16))
    if padding == 1 { output.append(UInt8(truncatingIfNeeded: group >> 8)) }
    return true
  }

  /// The letter of a value below 64: "A" to "Z", "a" to "z", "0" to "9", "+", "/".
  @inline(__always)
  private static func letter(_ value: UInt32) -> UInt8 {
    // Steps between the ranges, without a branch or a table.
    var letter = Int32(value) &+ 65
    letter &+= (25 &- Int32(value)) >> 31 & 6
    letter &-= (51 &- Int32(value)) >> 31 & 75
    letter &-= (61 &- Int32(value)) >> 31 & 15
    letter &+= (62 &- Int32(value)) >> 31 & 3
    return UInt8(truncatingIfNeeded: letter)
  }

  /// The value of a letter, or 64 for a byte that is none.
  @inline(__always)
  private static func value(_ letter: UInt8) -> UInt32 {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter &- UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter &- UInt8(ascii: "a") &+ 26)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter &- UInt8(ascii: "0") &+ 52)
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: 64
    }
  }
}
