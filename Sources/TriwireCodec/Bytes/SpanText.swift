/// Text and numbers read from bytes, and numbers written as bytes.
extension Span where Element == UInt8 {
  /// The text of a range: UTF-8, or ISO-8859-1 where the bytes are not valid UTF-8.
  ///
  /// RFC 9110 §5.5 leaves bytes above 0x7F opaque; this way no byte is lost.
  func text(in range: Range<Int>) -> String {
    let part = extracting(range)
    if let utf8 = try? UTF8Span(validating: part) { return String(copying: utf8) }
    var text = ""
    for index in range { text.unicodeScalars.append(Unicode.Scalar(self[index])) }
    return text
  }

  /// The text of a range whose bytes are known to be ASCII.
  func asciiText(in range: Range<Int>) -> String {
    // The caller has looked at each byte.
    String(copying: unsafe UTF8Span(unchecked: extracting(range), isKnownASCII: true))
  }

  /// The range without spaces and tabs at its ends.
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var lower = range.lowerBound
    var upper = range.upperBound
    while lower < upper, ByteClass.isWhitespace(self[lower]) { lower &+= 1 }
    while upper > lower, ByteClass.isWhitespace(self[upper &- 1]) { upper &-= 1 }
    return lower..<upper
  }

  /// The number that a range of `1*DIGIT` spells, or nil if it is not one or does not fit.
  func decimal(in range: Range<Int>) -> Int? {
    guard !range.isEmpty else { return nil }
    var value = 0
    for index in range {
      guard ByteClass.isDigit(self[index]) else { return nil }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(self[index] &- Byte.zero))
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }

  /// Whether two ranges of bytes are equal, ASCII letters compared without case.
  func equals(_ other: Span<UInt8>, in range: Range<Int>) -> Bool {
    guard range.count == other.count else { return false }
    let start = range.lowerBound
    for index in 0..<other.count {
      let mine = self[start &+ index]
      let theirs = other[index]
      if mine != theirs, ByteClass.lowercase(mine) != ByteClass.lowercase(theirs) { return false }
    }
    return true
  }

  /// Calls `body` with each member of a comma-separated list (RFC 9110 §5.6.1), empty ones left
  /// out, until it returns false.
  func forEachListMember(in range: Range<Int>, _ body: (Range<Int>) -> Bool) {
    var start = range.lowerBound
    while start <= range.upperBound {
      var end = start
      while end < range.upperBound, self[end] != Byte.comma { end &+= 1 }
      let member = trimmed(start..<end)
      if !member.isEmpty, !body(member) { return }
      start = end &+ 1
    }
  }
}

extension OutputSpan where Element == UInt8 {
  /// Appends a number that is not negative in decimal: at most 19 bytes.
  package mutating func append(decimal number: Int) {
    // Eight digits at a time, the last in the highest byte, so that none is divided for twice.
    if number >= 100_000_000 { append(decimal: number / 100_000_000) }
    var rest = UInt32(number % 100_000_000)
    var digits: UInt64 = 0
    var count = 0
    repeat {
      digits = digits << 8 | UInt64(rest % 10 &+ UInt32(Byte.zero))
      rest /= 10
      count &+= 1
    } while rest > 0 || (number >= 100_000_000 && count < 8)
    append(low: count, of: digits)
  }

  /// Appends a number in lower-case hexadecimal: at most 16 bytes.
  package mutating func append(hex number: UInt64) {
    var shift = max(0, (UInt64.bitWidth &- number.leadingZeroBitCount &- 1)) & ~3
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 15
      append(digit < 10 ? Byte.zero &+ digit : UInt8(ascii: "a") &- 10 &+ digit)
      shift &-= 4
    }
  }
}
