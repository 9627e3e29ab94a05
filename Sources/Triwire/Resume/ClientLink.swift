import TriwireCodec
import TriwireIO

/// The client's end of a resumable session: finds a transport that works, comes back when it fails,
/// and moves up when a better one gets through.
final class ClientLink: SessionLink, @unchecked Sendable {
  private let name = SessionToken.newName()
  private let secret = SessionDirectory.newName()
  let fallback: FallbackOptions
  let order: [TransportKind]
  let authority: String
  private let born = EventLoop.clock()
  /// Set before anything begins, and let go at the end: the dialer names its link in each request,
  /// so each holds the other.
  var dialer: Dialer?

  var opened: ((Result<Session, ConnectError>) -> Void)?
  /// What is under way, in the order it began.
  var attempts: [ClientAttempt] = []
  /// What the present round has still to try.
  var candidates: [TransportKind] = []
  var failures: [(attempt: ClientAttempt, failure: ClientAttempt.Failure)] = []
  /// A look for a better transport.
  var probe: ClientAttempt?
  /// A better connection that has yet to show that messages come back over it.
  var mover: Session?
  var backoff: Backoff
  var betterSeconds: Double
  private(set) var attachedAt: UInt64 = 0
  var lostAt: UInt64 = 0
  /// Why the client itself gave the present connection up.
  var doubt: String?
  private var cause: String?
  private var attemptCount: UInt64 = 0
  var lastPing: UInt64 = 0
  var whenTrusted: (() -> Void)?
  private var drainMilliseconds: UInt64?
  var isSuspended = false
  /// What the server promised on the present connection, in milliseconds.
  private(set) var heartbeat: (interval: UInt64, grace: UInt64) = (25_000, 20_000)
  /// The longest silence that the present connection is known to have lived through, in
  /// milliseconds; what ends it after a shorter one has another reason.
  var survived: UInt64 = 0
  var suspicion: Suspicion?
  let retry: Alarm
  let stagger: Alarm
  let trust: Alarm
  let better: Alarm
  private let drain: Alarm
  private(set) var trace: [TransportAttempt] = []

  private static let mostTraced = 64

  init(
    _ fallback: FallbackOptions, _ options: ResumeOptions, over order: [TransportKind],
    to authority: String, on loop: EventLoop
  ) {
    self.fallback = fallback
    self.order = order
    self.authority = authority
    backoff = Backoff(fallback)
    betterSeconds = fallback.betterSeconds
    retry = Alarm(loop)
    stagger = Alarm(loop)
    trust = Alarm(loop)
    better = Alarm(loop)
    drain = Alarm(loop)
    super.init(epoch: "", options: SharedResumeOptions(options), loop: loop)
  }

  /// What a request says of the session.
  func token(isProbe: Bool) -> SessionToken {
    var token = SessionToken(
      name: name, secret: secret, epoch: epoch.isEmpty ? nil : epoch, received: received)
    token.isProbe = isProbe
    token.heartbeat = wishedHeartbeat
    if !isProbe { noteTold() }
    return token
  }

  /// Milliseconds of silence after which the server is gone.
  var silence: UInt64 { (heartbeat.interval + heartbeat.grace) * 1_000_000 }
  var postNanoseconds: UInt64 { fallback.postSeconds.nanoseconds }
  var postIdleNanoseconds: UInt64 { fallback.postIdleSeconds.nanoseconds }

  override var counters: ResumeCounters {
    var counters = super.counters
    counters.attempts = attemptCount
    return counters
  }

  override var history: History { History(counters: counters, attempts: trace) }

  /// Opens the session; `done` is called once, on the loop.
  func open(_ done: @escaping (Result<Session, ConnectError>) -> Void) {
    opened = done
    lostAt = born
    beginRound()
  }

  /// Nobody waits for the session any more.
  func cancelOpening() {
    guard let opened else { return }
    self.opened = nil
    letGo()
    opened(.failure(ConnectError(attempts: [])))
  }

  // MARK: A connection

  func succeeded(
    _ attempt: ClientAttempt, _ holder: Session, _ hello: ControlLine.Hello
  ) {
    hello.epoch == epoch ? confirmSuspicion() : dropSuspicion()
    var isOneSilent = false
    for other in attempts {
      note(
        other, "no answer yet (\(other.phase))",
        next: "leave it to \(attempt.transport.rawValue)")
      // This one began later and has its answer: something holds the other's back.
      guard other.hasWaited(fallback.staggerSeconds / 2) else { continue }
      isOneSilent = true
      BlockedTransports.shared.add(
        other.transport, at: authority, seconds: fallback.rememberSeconds)
    }
    note(attempt, "open", next: attempt.transport == .webSocket ? "wait for its echo" : "stay")
    // What got an answer from the network and yet did not open, where this one did, is blocked.
    for (other, failure) in failures where failure.tellsOfBlock {
      BlockedTransports.shared.add(
        other.transport, at: authority, seconds: fallback.rememberSeconds)
    }
    // Or the server was slow, or not there, for a moment, which the next look shows.
    let isDoubtful = isOneSilent || failures.contains { !$0.failure.tellsOfBlock }
    stopTrying()
    adopt(holder, hello, startingAfter: hello.start)
    if attempt.transport == .webSocket { askForEcho() } else { lookForBetter(soon: isDoubtful) }
  }

