/// How sessions survive their connections, and what that may cost.
public struct ResumeOptions: Sendable, Equatable {
  /// How much may wait for the peer's acknowledgement before `send` suspends, in bytes; 256 KiB by
  /// default.
  ///
  /// It is also the most that a round trip can carry: less than bandwidth times delay slows down.
  public var windowBytes = 256 * 1024
  /// How much may wait before a session that does not heed `queued` is closed with 1013, in bytes;
  /// 1 MiB by default.
  public var windowBytesHard = 1 << 20
  /// How many messages may wait before `send` suspends; 8,192 by default.
  ///
  /// Four times as many close the session like `windowBytesHard`.
  public var windowMessages = 8192
  /// Seconds a session waits for its client to come back; 60 by default.
  ///
  /// Then it is lost, and what waited for it is forgotten.
  public var awaySeconds = 60.0
  /// Sessions that may wait for their clients at a time, for the whole server; 10,000 by default.
  ///
  /// The next one that is cut off ends at once. With `windowBytesHard` it bounds what absent clients
  /// cost.
  public var awaySessions = 10_000
  /// Requests of the peer that `answerRequests` works on at a time; 64 by default, and more are refused.
  public var requestsAtOnce = 64

  /// The default options.
  public init() {}
}

/// Options that many sessions share.
final class SharedResumeOptions: Sendable {
  let value: ResumeOptions

  init(_ value: ResumeOptions) { self.value = value }
}
