/// Reads `chunk-size [ chunk-ext ] CRLF` (RFC 9112 §7.1), byte by byte if need be.
struct ChunkHeadDecoder: Equatable {
  private enum Part: Equatable {
    case size
    /// Spaces before the ";" of an extension.
    case spaceBeforeExtension
    case chunkExtension
    case lineFeed
  }

  private var part = Part.size
  private var size = 0
  private var digits = 0

  /// The size of the chunk, once its line is whole; what was read is consumed in any case.
  mutating func next(
    in input: Span<UInt8>, at offset: inout Int, extensionBytes: inout Int, limits: HTTPLimits
  ) throws(HTTPViolation) -> Int? {
    while offset < input.count {
      let byte = input[offset]
      offset += 1
      switch part {
      case .size: try readSize(byte)
      case .spaceBeforeExtension, .chunkExtension:
        extensionBytes += 1
        guard extensionBytes <= limits.chunkExtensionBytes else {
          throw .badRequest(
            "chunk extensions are over \(limits.chunkExtensionBytes) bytes: "
              + "raise limits.chunkExtensionBytes")
        }
        try readExtension(byte)
      case .lineFeed:
        // RFC 9112 §2.2: a CR that no LF follows is refused.
        guard byte == Byte.lf else { throw .badRequest("bare CR after a chunk size") }
        return size
      }
    }
    return nil
  }

  private mutating func readSize(_ byte: UInt8) throws(HTTPViolation) {
    if let digit = ByteClass.hexValue(byte) {
      digits += 1
      // RFC 9112 §7.1: a recipient guards against sizes that overflow, and so against endless
      // leading zeros.
      guard digits <= 16, size >> (Int.bitWidth - 5) == 0 else {
        throw .badRequest("chunk size is too large a number")
      }
      size = size << 4 | Int(digit)
      return
    }
    // RFC 9112 §7.1: chunk-size = 1*HEXDIG, with no sign, prefix or space before it.
    guard digits > 0 else { throw .badRequest("chunk size does not begin with a hex digit") }
    switch byte {
    case Byte.cr: part = .lineFeed
    case Byte.semicolon: part = .chunkExtension
    case Byte.space, Byte.tab: part = .spaceBeforeExtension
    default: throw .badRequest("byte \(byte) in a chunk size")
    }
  }

  private mutating func readExtension(_ byte: UInt8) throws(HTTPViolation) {
    if part == .spaceBeforeExtension {
      // RFC 9112 §7.1.1: chunk-ext = *( BWS ";" BWS … ), so spaces lead to a ";" or to nothing.
      if byte == Byte.semicolon { part = .chunkExtension }
      guard ByteClass.isWhitespace(byte) || byte == Byte.semicolon else {
        throw .badRequest("whitespace after a chunk size")
      }
      return
    }
    if byte == Byte.cr {
      part = .lineFeed
      return
    }
    // RFC 9112 §7.1.1: a bare LF in an extension ends a line for some and not for others.
    guard ByteClass.isFieldValue(byte) else {
      throw .badRequest("control character \(byte) in a chunk extension")
    }
  }
}
