public import TriwireCodec

/// A plain HTTP request, whole.
public struct Request: Sendable {
  /// Its line and header fields.
  public let head: RequestHead
  /// Its body, at most `limits.bodyBytes` long.
  public let body: [UInt8]
  /// The part of the path that the route's `{name}` stood for; empty when it has none.
  public let parameter: String
  /// The subject of the client's certificate (RFC 2253 text, such as "CN=client 7"); nil when it
  /// showed none, or was not asked (`TLSServerOptions.clientCertificates`).
  public let peerCertificateSubject: String?
}

/// The answer to a `Request`.
public struct Response: Sendable {
  /// The status.
  public var status: HTTPStatus
  /// Header fields; those that frame the body are added.
  public var headers: Headers
  /// The body.
  public var body: [UInt8]

  /// Makes a response.
  public init(_ status: HTTPStatus = .ok, headers: Headers = [:], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// Makes a response with a text, ended by a line feed.
  public init(_ status: HTTPStatus = .ok, text: String, headers: Headers = [:]) {
    self.status = status
    self.headers = headers
    self.headers.append("content-type", "text/plain; charset=utf-8")
    body = Array((text + "\n").utf8)
  }
}
