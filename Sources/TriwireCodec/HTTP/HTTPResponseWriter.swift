/// Writes response heads (RFC 9112 §4).
package enum HTTPResponseWriter {
  /// The bytes that `write` may need for a head, at most.
  package static func capacity(_ head: borrowing ResponseHead) -> Int {
    // Status line 18, date 37, content-length 37, transfer-encoding 28, connection 24, CRLF 2.
    160 + head.status.reason.utf8.count + head.headers.block.count
  }

  /// Writes a head with the fields that frame it.
  ///
  /// `Content-Length` and `Transfer-Encoding` of the head are left out, as `framing` decides them.
  /// The version written is HTTP/1.1 whatever the client speaks (RFC 9110 §2.5).
  /// `date` is the line of `Date` (made by `HTTPDate`), or empty for none. The output has room for
  /// `capacity(head)` bytes.
  ///
  /// - Throws: `HTTPHeadError` before anything is written, the caller's mistake.
  package static func write(
    _ head: borrowing ResponseHead, framing: ResponseFraming, date: [UInt8] = [],
    into output: inout OutputSpan<UInt8>
  ) throws(HTTPHeadError) {
    try writeStatusLine(head.status, checking: head.headers, into: &output)
    head.headers.writeFields(into: &output)
    precondition(date.count <= 37, "a date line is 37 bytes")
    output.append(copying: date.span)
    writeFraming(framing, status: head.status.code, headers: head.headers, into: &output)
    output.append("\r\n")
  }

  /// Writes the interim response that lets a client send its body (RFC 9110 §15.2.1): 25 bytes.
  package static func writeContinue(into output: inout OutputSpan<UInt8>) {
    output.append("HTTP/1.1 100 Continue\r\n\r\n")
  }

  private static func writeStatusLine(
    _ status: HTTPStatus, checking headers: Headers, into output: inout OutputSpan<UInt8>
  ) throws(HTTPHeadError) {
    // RFC 9110 §5.5: a field that would break out of its line is never written.
    guard headers.isWritable else { throw .field(name: headers.firstUnwritableName) }
    if status.code == 200, status.reason == "OK" { return output.append("HTTP/1.1 200 OK\r\n") }
    let reason = status.reason.utf8.span
    guard 100...999 ~= status.code, reason.firstControl(from: 0) == nil else {
      throw .statusLine(status.description)
    }
    output.append("HTTP/1.1 ")
    output.append(decimal: status.code)
    output.append(Byte.space)
    output.append(copying: reason)
    output.append("\r\n")
  }

  private static func writeFraming(
    _ framing: ResponseFraming, status: Int, headers: Headers,
    into output: inout OutputSpan<UInt8>
  ) {
    if let length = framing.contentLength {
      output.append("content-length: ")
      output.append(decimal: length)
      output.append("\r\n")
    }
    if framing.coding == .chunked { output.append("transfer-encoding: chunked\r\n") }
    if status < 200 { return }
    if framing.announcesKeepAlive {
      output.append("connection: keep-alive\r\n")
    } else if !framing.keepAlive, !headers.hasConnectionClose {
      // RFC 9112 §9.6: a server that will close says so.
      output.append("connection: close\r\n")
    }
  }
}

extension Headers {
  /// The name of a field that cannot be written.
  var firstUnwritableName: String {
    for (name, value) in self where !Headers.isWritable(name: name, value: value) { return name }
    return ""
  }

  /// Writes the field lines, less those that the writer decides on itself.
  func writeFields(into output: inout OutputSpan<UInt8>) {
    let bytes = block.span
    guard fields.contains(where: { isFramingName(bytes, $0) }) else {
      output.append(copying: bytes)
      return
    }
    for (index, field) in fields.enumerated() where !isFramingName(bytes, field) {
      output.append(copying: bytes.extracting(lineRange(at: index)))
    }
  }

  private func isFramingName(_ bytes: Span<UInt8>, _ field: Field) -> Bool {
    switch field.nameLength {
    case 14: bytes.matches("content-length", in: field.nameRange)
    case 17: bytes.matches("transfer-encoding", in: field.nameRange)
    default: false
    }
  }
}
