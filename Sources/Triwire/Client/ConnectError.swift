public import TriwireCodec
public import TriwireIO

/// No transport opened a session: every attempt, and why it failed.
public struct ConnectError: Error, Sendable, CustomStringConvertible {
  /// One try with one transport.
  public struct Attempt: Sendable, CustomStringConvertible {
    /// The transport; nil when the trouble came before any was chosen.
    public let transport: TransportKind?
    /// Why it failed.
    public let reason: String
    /// How long it took, in milliseconds.
    public let milliseconds: Double
    /// What TLS has to do with it; nil when nothing.
    public let tls: TLSFailure?
    /// The answer that refused, when one came.
    public let refusal: Refusal?

    /// The attempt, as one line.
    public var description: String {
      "\(transport?.rawValue ?? "connect"): \(reason) (after \(Int(milliseconds)) ms)"
    }
  }

  /// An HTTP answer that opened nothing.
  public struct Refusal: Sendable, Equatable {
    /// Its status.
    public let status: HTTPStatus
    /// The first line of its body, or of its first 1,024 bytes; empty when there was none.
    public let text: String
    /// Whether it came from the proxy, before there was a connection to the server.
    public let isByProxy: Bool
  }

  /// The attempts, in order.
  public let attempts: [Attempt]

  /// All attempts, as one line.
  public var description: String {
    "no transport opened a session: " + attempts.map(\.description).joined(separator: "; ")
  }
}
