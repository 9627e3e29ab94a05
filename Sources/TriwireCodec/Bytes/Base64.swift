/// Base64 with padding (RFC 4648 §4).
package enum Base64 {
  /// The bytes that `count` bytes take when encoded, exactly.
  package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

  /// Writes the base64 form of `bytes`: `encodedCount` bytes.
  package static func encode(_ bytes: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
    var index = 0
    while let word = bytes.word(at: index) {
      output.append(low: 8, of: letters(spread(word.byteSwapped >> 16)))
      index &+= 6
    }
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
    while index &+ 8 <= end, let word = text.word(at: index) {
      let values = values(word)
      // A byte that is no letter has a value whose letter is another.
      if word & 128 &* ones != 0 || letters(values) != word { return false }
      output.append(low: 6, of: (gather(values) << 16).byteSwapped)
      index &+= 8
    }
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

  /// The letter of a value below 64.
  private static func letter(_ value: UInt32) -> UInt8 {
    UInt8(truncatingIfNeeded: letters(UInt64(value)))
  }

  /// The letters of eight values below 64, one in each byte: "A" to "Z", "a" to "z", "0" to "9",
  /// "+", "/".
  ///
  /// A step between two ranges is added to the bytes that are past it; no byte carries into the
  /// next.
  @inline(__always)
  private static func letters(_ values: UInt64) -> UInt64 {
    let upper = values &+ 65 &* ones
    let lower = upper &+ past(25, values) &* 6
    let digits = lower &- past(51, values) &* 75
    return digits &- past(61, values) &* 15 &+ past(62, values) &* 3
  }

  private static let ones: UInt64 = 0x0101_0101_0101_0101

  /// 1 in each byte whose value is over `bound`, 0 in the others.
  @inline(__always)
  private static func past(_ bound: UInt64, _ values: UInt64) -> UInt64 {
    (values &+ (127 &- bound) &* ones) >> 7 & ones
  }

  /// The eight 6-bit groups of 48 bits, the highest group in the lowest byte.
  @inline(__always)
  private static func spread(_ bits: UInt64) -> UInt64 {
    let halves = (bits & 0xFFFF_FF00_0000) << 8 | bits & 0xFF_FFFF
    let quarters = (halves & 0x00FF_F000_00FF_F000) << 4 | halves & 0x0000_0FFF_0000_0FFF
    let groups = (quarters & 0x0FC0_0FC0_0FC0_0FC0) << 2 | quarters & 0x003F_003F_003F_003F
    return groups.byteSwapped
  }

  /// The value of a letter, or 64 for a byte that is none.
  private static func value(_ letter: UInt8) -> UInt32 {
    let value = values(UInt64(letter)) & 0xFF
    return letter < 128 && letters(value) & 0xFF == letter ? UInt32(value) : 64
  }

  /// The values of eight letters below 128, one in each byte; of other bytes, some number.
  @inline(__always)
  private static func values(_ letters: UInt64) -> UInt64 {
    // Steps as in `letters`, at "/", "0", "A" and "a"; no byte borrows from the next.
    let digits = letters &+ 19 &* ones &- past(46, letters) &* 3 &- past(47, letters) &* 12
    return digits &- past(64, letters) &* 69 &- past(96, letters) &* 6
  }

  /// The 48 bits of eight 6-bit values: `spread` the other way round.
  @inline(__always)
  private static func gather(_ values: UInt64) -> UInt64 {
    let groups = values.byteSwapped
    let quarters = (groups & 0x3F00_3F00_3F00_3F00) >> 2 | groups & 0x003F_003F_003F_003F
    let halves = (quarters & 0x0FFF_0000_0FFF_0000) >> 4 | quarters & 0x0000_0FFF_0000_0FFF
    return (halves & 0x00FF_FFFF_0000_0000) >> 8 | halves & 0x00FF_FFFF
  }
}
