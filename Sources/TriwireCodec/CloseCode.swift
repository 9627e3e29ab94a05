/// Why a session was closed: a WebSocket close code (RFC 6455 §7.4), used for every transport.
public struct CloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number on the wire.
  public let rawValue: UInt16

  /// Makes a code from its number; whether it may be sent is `isSendable`.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Whether both have the same number.
  @inlinable
  public static func == (left: CloseCode, right: CloseCode) -> Bool {
    left.rawValue == right.rawValue
  }

  /// Hashes the number.
  @inlinable
  public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }

  /// 1000: the purpose of the session is fulfilled.
  public static let normal = CloseCode(rawValue: 1000)
  /// 1001: the server goes down, or a page was left.
  public static let goingAway = CloseCode(rawValue: 1001)
  /// 1002: the peer broke the protocol.
  public static let protocolError = CloseCode(rawValue: 1002)
  /// 1003: the kind of message cannot be accepted.
  public static let unsupportedData = CloseCode(rawValue: 1003)
  /// 1005: a close frame came without a code.
  ///
  /// Never sent.
  public static let noStatus = CloseCode(rawValue: 1005)
  /// 1006: the connection was lost without a close frame.
  ///
  /// Never sent.
  public static let abnormal = CloseCode(rawValue: 1006)
  /// 1007: a text message is not UTF-8.
  public static let invalidPayload = CloseCode(rawValue: 1007)
  /// 1008: a rule of the application was broken.
  public static let policyViolation = CloseCode(rawValue: 1008)
  /// 1009: a message is over the limit.
  public static let messageTooBig = CloseCode(rawValue: 1009)
  /// 1011: the server failed.
  public static let internalError = CloseCode(rawValue: 1011)
  /// 1012: the server restarts.
  public static let serviceRestart = CloseCode(rawValue: 1012)
  /// 1013: try again later.
  public static let tryAgainLater = CloseCode(rawValue: 1013)

  /// Whether the code may stand in a close frame (RFC 6455 §7.4.1, §7.4.2, and the registry).
  public var isSendable: Bool {
    switch rawValue {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }

  /// The number.
  public var description: String { String(rawValue) }
}
