extension Session {
  /// What few of many sessions need, so that an idle one does without.
  @safe final class Rare {
    /// Known when it has ended.
    var past: Past?
    /// Known on the client's side.
    var opening: OpeningTimes?
    /// What the WebSocket handshake agreed on.
    var subprotocol: String?
    /// Known on the server's side.
    var peerCertificateSubject: String?
    var expiry: SessionExpiry?
    /// What keeps a resumable session exact.
    var link: SessionLink?
    /// What its peer cannot keep up with.
    var slowConsumer: SlowConsumer?
    /// Who hears the control lines before a link does.
    var onControl: ((ControlLine) -> Void)?
    var onRecovery: ((SessionRecovery) -> Void)?
    var onClose: ((SessionEnd) -> Void)?
    /// Whether `onMessage` gets no more until the peer has caught up.
    var readsOnWhenDrained = false
    var drainWaiters: [UnsafeContinuation<Void, Never>] = unsafe []
    var endWaiters: [UnsafeContinuation<SessionEnd, Never>] = unsafe []
  }

  /// What outlives the session.
  final class Past {
    let end: SessionEnd
    let traffic: Traffic
    var link: SessionLink.History?

    init(_ end: SessionEnd, _ traffic: Traffic) {
      self.end = end
      self.traffic = traffic
    }
  }

  /// Apart, as a server's sessions have none.
  final class OpeningTimes {
    var times: Opening

    init(_ times: Opening) { self.times = times }
  }

  enum Delivery {
    case message(Message)
    case end(SessionEnd)
  }
}
