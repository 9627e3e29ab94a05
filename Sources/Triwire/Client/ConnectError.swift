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

    /// The attempt, as one line.
    public var description: String {
      "\(transport?.rawValue ?? "connect"): \(reason) (after \(Int(milliseconds)) ms)"
    }
  }

  /// The attempts, in order.
  public let attempts: [Attempt]

  /// All attempts, as one line.
  public var description: String {
    "no transport opened a session: " + attempts.map(\.description).joined(separator: "; ")
  }
}
