/// A field that would break out of its line in an event stream: the caller's mistake.
package enum EventStreamFieldError: Error, Equatable, CustomStringConvertible {
  /// An id with CR, LF or NUL.
  case id(String)
  /// An event name with CR or LF.
  case event(String)

  package var description: String {
    switch self {
    case .id(let id): "event id \(id.debugDescription) has a CR, LF or NUL"
    case .event(let name): "event name \(name.debugDescription) has a CR or LF"
    }
  }
}

/// Writes event streams (WHATWG HTML §9.2.5).
///
/// An event is its fields in the order id, event, retry, data, and an empty line. A plain message
/// of n bytes without a line break costs n + 8 bytes, and an id of m bytes 5 + m more. Data is
/// UTF-8, which is for the caller to see to.
package enum EventStreamWriter {
  /// The bytes of an event, exactly.
  package static func byteCount(
    data: Span<UInt8>, event: String? = nil, id: String? = nil, retry: Int? = nil
  ) -> Int {
    var count = 8 + data.count
    var start = 0
    while let lineBreak = data.firstLineBreak(from: start) {
      // Each line break becomes an LF and the next line's name; of CRLF one byte is dropped.
      count += 6
      start = endOfBreak(data, lineBreak)
      count -= start - lineBreak - 1
    }
    if let event { count += 8 + event.utf8.count }
    if let id { count += 5 + id.utf8.count }
    if let retry { count += 8 + "\(max(retry, 0))".utf8.count }
    return count
  }

  /// Whether data comes out of a parser as it went in.
  ///
  /// A CR does not: the grammar takes it for a line end, and a parser gives LF in its place.
  package static func isPreserved(_ data: Span<UInt8>) -> Bool {
    data.firstIndex(of: Byte.cr, from: 0) == nil
  }

  /// Writes an event.
  ///
  /// Data is cut into lines at CR, LF and CRLF, so nothing in it can end the event or name another
  /// field. The output has room for `byteCount` bytes.
  /// - Throws: `EventStreamFieldError` before anything is written, the caller's mistake.
  package static func write(
    data: Span<UInt8>, event: String? = nil, id: String? = nil, retry: Int? = nil,
    into output: inout OutputSpan<UInt8>
  ) throws(EventStreamFieldError) {
    if event != nil || id != nil { try check(event: event, id: id) }
    if let id {
      output.append("id: ")
      output.append(copying: id.utf8.span)
      output.append(Byte.lf)
    }
    if let event {
      output.append("event: ")
      output.append(copying: event.utf8.span)
      output.append(Byte.lf)
    }
    if let retry { writeRetry(retry, into: &output) }
    var start = 0
    while let lineBreak = data.firstLineBreak(from: start) {
      writeLine(data, start..<lineBreak, into: &output)
      start = endOfBreak(data, lineBreak)
    }
    writeLine(data, start..<data.count, into: &output)
    output.append(Byte.lf)
  }

  /// Writes a reconnection time in milliseconds, which counts at once: at most 27 bytes.
  package static func writeRetry(_ milliseconds: Int, into output: inout OutputSpan<UInt8>) {
    output.append("retry: ")
    output.append(decimal: max(milliseconds, 0))
    output.append(Byte.lf)
  }

  /// Writes a comment line of a literal without line breaks, and an empty line: 4 bytes and it.
  ///
  /// An empty one, 4 bytes, is enough to keep a connection alive.
  package static func writeComment(
    _ text: StaticString = "", into output: inout OutputSpan<UInt8>
  ) {
    output.append(": ")
    output.append(text)
    output.append("\n\n")
  }

  private static func writeLine(
    _ data: Span<UInt8>, _ line: Range<Int>, into output: inout OutputSpan<UInt8>
  ) {
    output.append("data: ")
    output.append(copying: data.extracting(line))
    output.append(Byte.lf)
  }

  private static func endOfBreak(_ data: Span<UInt8>, _ lineBreak: Int) -> Int {
    let next = lineBreak + 1
    let isPair = data[lineBreak] == Byte.cr && next < data.count && data[next] == Byte.lf
    return isPair ? next + 1 : next
  }

  private static func check(event: String?, id: String?) throws(EventStreamFieldError) {
    if let event, event.utf8.span.firstLineBreak(from: 0) != nil { throw .event(event) }
    // §9.2.6: an id with NUL would be ignored, and one with a line break would be a new field.
    if let id,
      id.utf8.span.firstLineBreak(from: 0) != nil || id.utf8.contains(0)
    {
      throw .id(id)
    }
  }
}
