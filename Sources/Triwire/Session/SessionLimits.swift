import TriwireCodec
import TriwireIO

/// What a session may hold and how long it waits; each a bound with a reason.
public struct SessionLimits: Sendable, Equatable {
  /// The longest message, in bytes; 1 MiB by default.
  ///
  /// Large enough not to surprise, and small enough that a thousand peers who announce one do not
  /// exhaust the memory. Beyond it the session closes with 1009.
  public var messageBytes = 1 << 20

  /// The longest frame of a WebSocket, in bytes; as long as a message by default.
  public var frameBytes = Int.max

  /// The most frames that make one message on a WebSocket; 131,072 by default.
  ///
  /// Empty frames add nothing to a message's length, so that only this ends them. Beyond it the
  /// session closes with 1009.
  public var fragments = 131_072

  /// Seconds without a message either way after which a session is closed with 1001; none by
  /// default.
  public var idleSeconds: Double?

  /// Seconds after which a session is closed with 1001, so that clients spread over servers again;
  /// none by default.
  ///
  /// A tenth of it, drawn at random, is added or taken away.
  public var lifetimeSeconds: Double?

  /// How much may wait to be sent before `send` suspends, in bytes; 64 KiB by default.
  public var queuedBytes = 64 * 1024

  /// How much may wait before a session that does not heed `queued` is closed with 1013, in bytes;
  /// 1 MiB by default.
  ///
  /// It bounds what a slow reader of a topic costs. Of no account when `slowConsumer` drops messages.
  public var queuedBytesHard = 1 << 20

  /// What happens to messages for a peer that reads too slowly; `.suspend` by default, which loses
  /// none.
  public var slowConsumer = SlowConsumerPolicy.suspend

  /// Messages that wait for a slow peer before some are dropped, if `slowConsumer` says so; 1,024 by
  /// default.
  ///
  /// They come on top of the `queuedBytes` that were handed on. 0 drops each message that finds the
  /// peer behind.
  public var slowConsumerMessages = 1024

  /// Bytes of messages and their keys that wait for a slow peer before some are dropped, if
  /// `slowConsumer` says so; 1 MiB by default.
  ///
  /// One message always fits.
  public var slowConsumerBytes = 1 << 20

  /// Seconds without a byte from the peer after which it is asked for one; 25 by default, which
  /// is less than the 30 to 60 after which common proxies cut an idle connection.
  public var heartbeatSeconds = 25.0

  /// The shortest `heartbeatSeconds` that the client of a resumable session may ask for, in seconds;
  /// 1 by default.
  ///
  /// A client asks when something on its way cuts connections that are quiet for less than
  /// `heartbeatSeconds`. What it asks for costs one small write and one small read that often. Of no
  /// account on the client's side.
  public var heartbeatSecondsLeast = 1.0

  /// Seconds the answer to a heartbeat may take before the session counts as lost; 20 by default.
  public var heartbeatGraceSeconds = 20.0

  /// Seconds the peer's half of a close may take; 5 by default.
  public var closeSeconds = 5.0

  /// Seconds a poll is held when there is nothing to say; 25 by default, and the most.
  ///
  /// A resumable session's is held no longer than `heartbeatSeconds`, which its client counts on.
  public var pollHoldSeconds = 25.0

  /// Seconds a long-polling session lives without a poll; 30 by default.
  public var pollGapSeconds = 30.0

  /// Bytes of messages that one poll carries; 256 KiB by default.
  ///
  /// One message always fits.
  public var pollBatchBytes = 256 * 1024

  /// The default limits.
  public init() {}

  /// Milliseconds between heartbeats for a client that wishes for so many; nil is no wish.
  func heartbeatMilliseconds(wished: UInt64?) -> UInt64 {
    let own = heartbeatSeconds.nanoseconds / 1_000_000
    guard let wished else { return own }
    // In steps, so that many clients share the limits that they get.
    return min(own, max(wished / 100 * 100, heartbeatSecondsLeast.nanoseconds / 1_000_000))
  }
}

/// The limits that many sessions share, so that each costs a reference and no copy.
final class SharedLimits: Sendable {
  let value: SessionLimits
  /// Those of WebSocket frames.
  let frames: WebSocketCodec.Limits
  /// How much may wait in a carrier before messages do not simply pass.
  let fullBytes: Int
  /// The same limits with shorter heartbeats, by their milliseconds, for who asked for such.
  private let shorter = Guarded<[UInt64: SharedLimits]>([:])
  private static let mostHastened = 256

  init(_ value: SessionLimits) {
    self.value = value
    fullBytes = value.slowConsumer.drops ? value.queuedBytes : value.queuedBytesHard
    frames = WebSocketCodec.Limits(
      messageBytes: value.messageBytes, frameBytes: value.frameBytes, fragments: value.fragments)
  }

  /// The limits of a connection whose client wishes for so many milliseconds between heartbeats.
  func hastened(to wished: UInt64?) -> SharedLimits {
    let agreed = value.heartbeatMilliseconds(wished: wished)
    guard agreed < value.heartbeatMilliseconds(wished: nil) else { return self }
    return shorter.withLock { shorter in
      if let limits = shorter[agreed] { return limits }
      var value = value
      value.heartbeatSeconds = Double(agreed) / 1000
      let limits = SharedLimits(value)
      if shorter.count < Self.mostHastened { shorter[agreed] = limits }
      return limits
    }
  }
}

extension Double {
  /// Seconds as whole nanoseconds, none when negative or not a number.
  var nanoseconds: UInt64 { self > 0 ? UInt64(min(self, 1e9) * 1e9) : 0 }
}
