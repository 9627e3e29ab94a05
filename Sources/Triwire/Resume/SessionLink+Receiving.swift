import TriwireCodec
import TriwireIO

/// What comes over the connections of a session: each message once, and word of it back.
extension SessionLink {
  /// So much is acknowledged at once; less waits a little for company.
  private static let tellBytes = 32 * 1024
  private static let tellMessages: UInt64 = 256
  private static let tellNanoseconds: UInt64 = 500_000_000

  /// A message came, or a control line of a WebSocket.
  ///
  /// - Returns: false when no more should be delivered for now.
  func deliver(_ kind: MessageKind, _ payload: Span<UInt8>) -> Bool {
    guard let session else { return true }
    if kind == .text, payload.count > 0, payload[0] == 0, session.transport == .webSocket {
      let rest = payload.extracting(1..<payload.count)
      if rest.count > 0, rest[0] == 0 || RequestEnvelope.isOne(rest) { return take(kind, payload) }
      (session.carrier as? WebSocketTransport)?.countControl(payload.count)
      if let line = ControlLine(Message(.text, copying: rest).text) { control(line) }
      return true
    }
    return take(kind, payload)
  }

  /// Calls `body`, which takes messages that came beside the present connection, the first of them
  /// with an offset.
  func bring(from offset: UInt64, _ body: () -> Void) {
    let present = arriving
    arriving = offset - 1
    body()
    // A message that came on both ways is new on neither.
    arriving = present
  }

  /// Takes the next message.
  ///
  /// - Returns: false when no more should be delivered for now.
  func take(_ kind: MessageKind, _ payload: Span<UInt8>) -> Bool {
    guard let session else { return true }
    arriving += 1
    guard arriving > received else {
      needRetired().counters.repeated += 1
      return true
    }
    received = arriving
    untoldBytes += payload.count
    let goesOn = pass(kind, payload, to: session)
    tellSoon()
    return goesOn || needsTelling && session.hasRoom(for: options)
  }

  private func pass(_ kind: MessageKind, _ payload: Span<UInt8>, to session: Session) -> Bool {
    guard kind == .text, payload.count > 0, payload[0] == 0 else {
      return session.accept(kind, payload)
    }
    let rest = payload.extracting(1..<payload.count)
    if rest.count > 0, rest[0] == 0 { return session.accept(kind, rest) }
    if let envelope = RequestEnvelope(rest) { desk.receive(envelope) }
    return true
  }

  /// Tells the peer what came, so that it sends more, unless the reader is behind.
  ///
  /// On a WebSocket the peer's own word of what came stands between its messages. Whoever stopped
  /// reading those would not hear it, and two ends that wait to send would wait for ever: what holds
  /// the peer back is that nobody tells it, and its window.
  func tellSoon() {
    guard needsTelling, session?.isHeldBack != true else { return }
    if untoldBytes >= Self.tellBytes || received - told >= Self.tellMessages {
      tell()
    } else if tellTimer == nil {
      tellTimer = loop.wheel.arm(TellTimer(self), at: loop.now + Self.tellNanoseconds)
    }
  }

  func tell() {
    guard received > told, let carrier else { return }
    noteTold()
    carrier.sendControl(.acknowledge(received))
  }

  /// The peer knows how many messages came, as a request said so.
  func noteTold() {
    told = received
    untoldBytes = 0
  }

  fileprivate func tellTimerFired() {
    tellTimer = nil
    guard session?.isHeldBack != true else { return }
    tell()
    (carrier as? WebSocketTransport)?.stream.flush()
  }
}

/// Acknowledges what came when nothing else did.
private final class TellTimer: TimerOwner {
  private weak var link: SessionLink?

  init(_ link: SessionLink) { self.link = link }

  func timerFired(now: UInt64) -> UInt64 {
    link?.tellTimerFired()
    return 0
  }
}
