public import TriwireCodec

/// A plain HTTP request, whole.
public struct Request: Sendable {
  let exchange: Exchange
  /// Its body, at most `limits.bodyBytes` long.
  public let body: [UInt8]
  /// The subject of the client's certificate (RFC 2253 text, such as "CN=client 7"); nil when it
  /// showed none, or was not asked (`TLSServerOptions.clientCertificates`).
  public let peerCertificateSubject: String?

  /// Its line and header fields.
  public var head: RequestHead { exchange.head }
  /// The part of the path that the route's `{name}` stood for; empty when it has none.
  public var parameter: String { exchange.parameter }
}

/// The answer to a `Request`.
public struct Response: Sendable {
  var head: ResponseHead
  /// The body.
  public var body: [UInt8]

  /// Makes a response.
  public init(_ status: HTTPStatus = .ok, headers: Headers = [:], body: [UInt8] = []) {
    head = ResponseHead(status: status, headers: headers)
    self.body = body
  }

  /// Makes a response with a text, ended by a line feed.
  public init(_ status: HTTPStatus = .ok, text: String, headers: Headers = [:]) {
    head = ResponseHead(status: status, headers: headers)
    head.headers.append("content-type", "text/plain; charset=utf-8")
    body = Array((text + "\n").utf8)
  }

  /// The status.
  public var status: HTTPStatus {
    get { head.status }
    set { head.status = newValue }
  }

  /// Header fields; those that frame the body are added.
  public var headers: Headers {
    get { head.headers }
    set { head.headers = newValue }
  }
}
