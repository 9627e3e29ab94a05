/// The peer broke HTTP: what it did, and the status that answers it.
///
/// A server sends the status with the message and closes the connection, as nothing that follows
/// can be trusted to be where it seems (RFC 9112 §9.2, §11). On the client side the status is what
/// a gateway would answer, 502. Messages are lower case and name the limit to raise, if one is.
public struct HTTPViolation: Error, Hashable, Sendable, CustomStringConvertible {
  /// The status to answer with.
  public var status: HTTPStatus
  /// What the peer did.
  public var message: String

  /// Creates a violation.
  public init(_ status: HTTPStatus, _ message: String) {
    self.status = status
    self.message = message
  }

  /// The code and the message.
  public var description: String { "\(status.code): \(message)" }
}

extension HTTPViolation {
  static func badRequest(_ message: String) -> HTTPViolation {
    HTTPViolation(.badRequest, message)
  }

  static func headTooLarge(_ limit: Int) -> HTTPViolation {
    HTTPViolation(
      .headerFieldsTooLarge, "message head is over \(limit) bytes: raise limits.headBytes")
  }

  static func tooManyFields(_ limit: Int) -> HTTPViolation {
    HTTPViolation(
      .headerFieldsTooLarge, "more than \(limit) header fields: raise limits.headerCount")
  }

  static func bodyTooLarge(_ length: Int, limit: Int) -> HTTPViolation {
    HTTPViolation(
      .contentTooLarge, "body is \(length) bytes or more, limit is \(limit): raise limits.bodyBytes"
    )
  }
}
