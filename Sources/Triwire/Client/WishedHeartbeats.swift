import TriwireIO

/// What the clients of this process found out about the ways to servers: how often a connection has
/// to say something, so that nothing cuts it for being quiet.
final class WishedHeartbeats: Sendable {
  static let shared = WishedHeartbeats()

  private struct Wish {
    let milliseconds: UInt64
    let until: UInt64
  }

  private let wishes = Guarded<[String: Wish]>([:])
  private static let most = 1024

  /// Wishes for heartbeats for a while, unless shorter ones are wished for already.
  func add(_ milliseconds: UInt64, at authority: String, seconds: Double) {
    let now = EventLoop.clock()
    wishes.withLock { wishes in
      if let other = wishes[authority], other.until > now, other.milliseconds < milliseconds {
        return
      }
      if wishes.count >= Self.most {
        wishes = wishes.filter { $0.value.until > now }
        if wishes.count >= Self.most { wishes = [:] }
      }
      wishes[authority] = Wish(milliseconds: milliseconds, until: now + seconds.nanoseconds)
    }
  }

  /// The way to a server may be another one now.
  func remove(at authority: String) { wishes.withLock { $0[authority] = nil } }

  /// Milliseconds between the heartbeats to wish for; nil when the server's own do.
  subscript(authority: String) -> UInt64? {
    wishes.withLock { wishes in
      wishes[authority].flatMap { $0.until > EventLoop.clock() ? $0.milliseconds : nil }
    }
  }
}
