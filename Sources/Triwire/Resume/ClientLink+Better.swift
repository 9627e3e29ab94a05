import TriwireCodec
import TriwireIO

/// How a session that is not on its best transport looks for a better one, and moves up.
extension ClientLink {
  /// Looks for a better transport after a while; `soon` when the last look was but a glance.
  func lookForBetter(soon: Bool = false) {
    better.cancel()
    guard let kind = carrier?.kind, let place = order.firstIndex(of: kind), place > 0 else {
      betterSeconds = fallback.betterSeconds
      return
    }
    let seconds = soon ? min(fallback.trustSeconds, betterSeconds) : betterSeconds
    better.set(after: seconds.nanoseconds) { [unowned self] in
      tryBetter(Array(order[..<place]))
    }
  }

  private func tryBetter(_ kinds: [TransportKind]) {
    guard let dialer, let kind = kinds.first, carrier != nil else { return lookForBetter() }
    let attempt = ClientAttempt(
      kind, isProbe: true, dialer, seconds: fallback.attemptSeconds
    ) { [unowned self] in probed($0, $1, Array(kinds.dropFirst())) }
    probe = attempt
    attempt.start()
  }

  private func probed(
    _ attempt: ClientAttempt, _ outcome: ClientAttempt.Outcome, _ others: [TransportKind]
  ) {
    probe = nil
    switch outcome {
    case .failed(let failure):
      note(attempt, failure.reason, next: "stay")
      if !others.isEmpty { return tryBetter(others) }
      betterSeconds = min(betterSeconds * 2, fallback.rememberSeconds)
      lookForBetter()
    case .hello(let holder, let hello):
      BlockedTransports.shared.remove(attempt.transport, at: authority)
      guard carrier != nil, session?.isOpen == true else { return holder.abortNow() }
      note(attempt, "open", next: "move up")
      attempt.transport == .webSocket ? moveUp(holder, hello) : moveUp(to: attempt, holder)
    }
  }

  /// Moves to a WebSocket when it has shown that messages come back over it.
  private func moveUp(_ holder: Session, _ hello: ControlLine.Hello) {
    lastPing += 1
    let number = lastPing
    mover = holder
    trust.set(after: fallback.trustSeconds.nanoseconds) { [unowned self] in
      stopLooking()
      betterSeconds = min(betterSeconds * 2, fallback.rememberSeconds)
      lookForBetter()
    }
    holder.onControl { [weak self, unowned holder] line in
      guard let self, mover === holder, line == .pong(number) else { return }
      mover = nil
      trust.cancel()
      guard holder.carrier != nil, session?.isOpen == true else {
        return holder.abortNow()
      }
      adopt(holder, hello, startingAfter: received, startsPing: false)
      lookForBetter()
    }
    (holder.carrier as? any LinkCarrier)?.sendControl(.ping(number))
  }

  /// Events get through: the session is opened over them anew.
  private func moveUp(to attempt: ClientAttempt, _ holder: Session) {
    holder.abortNow()
    candidates = [attempt.transport]
    failures = []
    startNext()
  }
}
