/// Parses the field lines of a head or a trailer section (RFC 9112 §5).
enum FieldParser {
  /// Parses the lines of `range`, each ended by CRLF, and tells `framing` of those that frame.
  static func parse(
    _ input: Span<UInt8>, in range: Range<Int>, lines: Int, limits: HTTPLimits,
    framing: inout FramingFields
  ) throws(HTTPViolation) -> Headers {
    if lines == 0 { return Headers() }
    guard lines <= limits.headerCount else { throw .tooManyFields(limits.headerCount) }
    var fields: [Headers.Field] = []
    fields.reserveCapacity(lines)
    var index = range.lowerBound
    while index < range.upperBound {
      let name = try parseName(input, from: index)
      let value = try parseValue(input, from: name.upperBound &+ 1)
      index = value.line &+ 2
      try framing.note(input, name: name, value: value.range)
      fields.append(
        Headers.Field(
          name: UInt32(truncatingIfNeeded: name.lowerBound &- range.lowerBound),
          nameLength: UInt32(truncatingIfNeeded: name.count),
          value: UInt32(truncatingIfNeeded: value.range.lowerBound &- range.lowerBound),
          valueLength: UInt32(truncatingIfNeeded: value.range.count)))
    }
    return Headers(block: [UInt8](copying: input.extracting(range)), fields: fields)
  }

  /// `field-name ":"`; the upper bound of the answer is the colon.
  @inline(__always)
  private static func parseName(
    _ input: Span<UInt8>, from start: Int
  ) throws(HTTPViolation) -> Range<Int> {
    var index = start
    // Every line ends with CRLF, which is no token, so the loop stays inside the section.
    while ByteClass.isToken(input[index]) { index &+= 1 }
    if input[index] == Byte.colon, index > start { return start..<index }
    throw badName(input, from: start, at: index)
  }

  private static func badName(
    _ input: Span<UInt8>, from start: Int, at index: Int
  ) -> HTTPViolation {
    if index == start {
      if ByteClass.isWhitespace(input[index]) {
        // RFC 9112 §5.2: obs-fold is refused; §2.2: so is whitespace before the first field.
        return .badRequest("header line begins with whitespace (obsolete line folding)")
      }
      if input[index] == Byte.colon {
        return .badRequest("header field has no name")  // RFC 9110 §5.1: field-name = 1*tchar.
      }
    }
    if ByteClass.isWhitespace(input[index]) {
      // RFC 9112 §5.1: whitespace before the colon has led to smuggling, and is refused.
      return .badRequest("whitespace in or after the name of a header field")
    }
    if input[index] == Byte.cr {
      return .badRequest("header line has no colon")
    }
    return .badRequest("byte \(input[index]) in the name of a header field")
  }

  /// `OWS field-value OWS CRLF`: where the value lies, and where the CR is.
  @inline(__always)
  private static func parseValue(
    _ input: Span<UInt8>, from start: Int
  ) throws(HTTPViolation) -> (range: Range<Int>, line: Int) {
    var lower = start
    while ByteClass.isWhitespace(input[lower]) { lower &+= 1 }
    var end = lower
    while let control = input.firstControl(from: end) {
      end = control
      guard input[control] == Byte.tab else { break }
      end &+= 1
    }
    guard input[end] == Byte.cr else {
      // RFC 9110 §5.5: a control character other than HTAB makes the value invalid.
      throw .badRequest("control character \(input[end]) in the value of a header field")
    }
    // RFC 9112 §2.2: a CR that no LF follows is refused.
    guard input[end &+ 1] == Byte.lf else { throw .badRequest("bare CR in a header field") }
    let line = end
    while end > lower, ByteClass.isWhitespace(input[end &- 1]) { end &-= 1 }
    return (lower..<end, line)
  }
}
