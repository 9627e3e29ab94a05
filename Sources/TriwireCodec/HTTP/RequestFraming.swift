/// What a request head says about the bytes that follow it.
package struct RequestFraming: Equatable, Sendable {
  /// How the end of a body is told.
  package enum Body: Equatable, Sendable {
    /// There is none.
    case none
    /// It has this many bytes, at least one.
    case length(Int)
    /// It comes in chunks.
    case chunked
  }

  /// The body.
  package var body: Body
  /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 §10.1.1).
  package var expectsContinue: Bool
  /// Whether the client can use the connection again after this exchange (RFC 9112 §9.3).
  package var keepAlive: Bool
  /// Whether the client asks for another protocol (RFC 9110 §7.8).
  package var isUpgrade: Bool

  package init(
    body: Body = .none, expectsContinue: Bool = false, keepAlive: Bool = true,
    isUpgrade: Bool = false
  ) {
    self.body = body
    self.expectsContinue = expectsContinue
    self.keepAlive = keepAlive
    self.isUpgrade = isUpgrade
  }

  /// Judges the framing fields of a request.
  init(
    _ fields: FramingFields, version: HTTPVersion, limits: HTTPLimits
  ) throws(HTTPViolation) {
    // RFC 9112 §3.2: a request of HTTP/1.1 without Host is answered with 400.
    if version == .http11, fields.hostCount == 0 {
      throw .badRequest("request has no host header field")
    }
    body = try RequestFraming.body(fields, version: version, limits: limits)
    keepAlive = FramingFields.keepAlive(fields.connection, version: version)
    // RFC 9110 §7.8: a server ignores Upgrade in HTTP/1.0.
    isUpgrade =
      version == .http11 && fields.hasUpgrade && fields.connection.contains(.upgrade)
    // RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored; one that is not known gets 417.
    if version == .http11, fields.expectation == .unknown {
      throw HTTPViolation(.expectationFailed, "the only expectation known is 100-continue")
    }
    expectsContinue = version == .http11 && fields.expectation == .continue && body != .none
  }

  private static func body(
    _ fields: FramingFields, version: HTTPVersion, limits: HTTPLimits
  ) throws(HTTPViolation) -> Body {
    if fields.transferCoding != .none {
      // RFC 9112 §6.1: both lengths together, or a coding in HTTP/1.0, is an attack.
      if fields.contentLength != nil {
        throw .badRequest("content-length together with transfer-encoding")
      }
      if version == .http10 { throw .badRequest("transfer-encoding in an HTTP/1.0 request") }
      guard fields.transferCoding == .chunked else {
        // RFC 9112 §6.1: a coding that is not understood is answered with 501.
        throw HTTPViolation(.notImplemented, "the only transfer-encoding known is chunked")
      }
      return .chunked
    }
    guard let length = fields.contentLength, length > 0 else { return .none }
    guard length <= limits.bodyBytes else {
      throw .bodyTooLarge(length, limit: limits.bodyBytes)
    }
    return .length(length)
  }
}

extension FramingFields {
  /// RFC 9112 §9.3: close wins; HTTP/1.1 persists; HTTP/1.0 persists only if asked to.
  static func keepAlive(_ connection: Connection, version: HTTPVersion) -> Bool {
    if connection.contains(.close) { return false }
    return version == .http11 || connection.contains(.keepAlive)
  }
}
