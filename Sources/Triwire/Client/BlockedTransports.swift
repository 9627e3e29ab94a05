import TriwireIO

/// What the clients of this process found out about servers: which transports do not get through.
final class BlockedTransports: Sendable {
  static let shared = BlockedTransports()

  private struct Key: Hashable {
    let authority: String
    let transport: TransportKind
  }

  private let until = Guarded<[Key: UInt64]>([:])
  private static let most = 1024

  /// Leaves a transport out for a while.
  func add(_ transport: TransportKind, at authority: String, seconds: Double) {
    let end = EventLoop.clock() + seconds.nanoseconds
    until.withLock { until in
      if until.count >= Self.most {
        let now = EventLoop.clock()
        until = until.filter { $0.value > now }
        if until.count >= Self.most { until = [:] }
      }
      until[Key(authority: authority, transport: transport)] = end
    }
  }

  /// A transport got through.
  func remove(_ transport: TransportKind, at authority: String) {
    until.withLock { $0[Key(authority: authority, transport: transport)] = nil }
  }

  func contains(_ transport: TransportKind, at authority: String) -> Bool {
    until.withLock { until in
      until[Key(authority: authority, transport: transport)].map { $0 > EventLoop.clock() } ?? false
    }
  }
}
