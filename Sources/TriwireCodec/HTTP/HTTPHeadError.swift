/// A head that this end must not send: the mistake of whoever made it.
package enum HTTPHeadError: Error, Equatable, CustomStringConvertible {
  /// A name that is no token, or a value with a control character (RFC 9110 §5.1, §5.5).
  case field(name: String)
  /// A method or target that would not be one word in the request line.
  case requestLine(String)
  /// A code that is not three digits, or a reason with a control character.
  case statusLine(String)
  /// A body where the status allows none.
  case bodyNotAllowed(status: Int)
  /// A request of HTTP/1.1 without a host, or with several (RFC 9112 §3.2).
  case host

  package var description: String {
    switch self {
    case .field(let name):
      "header field \(name.debugDescription) has a bad name or a control character in its value"
    case .requestLine(let line): "method or target cannot be sent: \(line.debugDescription)"
    case .statusLine(let line): "status cannot be sent: \(line.debugDescription)"
    case .bodyNotAllowed(let status): "a response of status \(status) has no body"
    case .host: "a request of HTTP/1.1 has exactly one host header field"
    }
  }
}
