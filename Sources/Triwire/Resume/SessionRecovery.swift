/// What became of a resumable session when it got another connection, as its client sees it.
public struct SessionRecovery: Sendable, Equatable {
  /// Whether both sides have all messages of each other, once and in order.
  ///
  /// false when the server does not know the session any more, as after a restart, or has
  /// forgotten messages: the session goes on, and the application has to read its state anew.
  public let recovered: Bool
  /// The transport that carries it now.
  public let transport: TransportKind
  /// Messages of the server that were lost; nil when nobody knows how many.
  public let missed: UInt64?
  /// Messages of the client of which nobody knows whether they arrived; they are not sent again.
  public let unacknowledged: Int
  /// How long the session had no connection, in milliseconds; 0 when it moved.
  public let milliseconds: Double
  /// How the client came to know that the connection before was lost; nil when the session moved
  /// while it had one.
  public let cause: String?
}

/// What a resumable session did so far to stay exact.
public struct ResumeCounters: Sendable, Equatable, Codable {
  /// Messages that were sent again.
  public var resent: UInt64 = 0
  /// Messages of the peer that came twice, and were dropped.
  public var repeated: UInt64 = 0
  /// Connections that were lost, each of them noticed.
  public var lost: UInt64 = 0
  /// Attempts to reach the server, as `Session.attempts` has the newest of; 0 on the server's side.
  public var attempts: UInt64 = 0

  /// Counts nothing yet.
  public init() {}
}
