import TriwireCodec
import TriwireIO

/// The resumable sessions of a server, by path and name, for all its loops.
final class ResumableSessions: Sendable {
  private struct State {
    var live: [SessionDirectory.Key: ServerLink] = [:]
    /// How those ended that are gone, so that a client that comes late learns it.
    var ends: [SessionDirectory.Key: SessionEnd] = [:]
    /// Their keys, the oldest first.
    var order: [SessionDirectory.Key] = []
    var away = 0
  }

  private let state = Guarded(State())
  /// Ends that are remembered.
  private static let mostEnds = 4096

  enum Found {
    case live(ServerLink)
    case ended(SessionEnd)
  }

  /// The session of that name, or the one that `make` makes for it.
  func find(_ key: SessionDirectory.Key, or make: () -> ServerLink) -> Found {
    state.withLock { state in
      if let link = state.live[key] { return .live(link) }
      if let end = state.ends[key] { return .ended(end) }
      let link = make()
      state.live[key] = link
      return .live(link)
    }
  }

  /// The session of that name, if there is or was one.
  func find(_ key: SessionDirectory.Key) -> Found? {
    state.withLock { state in
      state.live[key].map { .live($0) } ?? state.ends[key].map { .ended($0) }
    }
  }

  /// A session ended; one that its client did not end on purpose may be opened again by its name.
  func remove(_ key: SessionDirectory.Key, _ link: ServerLink, _ end: SessionEnd) {
    state.withLock { state in
      guard state.live[key] === link else { return }
      state.live[key] = nil
      if [.abnormal, .serviceRestart, .tryAgainLater].contains(end.code) { return }
      if state.ends.updateValue(end, forKey: key) == nil { state.order.append(key) }
      if state.order.count > Self.mostEnds {
        for key in state.order.prefix(Self.mostEnds / 2) { state.ends[key] = nil }
        state.order.removeFirst(Self.mostEnds / 2)
      }
    }
  }

  /// Notes that one more session has no connection.
  ///
  /// - Returns: false when there are too many already.
  func leave(limit: Int) -> Bool {
    state.withLock { state in
      guard state.away < limit else { return false }
      state.away += 1
      return true
    }
  }

  /// Notes that a session that had no connection has one, or has ended.
  func comeBack() { state.withLock { $0.away -= 1 } }
}
