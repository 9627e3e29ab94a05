/// Reads of several bytes at once, and searches built on them.
///
/// The loads are bounds-checked by the span; what is unsafe about them is only that the type is
/// chosen freely, and every bit pattern is a `UInt64`.
extension Span where Element == UInt8 {
  /// The index of the first byte equal to `byte` at or after `start`, or nil.
  func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    let pattern = Word.repeating(byte)
    let raw = unsafe self.bytes
    var index = start
    while index &+ 8 <= count {
      let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      let hits = Word.zeroes(word.littleEndian ^ pattern)
      if hits != 0 { return index &+ hits.trailingZeroBitCount >> 3 }
      index &+= 8
    }
    while index < count {
      if self[index] == byte { return index }
      index &+= 1
    }
    return nil
  }

  /// The index of the first control character (0x00 to 0x1F, 0x7F) at or after `start`, or nil.
  func firstControl(from start: Int) -> Int? {
    let raw = unsafe self.bytes
    var index = start
    while index &+ 8 <= count {
      let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      let hits =
        Word.less(word.littleEndian, than: 0x20)
        | Word.zeroes(word.littleEndian ^ Word.repeating(0x7F))
      if hits != 0 { return index &+ hits.trailingZeroBitCount >> 3 }
      index &+= 8
    }
    while index < count {
      if self[index] < 0x20 || self[index] == 0x7F { return index }
      index &+= 1
    }
    return nil
  }

  /// The index of the first CR or LF at or after `start`, or nil.
  func firstLineBreak(from start: Int) -> Int? {
    let raw = unsafe self.bytes
    var index = start
    while index &+ 8 <= count {
      let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      let hits =
        Word.zeroes(word.littleEndian ^ Word.repeating(Byte.lf))
        | Word.zeroes(word.littleEndian ^ Word.repeating(Byte.cr))
      if hits != 0 { return index &+ hits.trailingZeroBitCount >> 3 }
      index &+= 8
    }
    while index < count {
      if self[index] == Byte.lf || self[index] == Byte.cr { return index }
      index &+= 1
    }
    return nil
  }

  /// The index of the first byte that a JSON string has to escape (RFC 8259 §7), or nil.
  func firstJSONEscape(from start: Int) -> Int? {
    let raw = unsafe self.bytes
    var index = start
    while index &+ 8 <= count {
      let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      let hits =
        Word.less(word.littleEndian, than: 0x20)
        | Word.zeroes(word.littleEndian ^ Word.repeating(Byte.quote))
        | Word.zeroes(word.littleEndian ^ Word.repeating(Byte.backslash))
      if hits != 0 { return index &+ hits.trailingZeroBitCount >> 3 }
      index &+= 8
    }
    while index < count {
      let byte = self[index]
      if byte < 0x20 || byte == Byte.quote || byte == Byte.backslash { return index }
      index &+= 1
    }
    return nil
  }

  /// Whether both have the same bytes.
  func isIdentical(to other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    let (mine, others) = unsafe (self.bytes, other.bytes)
    var index = 0
    while index &+ 8 <= count {
      let word = unsafe mine.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      if unsafe word != others.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self) {
        return false
      }
      index &+= 8
    }
    while index < count {
      if self[index] != other[index] { return false }
      index &+= 1
    }
    return true
  }

  /// Eight bytes as a number, the first lowest, or nil if fewer follow.
  func word(at index: Int) -> UInt64? {
    guard index &+ 8 <= count else { return nil }
    let raw = unsafe self.bytes
    return unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
  }

  /// Up to 16 bytes as a number, the first lowest and zeroes above the last.
  @inline(__always)
  func packed(_ range: Range<Int>) -> UInt128 {
    let length = range.count
    if length > 0, range.upperBound >= 16 {
      // Loaded with what is in front of them, which is shifted out.
      let raw = unsafe self.bytes
      let start = range.upperBound &- 16
      let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: start, as: UInt128.self)
      return word.littleEndian >> UInt128(8 &* (16 &- length))
    }
    if length >= 8, let low = word(at: range.lowerBound), let high = word(at: range.upperBound &- 8)
    {
      // Where the two overlap, they agree.
      return UInt128(low) | UInt128(high) << UInt128(8 &* (length &- 8))
    }
    var packed: UInt128 = 0
    for index in range.reversed() { packed = packed << 8 | UInt128(self[index]) }
    return packed
  }

  /// Whether the bytes of `range` are the literal `text`, ASCII letters compared without case.
  ///
  /// `text` is in lower case and made of letters, digits and "-", where setting bit 5 is exact for
  /// bytes that are token characters.
  func matches(_ text: StaticString, in range: Range<Int>) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    var index = range.lowerBound
    // A literal of several characters has a start and lives for ever; the loop stays in its count.
    var expected = unsafe text.utf8Start
    while index < range.upperBound {
      if unsafe self[index] | 0x20 != expected.pointee { return false }
      index &+= 1
      unsafe expected += 1
    }
    return true
  }

  /// Whether the bytes of `range` are exactly the literal `text`.
  func spells(_ text: StaticString, in range: Range<Int>) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    var index = range.lowerBound
    // As above.
    var expected = unsafe text.utf8Start
    while index < range.upperBound {
      if unsafe self[index] != expected.pointee { return false }
      index &+= 1
      unsafe expected += 1
    }
    return true
  }

  /// The text of a range as UTF-8, with U+FFFD for what is not (WHATWG Encoding §6, "decode").
  func repairedText(in range: Range<Int>) -> String {
    // Read before the call returns.
    unsafe extracting(range).withUnsafeBufferPointer {
      unsafe String(decoding: $0, as: UTF8.self)
    }
  }
}

/// Eight bytes in a word, looked at together.
///
/// In each answer the lowest set bit belongs to the first byte that fits; bits above it may be
/// wrong, because of borrows.
private enum Word {
  static func repeating(_ byte: UInt8) -> UInt64 {
    0x0101_0101_0101_0101 &* UInt64(byte)
  }

  static func zeroes(_ word: UInt64) -> UInt64 {
    (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
  }

  static func less(_ word: UInt64, than bound: UInt8) -> UInt64 {
    (word &- repeating(bound)) & ~word & 0x8080_8080_8080_8080
  }
}
