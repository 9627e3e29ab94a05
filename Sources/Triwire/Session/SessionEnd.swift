public import TriwireCodec

/// How a session ended.
public struct SessionEnd: Sendable, Equatable {
  /// Why; `.abnormal` when the connection was lost without a word.
  public let code: CloseCode
  /// The peer's words, or ours when it was us.
  public let reason: String
  /// Whether the end was ours.
  public let isLocal: Bool

  /// Describes an end.
  public init(code: CloseCode, reason: String = "", isLocal: Bool = false) {
    self.code = code
    self.reason = reason
    self.isLocal = isLocal
  }

  /// Whether both sides meant to end, as opposed to a loss or a violation.
  public var isClean: Bool {
    switch code {
    case .normal, .goingAway, .noStatus, .serviceRestart, .tryAgainLater: true
    default: code.rawValue >= 3000
    }
  }
}

/// What can go wrong with a conversation.
///
/// That it is over is told apart from that it failed.
public enum SessionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Something was sent, or awaited, on a session that has ended.
  case closed(SessionEnd)
  /// The session was lost: by the network, or because a side broke the protocol.
  case lost(SessionEnd)

  /// The error, as one line.
  public var description: String {
    switch self {
    case .closed(let end): "the session is closed (\(end.code) \(end.reason))"
    case .lost(let end): "the session was lost (\(end.code) \(end.reason))"
    }
  }
}

/// What became of a message that was sent.
public enum SendResult: Sendable, Equatable {
  /// It was handed on.
  case sent
  /// It was accepted, but more waits than the soft limit allows: await `send`, or the drain.
  ///
  /// When `SessionLimits.slowConsumer` drops messages, this one may be dropped for a later one.
  case queued
  /// It went nowhere.
  ///
  /// When `SessionLimits.slowConsumer` drops messages, the session goes on. Else more waits than the
  /// hard limit allows, the session closes with 1013, and no later message goes anywhere either, so
  /// that the peer sees no hole.
  case dropped
  /// The session has ended, and the message went nowhere.
  case closed
}
