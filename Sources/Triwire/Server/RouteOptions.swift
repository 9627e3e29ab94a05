/// What is special about the sessions of one route.
public struct RouteOptions: Sendable {
  /// Their limits; those of the server's configuration when nil.
  public var limits: SessionLimits?
  /// How WebSocket messages are compressed; as the server's configuration says when nil.
  public var deflate: Deflate?
  /// Which WebSocket subprotocol is chosen; none by default.
  public var subprotocols = Subprotocols.none

  /// Whether a route compresses.
  public enum Deflate: Sendable {
    /// Not at all.
    case off
    /// With these options, where the client can.
    case on(DeflateOptions)
  }

  /// How a subprotocol is chosen among those that a client offers (RFC 6455 §4.2.2).
  public enum Subprotocols: Sendable {
    /// None is.
    case none
    /// The first of these that the client offers; the session opens without one if it offers none.
    case firstOf([String])
    /// What the closure returns: one of the offered names, or nil for none.
    case chosen(@Sendable ([String]) -> String?)

    func choose(_ offered: [String]) -> String? {
      switch self {
      case .none: nil
      case .firstOf(let names): names.first(where: offered.contains)
      case .chosen(let choose): choose(offered).flatMap { offered.contains($0) ? $0 : nil }
      }
    }
  }

  /// The settings of the server, and no subprotocol.
  public init() {}
}
