import TriwireCodec

/// How what survives its connections takes a session over.
extension Session {
  /// Keeps the session exact from now on, whatever carries it.
  func link(by link: SessionLink) {
    needRare().link = link
    hasDetour = true
    needRare().onControl = nil
    needRare().onClose = nil
    link.session = self
  }

  /// The bytes of messages that wait for a reader.
  var unreadBytes: Int { Int(inbox.bytes) }

  /// Whether the peer has to wait for the reader.
  var isHeldBack: Bool { isBlocked }

  /// Whether no more waits for the reader than a peer with the same options may have under way.
  func hasRoom(for options: ResumeOptions) -> Bool {
    inbox.bytes < options.windowBytesHard && inbox.count < 4 * options.windowMessages
  }

  /// What keeps it exact, if anything does.
  var link: SessionLink? { rare?.link }
  var linkHistory: SessionLink.History? { rare?.link?.history ?? rare?.past?.link }

  /// Another connection carries the session; nil while there is none.
  func carry(by carrier: (any LinkCarrier)?) {
    self.carrier = carrier
    if let carrier { transport = carrier.kind }
  }

  /// Ends the session without a word to the peer, on the loop.
  func abortNow() {
    if let link = rare?.link { link.abort() } else { carrier?.abort() }
  }

  /// Gives its connection to another session, and is over without a word.
  func surrender() -> (any LinkCarrier)? {
    let carrier = carrier as? any LinkCarrier
    self.carrier = nil
    state = .ended
    rare?.expiry?.cancel(on: loop)
    rare?.expiry = nil
    rare?.onControl = nil
    return carrier
  }

  /// Hands control lines to `body` until the session is linked.
  func onControl(_ body: ((ControlLine) -> Void)?) {
    needRare().onControl = body
    hasDetour = true
  }

  func recovered(_ recovery: SessionRecovery) { rare?.onRecovery?(recovery) }

  func setOnRecovery(_ body: @escaping (SessionRecovery) -> Void) { needRare().onRecovery = body }

  func setOpening(_ opening: Opening) { needRare().opening = OpeningTimes(opening) }

  func deliverLinked(_ kind: MessageKind, _ payload: Span<UInt8>) -> Bool {
    if let link = rare?.link { return link.deliver(kind, payload) }
    if rare?.onControl != nil, isControl(kind, payload) { return true }
    return accept(kind, payload)
  }

  /// Reads a control line of a WebSocket that is about to carry a resumable session.
  private func isControl(_ kind: MessageKind, _ payload: Span<UInt8>) -> Bool {
    guard transport == .webSocket, kind == .text, payload.count > 0, payload[0] == 0 else {
      return false
    }
    (carrier as? WebSocketTransport)?.countControl(payload.count)
    let text = Message(.text, copying: payload.extracting(1..<payload.count)).text
    if let line = ControlLine(text) { control(line) }
    return true
  }

  /// A control line came on the connection that carries the session.
  func control(_ line: ControlLine) {
    if let link = rare?.link { link.control(line) } else { rare?.onControl?(line) }
  }
}
