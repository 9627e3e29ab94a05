/// The bytes that protocols are made of.
enum Byte {
  // Computed: under the thread sanitizer each use of a stored one takes a lock.
  @inline(__always) static var tab: UInt8 { UInt8(ascii: "\t") }
  @inline(__always) static var lf: UInt8 { UInt8(ascii: "\n") }
  @inline(__always) static var cr: UInt8 { UInt8(ascii: "\r") }
  @inline(__always) static var space: UInt8 { UInt8(ascii: " ") }
  @inline(__always) static var quote: UInt8 { UInt8(ascii: "\"") }
  @inline(__always) static var percent: UInt8 { UInt8(ascii: "%") }
  @inline(__always) static var comma: UInt8 { UInt8(ascii: ",") }
  @inline(__always) static var slash: UInt8 { UInt8(ascii: "/") }
  @inline(__always) static var zero: UInt8 { UInt8(ascii: "0") }
  @inline(__always) static var colon: UInt8 { UInt8(ascii: ":") }
  @inline(__always) static var semicolon: UInt8 { UInt8(ascii: ";") }
  @inline(__always) static var equals: UInt8 { UInt8(ascii: "=") }
  @inline(__always) static var question: UInt8 { UInt8(ascii: "?") }
  @inline(__always) static var at: UInt8 { UInt8(ascii: "@") }
  @inline(__always) static var leftBracket: UInt8 { UInt8(ascii: "[") }
  @inline(__always) static var rightBracket: UInt8 { UInt8(ascii: "]") }
  @inline(__always) static var backslash: UInt8 { UInt8(ascii: "\\") }
}

/// Classes of bytes as 128-bit sets, each beside its ABNF.
enum ByteClass {
  /// `tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" /
  /// "~" / DIGIT / ALPHA` (RFC 9110 §5.6.2).
  @inline(__always)
  static func isToken(_ byte: UInt8) -> Bool {
    contains(byte, 0x03ff_6cfa_0000_0000, 0x57ff_ffff_c7ff_fffe)
  }

  /// `reg-name = *( unreserved / pct-encoded / sub-delims )` (RFC 3986 §3.2.2), "%" included.
  @inline(__always)
  static func isRegName(_ byte: UInt8) -> Bool {
    contains(byte, 0x2bff_7ff2_0000_0000, 0x47ff_fffe_87ff_fffe)
  }

  /// `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (RFC 3986 §3.1), after the first.
  @inline(__always)
  static func isScheme(_ byte: UInt8) -> Bool {
    contains(byte, 0x03ff_6800_0000_0000, 0x07ff_fffe_07ff_fffe)
  }

  /// VCHAR without "#": what a request target may be made of.
  ///
  /// Wider than RFC 3986, as clients send "|" and "{" unescaped; a fragment is never sent
  /// (RFC 9110 §7.1), and bytes above 0x7F have to be percent-encoded.
  @inline(__always)
  static func isTarget(_ byte: UInt8) -> Bool {
    byte &- 0x21 < 0x5E && byte != UInt8(ascii: "#")
  }

  /// `field-vchar / SP / HTAB` (RFC 9110 §5.5), obs-text included.
  @inline(__always)
  static func isFieldValue(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte != 0x7F || byte == Byte.tab
  }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool {
    byte &- Byte.zero < 10
  }

  @inline(__always)
  static func isAlpha(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- UInt8(ascii: "a") < 26
  }

  /// `OWS = *( SP / HTAB )` (RFC 9110 §5.6.3).
  @inline(__always)
  static func isWhitespace(_ byte: UInt8) -> Bool {
    byte == Byte.space || byte == Byte.tab
  }

  /// The value of `HEXDIG`, or nil.
  @inline(__always)
  static func hexValue(_ byte: UInt8) -> UInt8? {
    if isDigit(byte) { return byte &- Byte.zero }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter &+ 10 : nil
  }

  /// The byte with an ASCII letter in lower case.
  @inline(__always)
  static func lowercase(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
  }

  @inline(__always)
  private static func contains(_ byte: UInt8, _ low: UInt64, _ high: UInt64) -> Bool {
    let set = byte < 64 ? low : high
    return byte < 128 && set &>> UInt64(byte & 63) & 1 == 1
  }
}
