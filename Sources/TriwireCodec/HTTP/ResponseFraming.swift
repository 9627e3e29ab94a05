/// How a response is to be sent: how its end is told, and whether the connection outlives it.
///
/// Decided before the head is written (RFC 9112 §6, §9.3). The caller then sends the body as
/// `coding` says, and closes the connection after it unless `keepAlive`.
package struct ResponseFraming: Equatable, Sendable {
  /// How the end of the body is told.
  package enum Coding: Equatable, Sendable {
    /// Nothing is sent after the head.
    case none
    /// Exactly so many bytes are.
    case length(Int)
    /// Chunks are, made with `HTTPChunk`.
    case chunked
    /// Bytes are, until the connection is closed.
    case untilClose
  }

  /// How the body is sent.
  package var coding: Coding
  /// The value of `Content-Length`, if there is to be one; a HEAD response has it and no body.
  package var contentLength: Int?
  /// Whether another exchange may follow.
  package var keepAlive: Bool
  /// Whether an HTTP/1.0 client has to be told that the connection is kept.
  var announcesKeepAlive: Bool

  /// Decides for a response to a request.
  ///
  /// A `Connection: close` in the head counts. For a HEAD request `body` is what GET would get.
  /// `version` is that of the request, and `keepAlive` whether the request and the server allow
  /// another exchange.
  ///
  /// - Throws: `HTTPHeadError.bodyNotAllowed`, the caller's mistake.
  package init(
    _ response: borrowing ResponseHead, body: HTTPBodySize, to method: HTTPMethod,
    version: HTTPVersion = .http11, keepAlive: Bool = true
  ) throws(HTTPHeadError) {
    let persists = keepAlive && !response.headers.hasConnectionClose
    self.keepAlive = persists
    announcesKeepAlive = persists && version == .http10
    contentLength = nil
    let code = response.status.code
    let isHead = method != .get && method == .head
    let isTunnel = code < 300 && method != .get && method == .connect
    if code < 200 || code == 204 || code == 304 || isTunnel {
      // RFC 9112 §6.3: these end with their head; RFC 9110 §8.6: 1xx, 204 and a tunnel carry no
      // Content-Length, and in a 304 it is optional.
      if case .bytes(1...) = body, !isHead { throw .bodyNotAllowed(status: code) }
      coding = .none
      return
    }
    switch body {
    case .none: contentLength = 0
    case .bytes(let count): contentLength = count
    case .unknown: break
    }
    if isHead || contentLength == 0 {
      coding = .none
    } else if let contentLength {
      coding = .length(contentLength)
    } else if version == .http11 {
      coding = .chunked
    } else {
      // RFC 9112 §6.1: no transfer coding to an HTTP/1.0 client, so the close tells the end.
      coding = .untilClose
      self.keepAlive = false
      announcesKeepAlive = false
    }
  }
}

extension Headers {
  /// Whether the sender said `Connection: close` itself.
  var hasConnectionClose: Bool {
    guard !isEmpty, hasField("connection") else { return false }
    return contains(token: "close", in: "connection")
  }

  /// Whether a field has a name, which is in lower case.
  func hasField(_ name: StaticString) -> Bool {
    let bytes = block.span
    for field in fields where bytes.matches(name, in: field.nameRange) { return true }
    return false
  }
}