  /// Lets a connection carry the session.
  func adopt(
    _ holder: Session, _ hello: ControlLine.Hello, startingAfter start: UInt64,
    startsPing: Bool = true
  ) {
    heartbeat = (hello.heartbeat, hello.grace)
    // Both sides find a dead connection in the time that they agreed on.
    (holder.carrier as? WebSocketTransport)?.hasten(to: hello.heartbeat)
    let away = carrier == nil ? Double(EventLoop.clock() - lostAt) / 1e6 : 0
    let cause = carrier == nil ? cause : nil
    attachedAt = EventLoop.clock()
    survived = 0
    drainMilliseconds = nil
    guard let session else {
      epoch = hello.epoch
      holder.link(by: self)
      carrier?.startSending(after: 0)
      if carrier?.kind == .webSocket {
        lastPing += 1
        carrier?.sendControl(.ping(lastPing))
      }
      let opened = opened
      self.opened = nil
      opened?(.success(holder))
      return
    }
    guard let carrier = holder.surrender() else { return }
    carrier.move(to: session)
    var unacknowledged = 0
    var missed: UInt64? = 0
    var start = start
    if hello.epoch != epoch {
      // What was received counts for the life before.
      start = hello.start
      let known = !epoch.isEmpty
      unacknowledged = restart(epoch: hello.epoch)
      missed = known ? nil : 0
    } else if start > received {
      missed = start - received
      skip(to: start)
    }
    carrier.startSending(after: max(hello.received, window.acknowledged))
    if carrier.kind == .webSocket {
      let first = max(hello.received, window.acknowledged)
      carrier.sendControl(.use(received: received, start: first))
      // Before all that might have to wait for a reader.
      if startsPing {
        lastPing += 1
        carrier.sendControl(.ping(lastPing))
      }
    }
    attach(carrier, has: hello.received, start: start)
    session.recovered(
      SessionRecovery(
        recovered: missed == 0, transport: carrier.kind, missed: missed,
        unacknowledged: unacknowledged, milliseconds: away, cause: cause))
  }

  override var needsTelling: Bool {
    switch carrier?.kind {
    case .webSocket, .serverSentEvents: true
    case .longPolling, nil: false
    }
  }

  override func control(_ line: ControlLine) {
    switch line {
    case .pong(lastPing):
      trust.cancel()
      let done = whenTrusted
      whenTrusted = nil
      done?()
    case .drain(let milliseconds):
      drainMilliseconds = milliseconds
      // Not before the server had time to say so to all, and not all at once.
      drain.set(after: UInt64.random(in: 0...max(1, milliseconds)) * 1_000_000) {
        [unowned self] in carrier?.abort()
      }
    case .moved: movedAway()
    case .hello(let hello) where hello.epoch != epoch:
      // A poll has found another life of the session, so that what it brings has other offsets.
      giveUp("the server has forgotten the session")
    case .hello, .use, .pong, .acknowledge, .ping: super.control(line)
    }
  }

  // MARK: Loss and return

  override func mayReturn(after end: SessionEnd) -> Bool {
    // A loop that was stopped dials no more.
    guard loop.running else { return false }
    if super.mayReturn(after: end) { return true }
    guard !end.isLocal, session?.isOpen == true else { return false }
    return [.goingAway, .serviceRestart, .tryAgainLater].contains(end.code)
  }

  override func lost(_ end: SessionEnd, _ carrier: (any LinkCarrier)?) {
    lostAt = EventLoop.clock()
    cause = doubt ?? end.reason
    trust.cancel()
    whenTrusted = nil
    better.cancel()
    drain.cancel()
    stopLooking()
    guard !isSuspended else { return }
    if end.code == .abnormal, let carrier, let lastArrival = carrier.lastArrival {
      suspect(carrier.kind, quietSince: lastArrival, isOurs: end.isLocal)
    }
    if attachedAt + fallback.healthySeconds.nanoseconds < lostAt { backoff.reset() }
    var wait = backoff.next()
    if let milliseconds = drainMilliseconds {
      wait = max(wait, UInt64.random(in: 0...max(1, milliseconds)) * 1_000_000)
    } else if end.code == .tryAgainLater {
      wait = max(wait, fallback.backoffLimitSeconds.nanoseconds / 4)
    }
    comeBack(after: wait)
  }

  /// Tries to come back when some time has passed.
  func comeBack(after nanoseconds: UInt64) {
    retry.set(after: nanoseconds, orphaned: { [unowned self] in loopStopped() }) {
      [unowned self] in beginRound()
    }
  }

  /// A loop that was stopped brings nobody back.
  func loopStopped() {
    finish(SessionEnd(code: .abnormal, reason: "its event loop was stopped", isLocal: true))
  }

  override func ended(_ end: SessionEnd) {
    letGo()
    super.ended(end)
  }

  /// Ends all that is under way, for good.
  func letGo() {
    stopTrying()
    stopLooking()
    for alarm in [trust, better, drain] { alarm.cancel() }
    whenTrusted = nil
    dialer = nil
  }

  func stopLooking() {
    probe?.cancel()
    probe = nil
    mover?.abortNow()
    mover = nil
  }

  func note(_ attempt: ClientAttempt, _ outcome: String, next: String) {
    attemptCount += 1
    trace(
      attempt.transport, outcome, milliseconds: attempt.milliseconds, next: next,
      began: attempt.began)
  }

  func trace(
    _ transport: TransportKind, _ outcome: String, milliseconds: Double, next: String,
    began: UInt64? = nil
  ) {
    if trace.count == Self.mostTraced { trace.removeFirst() }
    let start = began ?? EventLoop.clock() - UInt64(milliseconds * 1e6)
    trace.append(
      TransportAttempt(
        transport: transport, outcome: outcome, milliseconds: milliseconds,
        began: Double(start &- min(born, start)) / 1e6, next: next))
  }
}
