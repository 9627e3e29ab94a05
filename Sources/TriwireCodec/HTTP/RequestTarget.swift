/// The four forms of a request target (RFC 9112 §3.2) and the hosts in them.
enum RequestTarget {
  /// Whether the bytes of a range, each of them a target byte already, are a form that goes with
  /// the method.
  static func isValid(
    _ input: Span<UInt8>, in range: Range<Int>, for method: HTTPMethod
  ) -> Bool {
    guard let first = range.first else { return false }
    if method == .connect {
      // RFC 9112 §3.2.3: CONNECT takes authority-form, with a port, and nothing else.
      return isAuthority(input, in: range, portRequired: true)
    }
    if input[first] == Byte.slash { return true }  // §3.2.1: origin-form.
    if range.count == 1, input[first] == UInt8(ascii: "*") {
      return method == .options  // §3.2.4: asterisk-form is for OPTIONS only.
    }
    guard let authority = authority(of: input, in: range) else { return false }
    // RFC 9110 §4.2.1: an http URI without a host is invalid.
    return !authority.isEmpty && input[authority.lowerBound] != Byte.colon
      && isAuthority(input, in: authority, portRequired: false)
  }

  /// The path of a target: all of it up to a query, less the scheme and authority of a URI.
  static func path(of target: Span<UInt8>) -> Range<Int> {
    let end = target.firstIndex(of: Byte.question, from: 0) ?? target.count
    if end == 0 || target[0] == Byte.slash { return 0..<end }
    guard let authority = authority(of: target, in: 0..<end) else { return 0..<end }
    return authority.upperBound..<end
  }

  /// Where the authority of `scheme "://" authority path-abempty [ "?" query ]` lies, or nil if
  /// the target is not in absolute-form.
  static func authority(of input: Span<UInt8>, in range: Range<Int>) -> Range<Int>? {
    guard let first = range.first, ByteClass.isAlpha(input[first]) else { return nil }
    var index = first
    while index < range.upperBound, ByteClass.isScheme(input[index]) { index += 1 }
    guard index + 3 <= range.upperBound, input[index] == Byte.colon,
      input[index + 1] == Byte.slash, input[index + 2] == Byte.slash
    else { return nil }
    let start = index + 3
    index = start
    while index < range.upperBound, input[index] != Byte.slash, input[index] != Byte.question {
      index += 1
    }
    return start..<index
  }

  /// Whether a range is `uri-host [ ":" port ]` (RFC 9110 §7.2): no user, no stray bytes.
  ///
  /// The host may be empty, as a name may be (RFC 3986 §3.2.2).
  static func isAuthority(
    _ input: Span<UInt8>, in range: Range<Int>, portRequired: Bool
  ) -> Bool {
    let hostEnd: Int
    if let first = range.first, input[first] == Byte.leftBracket {
      guard let end = endOfBracketedHost(input, in: range) else { return false }
      hostEnd = end
    } else {
      var index = range.lowerBound
      while index < range.upperBound, ByteClass.isRegName(input[index]) { index &+= 1 }
      hostEnd = index
    }
    if hostEnd == range.upperBound { return !portRequired }
    guard input[hostEnd] == Byte.colon else { return false }
    let port = hostEnd + 1..<range.upperBound
    // RFC 3986 §3.2.3: port = *DIGIT; more than 65535 is no port.
    if port.isEmpty { return !portRequired }
    if portRequired, hostEnd == range.lowerBound { return false }
    guard let number = input.decimal(in: port) else { return false }
    return number <= 65535
  }

  /// The end of `"[" ( IPv6address / IPvFuture ) "]"`, judged by its characters only.
  private static func endOfBracketedHost(_ input: Span<UInt8>, in range: Range<Int>) -> Int? {
    var index = range.lowerBound + 1
    while index < range.upperBound, input[index] != Byte.rightBracket {
      let byte = input[index]
      // The characters of RFC 3986 §3.2.2; whether the address is one is for whoever uses it.
      guard byte == Byte.colon || (ByteClass.isRegName(byte) && byte != Byte.percent) else {
        return nil
      }
      index += 1
    }
    let isClosed = index < range.upperBound && index > range.lowerBound + 1
    return isClosed ? index + 1 : nil
  }
}
