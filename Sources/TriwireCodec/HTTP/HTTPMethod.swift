/// The method of a request (RFC 9110 §9), compared with case.
///
/// Any token is a method; whether one is served is for the router to say (501).
public struct HTTPMethod: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The token as it stands in the request line.
  public var rawValue: String

  /// Creates a method from its token.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// `GET`: transfer a representation of the target.
  public static var get: HTTPMethod { HTTPMethod(rawValue: "GET") }
  /// `HEAD`: as GET, without the content.
  public static var head: HTTPMethod { HTTPMethod(rawValue: "HEAD") }
  /// `POST`: let the target process the content.
  public static var post: HTTPMethod { HTTPMethod(rawValue: "POST") }
  /// `PUT`: replace the target by the content.
  public static var put: HTTPMethod { HTTPMethod(rawValue: "PUT") }
  /// `DELETE`: remove the target.
  public static var delete: HTTPMethod { HTTPMethod(rawValue: "DELETE") }
  /// `CONNECT`: open a tunnel.
  public static var connect: HTTPMethod { HTTPMethod(rawValue: "CONNECT") }
  /// `OPTIONS`: describe what the target can do.
  public static var options: HTTPMethod { HTTPMethod(rawValue: "OPTIONS") }
  /// `TRACE`: send the request back.
  public static var trace: HTTPMethod { HTTPMethod(rawValue: "TRACE") }
  /// `PATCH`: change a part of the target (RFC 5789).
  public static var patch: HTTPMethod { HTTPMethod(rawValue: "PATCH") }

  /// The token.
  public var description: String { rawValue }

  // The standard library's comparison of raw values is generic, and costs ten times as much.

  /// Whether both are the same token.
  @inlinable
  public static func == (left: HTTPMethod, right: HTTPMethod) -> Bool {
    left.rawValue == right.rawValue
  }

  /// Hashes the token.
  @inlinable
  public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}
