/// Checks UTF-8 that arrives in pieces, and fails at the first byte that cannot be right
/// (RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF).
package struct UTF8Validator {
  /// The last three bytes, the last of them highest: all that the next ones depend on.
  ///
  /// Zeroes at the beginning. Whole characters all count the same, so that ASCII behind a whole
  /// character may be left out.
  private var before: UInt32 = 0

  package init() {}

  /// Whether the bytes so far end with a whole character.
  package var isComplete: Bool {
    // They do not when the last begins a character, or the second last one of three bytes or more,
    // or the third last one of four.
    before >> 16 < 0xC0 && before >> 8 & 0xFF < 0xE0 && before & 0xFF < 0xF0
  }

  /// Why these bytes are not a whole text, or nil when they are.
  package static func fault(in bytes: Span<UInt8>) -> UTF8Fault? {
    var validator = UTF8Validator()
    if let index = validator.firstFault(in: bytes) { return .badByte(index) }
    return validator.isComplete ? nil : .cutOff
  }

  /// Takes the next bytes: the index of the first that cannot be part of UTF-8, or nil.
  ///
  /// A character that bytes to come can complete is no fault. After a fault the validator is void.
  package mutating func firstFault(in bytes: Span<UInt8>) -> Int? {
    let count = bytes.count
    var index = isComplete ? UTF8Lanes.leadingASCII(bytes) : 0
    // Lanes are read with three bytes in front of them, and all sixteen at once.
    while index < count, index < 3 || count < 19 {
      let end = min(index &+ 16, count)
      if let fault = firstFault(in: bytes, index..<end) { return fault }
      index = end
    }
    guard index < count else { return nil }
    let raw = unsafe bytes.bytes
    if let range = Self.faultyRange(raw, from: index) { return Self.firstFault(raw, range) }
    before = UInt32(truncatingIfNeeded: bytes.packed(count &- 3..<count))
    return nil
  }

  /// Takes up to 16 bytes, with what was before them.
  private mutating func firstFault(in bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    let packed = bytes.packed(range)
    let length = range.count
    // The zeroes behind the last byte are no part of the text, so a fault there is none.
    let place = UTF8Lanes.firstPlace(UTF8Lanes(packed, behind: before).faults)
    if place < length { return range.lowerBound &+ place }
    before = UInt32(
      truncatingIfNeeded: length < 3
        ? (packed << 24 | UInt128(before)) >> UInt128(8 &* length)
        : packed >> UInt128(8 &* (length &- 3)))
    return nil
  }

  /// The first up to 64 bytes from `start` on that have a fault among them.
  ///
  /// There are at least three in front of `start`, and at least 19 altogether.
  private static func faultyRange(_ raw: RawSpan, from start: Int) -> Range<Int>? {
    var index = start
    while index < raw.byteCount {
      let end = min(index &+ 64, raw.byteCount)
      // ASCII is right behind ASCII.
      if end &- index == 64, UTF8Lanes.are64ASCII(raw, at: index),
        UTF8Lanes.are16ASCII(raw, at: index &- 1)
      {
        index = end
        continue
      }
      var faults = UTF8Lanes.Mask()
      var next = index
      while next < end {
        // The last one reaches back over bytes that were found good, and are so again.
        faults .|= UTF8Lanes(raw, at: min(next, raw.byteCount &- 16)).faults
        next &+= 16
      }
      if UTF8Lanes.isAny(faults) { return index..<end }
      index = end
    }
    return nil
  }

  /// Where in a range with a fault the first is.
  private static func firstFault(_ raw: RawSpan, _ range: Range<Int>) -> Int? {
    for index in stride(from: range.lowerBound, to: range.upperBound, by: 16) {
      let start = min(index, raw.byteCount &- 16)
      let place = UTF8Lanes.firstPlace(UTF8Lanes(raw, at: start).faults)
      if place < 16 { return start &+ place }
    }
    return nil
  }
}
