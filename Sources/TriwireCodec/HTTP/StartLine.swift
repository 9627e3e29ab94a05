/// Parses the first line of a request (RFC 9112 §3) or a response (§4).
enum StartLine {
  /// The parts of a request line.
  struct Request {
    var method: HTTPMethod
    var target: String
    var version: HTTPVersion
  }

  /// `method SP request-target SP HTTP-version`, without the CRLF.
  static func request(
    _ input: Span<UInt8>, in line: Range<Int>
  ) throws(HTTPViolation) -> Request {
    var index = line.lowerBound
    while index < line.upperBound, ByteClass.isToken(input[index]) { index &+= 1 }
    let methodEnd = index
    guard methodEnd > line.lowerBound, methodEnd < line.upperBound, input[methodEnd] == Byte.space
    else { throw .badRequest("request line does not begin with a method and a space") }
    index &+= 1
    while index < line.upperBound, ByteClass.isTarget(input[index]) { index &+= 1 }
    let target = methodEnd &+ 1..<index
    // RFC 9112 §3.2: a request line with whitespace in its target is answered with 400.
    guard index < line.upperBound, input[index] == Byte.space else {
      throw .badRequest("request target is not followed by a version, or has a forbidden byte")
    }
    let version = try version(input, in: index &+ 1..<line.upperBound)
    let method = method(input, in: line.lowerBound..<methodEnd)
    guard RequestTarget.isValid(input, in: target, for: method) else {
      throw .badRequest("request target is not of a form that goes with its method")
    }
    return Request(method: method, target: input.asciiText(in: target), version: version)
  }

  private static func version(
    _ input: Span<UInt8>, in range: Range<Int>
  ) throws(HTTPViolation) -> HTTPVersion {
    switch HTTPVersion.read(input, in: range) {
    case .version(let version): return version
    case .unsupported(let major, let minor):
      // RFC 9110 §15.6.6: a major version that is not spoken is answered with 505.
      throw HTTPViolation(
        .versionNotSupported, "HTTP/\(major).\(minor) is not spoken here, HTTP/1.1 is")
    case .malformed: throw .badRequest("request line does not end in an HTTP version")
    }
  }

  private static func method(_ input: Span<UInt8>, in range: Range<Int>) -> HTTPMethod {
    // The common ones without making a string.
    let first = input[range.lowerBound]
    if range.count == 3, first == UInt8(ascii: "G"), input[range.lowerBound + 1] == 0x45,
      input[range.lowerBound + 2] == 0x54
    {
      return .get
    }
    return HTTPMethod(rawValue: input.text(in: range))
  }

  /// `HTTP-version SP status-code SP [ reason-phrase ]`, without the CRLF.
  static func response(
    _ input: Span<UInt8>, in line: Range<Int>
  ) throws(HTTPViolation) -> (status: HTTPStatus, version: HTTPVersion) {
    let start = line.lowerBound
    guard line.count >= 12, input[start + 8] == Byte.space else {
      throw .badRequest("status line is not a version, a space and a status code")
    }
    let version = try version(input, in: start..<start + 8)
    guard let code = input.decimal(in: start + 9..<start + 12), code >= 100 else {
      throw .badRequest("status code is not a number of three digits")
    }
    if line.count == 12 {
      // RFC 9112 §4 has a space even before no phrase; its absence is common and harmless.
      return (HTTPStatus(code, reason: ""), version)
    }
    guard input[start + 12] == Byte.space else {
      throw .badRequest("status code is not followed by a space")
    }
    let phrase = start + 13..<line.upperBound
    for index in phrase where !ByteClass.isFieldValue(input[index]) {
      throw .badRequest("control character \(input[index]) in a status line")
    }
    return (HTTPStatus(code, reason: input.text(in: phrase)), version)
  }
}
