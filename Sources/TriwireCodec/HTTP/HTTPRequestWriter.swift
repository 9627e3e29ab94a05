/// Writes request heads (RFC 9112 §3).
package enum HTTPRequestWriter {
  /// The bytes that `write` may need for a head, at most.
  package static func capacity(_ head: RequestHead) -> Int {
    // Two spaces, version 8, CRLF 2, content-length 37 or transfer-encoding 28, CRLF 2.
    64 + head.method.rawValue.utf8.count + head.target.utf8.count + head.headers.block.count
  }

  /// Writes a head with the field that frames its body: a length, or chunks if it is not known.
  ///
  /// `Content-Length` and `Transfer-Encoding` of the head are left out, as `body` decides them. A
  /// method that usually has content says so even of an empty one (RFC 9110 §8.6). The output has
  /// room for `capacity(head)` bytes.
  /// - Throws: `HTTPHeadError` before anything is written, the caller's mistake.
  package static func write(
    _ head: RequestHead, body: HTTPBodySize = .none, into output: inout OutputSpan<UInt8>
  ) throws(HTTPHeadError) {
    try check(head, body)
    output.append(copying: head.method.rawValue.utf8.span)
    output.append(Byte.space)
    output.append(copying: head.target.utf8.span)
    output.append(head.version == .http11 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n")
    head.headers.writeFields(into: &output)
    switch body {
    case .none where head.method == .post || head.method == .put || head.method == .patch:
      output.append("content-length: 0\r\n")
    case .none: break
    case .bytes(let count):
      output.append("content-length: ")
      output.append(decimal: count)
      output.append("\r\n")
    case .unknown:
      output.append("transfer-encoding: chunked\r\n")
    }
    output.append("\r\n")
  }

  private static func check(_ head: RequestHead, _ body: HTTPBodySize) throws(HTTPHeadError) {
    // RFC 9110 §5.5: a field that would break out of its line is never written.
    guard head.headers.isWritable else { throw .field(name: head.headers.firstUnwritableName) }
    let method = head.method.rawValue.utf8
    guard !method.isEmpty, method.allSatisfy(ByteClass.isToken) else {
      throw .requestLine(head.method.rawValue)
    }
    let target = head.target.utf8
    // RFC 9112 §3.2: no whitespace in a target, and it is of a form that goes with its method.
    guard target.allSatisfy(ByteClass.isTarget),
      RequestTarget.isValid(target.span, in: 0..<target.count, for: head.method)
    else { throw .requestLine(head.target) }
    guard head.version == .http11 else {
      // RFC 9112 §6.1: HTTP/1.0 has no chunks, and a request cannot end by a close.
      if body == .unknown { throw .requestLine("HTTP/1.0 with a body of unknown size") }
      return
    }
    let bytes = head.headers.block.span
    var hosts = 0
    for field in head.headers.fields where bytes.matches("host", in: field.nameRange) {
      hosts += 1
      guard RequestTarget.isAuthority(bytes, in: field.valueRange, portRequired: false) else {
        throw .host
      }
    }
    guard hosts == 1 else { throw .host }
  }
}
