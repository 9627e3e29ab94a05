/// Writes messages as a JSON array (RFC 8259), for clients that have no batch codec.
///
/// A text message is a string; a binary one is `{"base64":"…"}`. An element is the same in every
/// array, so a broadcast is encoded once: `[`, elements with `,` between them, `]`. Text is valid
/// UTF-8, which is for the caller to check, and is left as it is but for what has to be escaped.
package enum JSONBatchWriter {
  /// The media type of the array.
  package static let mediaType = "application/json"

  /// The bytes of an element, exactly.
  package static func byteCount(_ kind: PollBatch.Kind, _ payload: Span<UInt8>) -> Int {
    guard kind == .text else { return 13 + Base64.encodedCount(payload.count) }
    var count = 2 + payload.count
    var start = 0
    while let index = payload.firstJSONEscape(from: start) {
      count += shortEscape(payload[index]) == nil ? 5 : 1
      start = index + 1
    }
    return count
  }

  /// Writes an element, with a comma before it unless it is the array's first.
  ///
  /// The output has room for `byteCount` bytes, and one more for the comma.
  package static func write(
    _ kind: PollBatch.Kind, _ payload: Span<UInt8>, isFirst: Bool,
    into output: inout OutputSpan<UInt8>
  ) {
    if !isFirst { output.append(Byte.comma) }
    switch kind {
    case .text: writeString(payload, into: &output)
    case .binary:
      output.append("{\"base64\":\"")
      Base64.encode(payload, into: &output)
      output.append("\"}")
    }
  }

  private static func writeString(_ text: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
    output.append(Byte.quote)
    var start = 0
    while let index = text.firstJSONEscape(from: start) {
      output.append(copying: text.extracting(start..<index))
      writeEscape(text[index], into: &output)
      start = index + 1
    }
    output.append(copying: text.extracting(start..<text.count))
    output.append(Byte.quote)
  }

  private static func writeEscape(_ byte: UInt8, into output: inout OutputSpan<UInt8>) {
    if let short = shortEscape(byte) {
      output.append(Byte.backslash)
      output.append(short)
      return
    }
    // RFC 8259 §7: other control characters take the form \u00XX.
    output.append("\\u00")
    output.append(byte < 0x10 ? Byte.zero : Byte.zero + 1)
    let low = byte & 15
    output.append(low < 10 ? Byte.zero + low : UInt8(ascii: "a") - 10 + low)
  }

  /// The letter of a two-character escape (RFC 8259 §7), if the byte has one.
  private static func shortEscape(_ byte: UInt8) -> UInt8? {
    switch byte {
    case Byte.quote, Byte.backslash: byte
    case 0x08: UInt8(ascii: "b")
    case 0x0C: UInt8(ascii: "f")
    case Byte.lf: UInt8(ascii: "n")
    case Byte.cr: UInt8(ascii: "r")
    case Byte.tab: UInt8(ascii: "t")
    default: nil
    }
  }
}
