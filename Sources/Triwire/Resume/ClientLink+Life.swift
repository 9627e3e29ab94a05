import TriwireCodec
import TriwireIO

/// How a session makes sure that its connection works, by itself and when the application asks.
extension ClientLink {
  /// A WebSocket is trusted when a message came back over it, not before.
  func askForEcho() {
    whenTrusted = { [unowned self] in
      BlockedTransports.shared.remove(.webSocket, at: authority)
      lookForBetter()
    }
    awaitEcho(fallback.trustSeconds)
  }

  private func awaitEcho(_ seconds: Double) {
    trust.set(after: seconds.nanoseconds) { [unowned self] in
      // What we do not read we cannot miss.
      if session?.isHeldBack == true { return awaitEcho(seconds) }
      whenTrusted = nil
      guard carrier?.kind == .webSocket else { return }
      trace(
        .webSocket, "no echo within \(fallback.trustSeconds) s",
        milliseconds: fallback.trustSeconds * 1000, next: "try the next")
      if order.count > 1 {
        BlockedTransports.shared.add(
          .webSocket, at: authority, seconds: fallback.rememberSeconds)
      }
      giveUp("no echo within \(fallback.trustSeconds) s")
    }
  }

  /// Lets the present connection go, since it does not work.
  func giveUp(_ why: String) {
    doubt = why
    carrier?.abort()
    doubt = nil
  }

  private func ping(_ done: @escaping () -> Void) {
    lastPing += 1
    whenTrusted = done
    carrier?.sendControl(.ping(lastPing))
    (carrier as? WebSocketTransport)?.stream.flush()
  }

  /// The server gave the session to another of our requests, though we are here.
  ///
  /// What came that late was held back on the way, as a proxy does that waits for an answer's end.
  func movedAway() {
    guard let carrier else { return }
    if order.count > 1 {
      trace(
        carrier.kind, "the server's words come late", milliseconds: 0, next: "try the next")
      BlockedTransports.shared.add(
        carrier.kind, at: authority, seconds: fallback.rememberSeconds)
    }
    giveUp("the server's words come late")
  }

  /// Lets the connection go until `resume`.
  func suspend() {
    isSuspended = true
    stopTrying()
    carrier?.abort()
    // Nothing else would tell a session that sleeps when its loop ends.
    if session != nil { comeBack(after: Self.never) }
  }

  private static let never: UInt64 = 1 << 62

  /// Comes back at once.
  func resume() {
    isSuspended = false
    forgetTheWay()
    if carrier == nil, session != nil, attempts.isEmpty {
      lostAt = EventLoop.clock()
      beginRound()
    } else {
      checkLife(within: 10)
    }
  }

  /// The device may have another network: what was found out about the way is void, and the
  /// connection has to show that it works.
  func networkMayHaveChanged() {
    forgetTheWay()
    checkLife(within: 10)
  }

  private func forgetTheWay() {
    WishedHeartbeats.shared.remove(at: authority)
    dropSuspicion()
  }

  /// Makes sure that the connection still works, and comes back if it does not.
  func checkLife(within seconds: Double) {
    guard carrier != nil else {
      // The network is another one: there is no reason to wait.
      if session != nil, !isSuspended, attempts.isEmpty { beginRound() }
      return
    }
    guard carrier?.kind == .webSocket else {
      carrier?.abort()
      return
    }
    ping {}
    trust.set(after: seconds.nanoseconds) { [unowned self] in
      if session?.isHeldBack == true { return checkLife(within: seconds) }
      carrier?.abort()
    }
  }
}
