/// The versions of HTTP that are spoken here (RFC 9110 §2.5).
public enum HTTPVersion: UInt8, Comparable, Sendable, CustomStringConvertible {
  /// HTTP/1.0: connections close unless asked otherwise, and nothing is chunked.
  case http10
  /// HTTP/1.1, and any later 1.x, which is answered as 1.1.
  case http11

  /// Orders the versions by age.
  public static func < (left: HTTPVersion, right: HTTPVersion) -> Bool {
    left.rawValue < right.rawValue
  }

  /// The version as it stands in a start line.
  public var description: String { self == .http10 ? "HTTP/1.0" : "HTTP/1.1" }
}

extension HTTPVersion {
  /// What the last part of a request line, or the first of a status line, turned out to be.
  enum Reading: Equatable {
    case version(HTTPVersion)
    /// Well-formed, but of another major version.
    case unsupported(major: UInt8, minor: UInt8)
    case malformed
  }

  /// Reads `"HTTP/" DIGIT "." DIGIT` (RFC 9112 §2.3), which has to fill the range.
  static func read(_ input: Span<UInt8>, in range: Range<Int>) -> Reading {
    let start = range.lowerBound
    // What nearly all peers send, in one comparison: the bytes of "HTTP/1.1", the first lowest.
    if range.count == 8, input.word(at: start) == 0x312E_312F_5054_5448 { return .version(.http11) }
    guard range.count == 8, input[start] == UInt8(ascii: "H"),
      input[start + 1] == UInt8(ascii: "T"), input[start + 2] == UInt8(ascii: "T"),
      input[start + 3] == UInt8(ascii: "P"), input[start + 4] == Byte.slash,
      input[start + 6] == UInt8(ascii: "."),
      ByteClass.isDigit(input[start + 5]), ByteClass.isDigit(input[start + 7])
    else { return .malformed }
    let major = input[start + 5] - Byte.zero
    let minor = input[start + 7] - Byte.zero
    guard major == 1 else { return .unsupported(major: major, minor: minor) }
    // RFC 9110 §2.5: a higher minor version is treated as the highest one known.
    return .version(minor == 0 ? .http10 : .http11)
  }
}
