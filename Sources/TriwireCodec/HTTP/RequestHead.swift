/// The head of a request: its line and its header fields.
public struct RequestHead: Equatable, Sendable {
  /// The method.
  public var method: HTTPMethod
  /// The target as it stands in the request line: `/path?query`, an absolute URI, `*`, or
  /// `host:port` (RFC 9112 §3.2).
  public var target: String
  /// The version of the sender.
  public var version: HTTPVersion
  /// The header fields.
  public var headers: Headers

  /// Creates a head.
  public init(
    method: HTTPMethod = .get, target: String, version: HTTPVersion = .http11,
    headers: Headers = [:]
  ) {
    self.method = method
    self.target = target
    self.version = version
    self.headers = headers
  }

  /// The path of the target, without its query and not percent-decoded.
  ///
  /// Of an absolute URI the part after the authority, "/" if there is none; `*` and `host:port`
  /// stand for themselves.
  public var path: String {
    let bytes = target.utf8.span
    let range = RequestTarget.path(of: bytes)
    if range.count == bytes.count { return target }
    return range.isEmpty ? "/" : bytes.text(in: range)
  }

  /// The query of the target without its "?", not percent-decoded, or nil if there is none.
  public var query: String? {
    let bytes = target.utf8.span
    guard let mark = bytes.firstIndex(of: Byte.question, from: 0) else { return nil }
    return bytes.text(in: mark + 1..<bytes.count)
  }

  /// The first value of a name in the query, percent-decoded, or nil if the name is not there.
  ///
  /// The query is read as a form: pairs parted by "&", "+" is a space, a name without "=" has an
  /// empty value, and a "%" that two hex digits do not follow stands for itself
  /// (WHATWG URL §5.1).
  public func queryItem(_ name: String) -> String? {
    let bytes = target.utf8.span
    guard var start = bytes.firstIndex(of: Byte.question, from: 0).map({ $0 + 1 }) else {
      return nil
    }
    while start < bytes.count {
      let end = bytes.firstIndex(of: UInt8(ascii: "&"), from: start) ?? bytes.count
      var split = start
      while split < end, bytes[split] != Byte.equals { split += 1 }
      if PercentCoding.decode(bytes, in: start..<split) == name {
        return PercentCoding.decode(bytes, in: min(split + 1, end)..<end)
      }
      start = end + 1
    }
    return nil
  }
}
