import TriwireCodec
import TriwireIO

/// How a session finds out that something on its way cuts what is quiet, and keeps from being quiet.
///
/// Proxies, balancers and address translators let go of a connection that has carried nothing for a
/// while; some after a few seconds. Who comes back each time is late with what was sent meanwhile.
extension ClientLink {
  /// What a loss made the client suspect, until the way back shows whether the network or the server
  /// was the cause.
  struct Suspicion {
    let transport: TransportKind
    /// When the last byte came.
    let quietSince: UInt64
    /// How long the connection was let alone, in milliseconds.
    let lifetime: UInt64
    /// The heartbeats that would have kept it; nil when it was not cut for being quiet.
    let wish: UInt64?
    /// Whether it ended because a heartbeat did not come, so that it was dead before.
    let isMissed: Bool
    /// Whether the transport was silent from its first moment, and is left out meanwhile.
    let isMute: Bool
  }

  /// The part of the time that a quiet connection lived after which the next says something.
  private static let heartbeatPart = 0.6
  /// Nobody is asked to say something more often than that, in milliseconds.
  private static let shortestWish: UInt64 = 1000

  /// Milliseconds between heartbeats that the next request asks for; nil is the server's choice.
  var wishedHeartbeat: UInt64? {
    let known = WishedHeartbeats.shared[authority]
    guard let wish = suspicion?.wish else { return known }
    return min(wish, known ?? .max)
  }

  /// The server said that there was nothing to say for so long as it promised at most.
  func heartbeatCame() { survived = heartbeat.interval }

  /// Notes that a connection, or a poll, was lost on which the last byte had come at `quietSince`;
  /// `isOurs` says that the client ended it.
  func suspect(_ transport: TransportKind, quietSince: UInt64, isOurs: Bool) {
    let now = EventLoop.clock()
    let quiet = (now - min(now, quietSince)) / 1_000_000
    // A heartbeat was missed: the connection was dead before it was due, nobody knows how long.
    let isMissed = quiet >= heartbeat.interval
    guard isMissed || !isOurs else { return }
    let lifetime = min(quiet, heartbeat.interval)
    let wish = max(Self.shortestWish, UInt64(Double(lifetime) * Self.heartbeatPart))
    let isMute =
      isMissed && isOurs && transport != .longPolling && order.count > 1
      && quietSince < attachedAt + fallback.trustSeconds.nanoseconds
    // What was cut within a second was not cut for being quiet, nor what had lived through such a
    // silence before; and what is to say something that often already is not helped by the same.
    let isCut =
      quiet >= Self.shortestWish && lifetime > survived && wish < heartbeat.interval
    guard isCut || isMute else { return }
    suspicion = Suspicion(
      transport: transport, quietSince: quietSince, lifetime: lifetime,
      wish: isCut ? wish : nil, isMissed: isMissed, isMute: isMute)
    if isMute {
      BlockedTransports.shared.add(transport, at: authority, seconds: fallback.rememberSeconds)
    }
  }

  /// The way back is not there, or not to the same server: that was the cause of the loss.
  func dropSuspicion() {
    guard let suspicion else { return }
    self.suspicion = nil
    if suspicion.isMute { BlockedTransports.shared.remove(suspicion.transport, at: authority) }
  }

  /// The network and the server are as they were, so that something between them was the cause.
  func confirmSuspicion() {
    guard let suspicion else { return }
    self.suspicion = nil
    let seconds = { (milliseconds: UInt64) in "\(Double(milliseconds / 100) / 10) s" }
    if suspicion.isMute {
      trace(
        suspicion.transport, "nothing came after it had opened",
        milliseconds: Double(suspicion.lifetime), next: "try the next",
        began: suspicion.quietSince)
    }
    guard let wish = suspicion.wish else { return }
    WishedHeartbeats.shared.add(wish, at: authority, seconds: fallback.rememberSeconds)
    trace(
      suspicion.transport,
      (suspicion.isMissed ? "a heartbeat was missed after " : "cut after ")
        + "\(seconds(suspicion.lifetime)) of silence",
      milliseconds: Double(suspicion.lifetime), next: "ask for a heartbeat each \(seconds(wish))",
      began: suspicion.quietSince)
  }
}
