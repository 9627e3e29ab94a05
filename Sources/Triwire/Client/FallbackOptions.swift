/// How a client chooses its transport, how it comes back, and when it tries a better one.
public struct FallbackOptions: Sendable, Equatable {
  /// Seconds an attempt may take from the first packet until the server has said hello over the
  /// transport; 10 by default.
  public var attemptSeconds = 10.0
  /// Seconds after which the next transport is tried beside one that has not answered; 2 by default.
  public var staggerSeconds = 2.0
  /// Seconds within which a message has to come back over a new WebSocket before it is trusted; 2.5
  /// by default, as there are proxies that let the handshake through and nothing else.
  public var trustSeconds = 2.5
  /// Seconds a transport that was found blocked is left out, and for which heartbeats are asked for
  /// that keep what is quiet from being cut; 300 by default.
  ///
  /// All clients of a process share what they found out about a server.
  public var rememberSeconds = 300.0
  /// Seconds after which a session looks for a better transport than the one it has; 30 by default.
  ///
  /// Each time that fails it waits twice as long, at most `rememberSeconds`.
  public var betterSeconds = 30.0
  /// Seconds of the first wait before coming back; 0.5 by default.
  ///
  /// Each further wait may be twice as long; the real one is drawn between a fifth of it and all, so
  /// that clients that lost a server together do not come back together.
  public var backoffSeconds = 0.5
  /// The longest wait before coming back, in seconds; 20 by default.
  public var backoffLimitSeconds = 20.0
  /// Seconds a session has to hold before the waits begin small again; 60 by default.
  public var healthySeconds = 60.0
  /// Seconds without a connection after which the session is given up; 300 by default.
  public var giveUpSeconds = 300.0
  /// Seconds the answer to a POST may take before the way up counts as blocked; 10 by default.
  public var postSeconds = 10.0
  /// Seconds that the connection for POSTs is kept without one; 10 by default.
  ///
  /// An idle session costs its server less without. The next message opens it again, which takes a
  /// round trip, and one more with TLS.
  public var postIdleSeconds = 10.0

  /// The default options.
  public init() {}
}

/// One try of a client to reach its server over one transport.
public struct TransportAttempt: Sendable, Equatable, CustomStringConvertible {
  /// The transport.
  public let transport: TransportKind
  /// What came of it: "open", or why not.
  public let outcome: String
  /// How long it took, in milliseconds.
  public let milliseconds: Double
  /// When it began, in milliseconds after the client's first.
  public let began: Double
  /// What the client does next.
  public let next: String

  /// The attempt, as one line.
  public var description: String {
    "+\(Int(began)) ms \(transport.rawValue): \(outcome) (\(Int(milliseconds)) ms), then \(next)"
  }
}

/// The waits of a client that comes back: longer each time, and never the same for two.
struct Backoff {
  private let options: FallbackOptions
  private var failures = 0

  init(_ options: FallbackOptions) { self.options = options }

  /// The next wait, in nanoseconds; never none.
  mutating func next() -> UInt64 {
    let longest = min(
      options.backoffSeconds * Double(1 << min(failures, 20)), options.backoffLimitSeconds)
    failures += 1
    return max(1_000_000, Double.random(in: longest / 5...longest).nanoseconds)
  }

  mutating func reset() { failures = 0 }
}
