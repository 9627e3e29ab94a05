/// Percent-encoding (RFC 3986 §2.1) as forms use it (WHATWG URL §5.1).
package enum PercentCoding {
  /// The text of a range: "+" is a space, "%41" is "A"; what is not valid stands for itself.
  static func decode(_ bytes: Span<UInt8>, in range: Range<Int>) -> String {
    let decoded = decode(bytes, in: range, plus: Byte.space)
    return decoded.span.text(in: 0..<decoded.count)
  }

  /// The bytes of a text that is no form, such as a part of a URL: "%41" is "A"; what is not valid
  /// stands for itself.
  package static func decoded(_ text: String) -> [UInt8] {
    let bytes = text.utf8.span
    return decode(bytes, in: 0..<bytes.count, plus: UInt8(ascii: "+"))
  }

  private static func decode(
    _ bytes: Span<UInt8>, in range: Range<Int>, plus: UInt8
  ) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = bytes[index]
      if byte == Byte.percent, index + 2 < range.upperBound,
        let high = ByteClass.hexValue(bytes[index + 1]),
        let low = ByteClass.hexValue(bytes[index + 2])
      {
        decoded.append(high << 4 | low)
        index += 3
      } else {
        decoded.append(byte == UInt8(ascii: "+") ? plus : byte)
        index += 1
      }
    }
    return decoded
  }

  /// The text with everything but unreserved characters (RFC 3986 §2.3) percent-encoded, for a
  /// path segment or a query item.
  package static func encode(_ text: String) -> String {
    var encoded: [UInt8] = []
    encoded.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      if ByteClass.isDigit(byte) || ByteClass.isAlpha(byte) || byte == UInt8(ascii: "-")
        || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~")
      {
        encoded.append(byte)
      } else {
        encoded.append(Byte.percent)
        encoded.append(hexDigit(byte >> 4))
        encoded.append(hexDigit(byte & 15))
      }
    }
    return encoded.span.text(in: 0..<encoded.count)
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? Byte.zero + value : UInt8(ascii: "A") - 10 + value
  }
}
