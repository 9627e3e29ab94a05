import TriwireCodec
import TriwireIO

/// How a session finds a transport that works: one attempt after the other, or beside it.
extension ClientLink {
  func beginRound() {
    stopTrying()
    let free = order.filter { !BlockedTransports.shared.contains($0, at: authority) }
    candidates = free.isEmpty ? order : free
    startNext()
  }

  func stopTrying() {
    retry.cancel()
    stagger.cancel()
    for attempt in attempts { attempt.cancel() }
    attempts = []
    candidates = []
    failures = []
  }

  func startNext() {
    guard let dialer, !candidates.isEmpty else { return }
    let attempt = ClientAttempt(
      candidates.removeFirst(), isProbe: false, dialer, seconds: fallback.attemptSeconds
    ) { [unowned self] in ended($0, $1) }
    attempts.append(attempt)
    if !candidates.isEmpty {
      // A slow transport is not waited for, and not given up either.
      stagger.set(after: fallback.staggerSeconds.nanoseconds) { [unowned self] in startNext() }
    }
    attempt.start()
  }

  private func ended(_ attempt: ClientAttempt, _ outcome: ClientAttempt.Outcome) {
    attempts.removeAll { $0 === attempt }
    switch outcome {
    case .hello(let holder, let hello): succeeded(attempt, holder, hello)
    case .failed(let failure): failed(attempt, failure)
    }
  }

  private func failed(_ attempt: ClientAttempt, _ failure: ClientAttempt.Failure) {
    failures.append((attempt, failure))
    if !failure.tellsOfBlock { dropSuspicion() }
    if let end = failure.end, opened == nil {
      note(attempt, failure.reason, next: "end")
      stopTrying()
      return finish(end)
    }
    // What is wrong with a certificate is wrong for every transport; a network that is down is
    // down for all, though a first connection tells what became of each.
    let isDown = failure.isNetwork && opened == nil
    if failure.tls != nil || isDown || !loop.running { candidates = [] }
    if let next = candidates.first {
      note(attempt, failure.reason, next: next.rawValue)
      stagger.cancel()
      return startNext()
    }
    if let other = attempts.last {
      return note(attempt, failure.reason, next: "wait for \(other.transport.rawValue)")
    }
    roundFailed(attempt, failure)
  }

  private func roundFailed(_ attempt: ClientAttempt, _ failure: ClientAttempt.Failure) {
    if let opened {
      note(attempt, failure.reason, next: "give up")
      self.opened = nil
      let tries = failures.map {
        ConnectError.Attempt(
          transport: $0.attempt.transport, reason: $0.failure.reason,
          milliseconds: $0.attempt.milliseconds, tls: $0.failure.tls, refusal: $0.failure.refusal)
      }
      letGo()
      return opened(.failure(ConnectError(attempts: tries)))
    }
    guard loop.running else { return loopStopped() }
    if carrier != nil {
      // It was a move to a better transport: the present one still works.
      note(attempt, failure.reason, next: "stay")
      failures = []
      betterSeconds = min(betterSeconds * 2, fallback.rememberSeconds)
      return lookForBetter()
    }
    let away = EventLoop.clock() - lostAt
    guard away < fallback.giveUpSeconds.nanoseconds else {
      note(attempt, failure.reason, next: "give up")
      return finish(
        SessionEnd(
          code: .abnormal,
          reason: "no way back for \(fallback.giveUpSeconds) s: \(failure.reason)"))
    }
    let wait = backoff.next()
    note(attempt, failure.reason, next: "wait \(wait / 1_000_000) ms")
    comeBack(after: wait)
  }
}
