/// Checks UTF-8 that arrives in pieces, and fails at the first byte that cannot be right
/// (RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF).
package struct UTF8Validator {
  /// Continuation bytes the current character still needs.
  private var missing: UInt8 = 0
  /// What the next continuation byte may be; narrower than 80...BF right after some lead bytes.
  private var lowest: UInt8 = 0x80
  private var highest: UInt8 = 0xBF

  package init() {}

  /// Whether bytes came that cannot be part of UTF-8.
  package private(set) var hasFailed = false

  /// Whether the bytes so far end with a whole character.
  package var isComplete: Bool { missing == 0 }

  /// Takes the next bytes; false when they cannot be part of UTF-8.
  package mutating func consume(_ bytes: Span<UInt8>) -> Bool {
    hasFailed = hasFailed || !isValid(bytes)
    return !hasFailed
  }

  private mutating func isValid(_ bytes: Span<UInt8>) -> Bool {
    var index = 0
    while missing > 0, index < bytes.count {
      guard consume(bytes[index]) else { return false }
      index += 1
    }
    let body = Self.endOfWholeCharacters(bytes, from: index)
    if body > index {
      guard (try? UTF8Span(validating: bytes.extracting(index..<body))) != nil else { return false }
      index = body
    }
    while index < bytes.count {
      guard consume(bytes[index]) else { return false }
      index += 1
    }
    return true
  }

  /// Where the last character begins, which may be cut off: at most four bytes before the end.
  private static func endOfWholeCharacters(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var end = bytes.count
    while end > start, bytes.count - end < 4 {
      let byte = bytes[end - 1]
      if byte < 0x80 { return end }
      end -= 1
      if byte >= 0xC0 { return end }
    }
    return end
  }

  private mutating func consume(_ byte: UInt8) -> Bool {
    if missing > 0 {
      guard byte >= lowest, byte <= highest else { return false }
      missing -= 1
      (lowest, highest) = (0x80, 0xBF)
      return true
    }
    switch byte {
    case 0x00...0x7F: return true
    case 0xC2...0xDF: missing = 1
    case 0xE0: (missing, lowest) = (2, 0xA0)
    case 0xED: (missing, highest) = (2, 0x9F)
    case 0xE1...0xEF: missing = 2
    case 0xF0: (missing, lowest) = (3, 0x90)
    case 0xF4: (missing, highest) = (3, 0x8F)
    case 0xF1...0xF3: missing = 3
    default: return false
    }
    return true
  }
}
