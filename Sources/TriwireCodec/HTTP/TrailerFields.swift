/// The fields after the last chunk (RFC 9110 §6.5), which are never merged with the head's.
enum TrailerFields {
  /// Parses a trailer section without its empty line; nil if there are no fields.
  static func parse(
    _ input: Span<UInt8>, in section: Range<Int>, lines: Int, limits: HTTPLimits
  ) throws(HTTPViolation) -> Headers? {
    guard lines > 0 else { return nil }
    var framing = FramingFields()
    let trailers = try FieldParser.parse(
      input, in: section, lines: lines, limits: limits, framing: &framing)
    // RFC 9110 §6.5.1: fields for framing, routing or control are not trailers. One that comes
    // there means to be taken for a header by somebody behind us.
    guard framing == FramingFields() else {
      throw .badRequest("framing or routing field among the trailers")
    }
    for name in ["te", "trailer", "authorization", "cookie", "set-cookie", "content-encoding"]
    where trailers.contains(name) {
      throw .badRequest("\(name) field among the trailers")
    }
    return trailers
  }
}
