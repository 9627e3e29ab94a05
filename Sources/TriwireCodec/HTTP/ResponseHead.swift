/// The head of a response: its status line and its header fields.
public struct ResponseHead: Equatable, Sendable {
  /// The status.
  public var status: HTTPStatus
  /// The version of the sender.
  public var version: HTTPVersion
  /// The header fields.
  public var headers: Headers

  /// Creates a head.
  public init(
    status: HTTPStatus = .ok, version: HTTPVersion = .http11, headers: Headers = [:]
  ) {
    self.status = status
    self.version = version
    self.headers = headers
  }
}
