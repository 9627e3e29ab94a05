import TriwireCodec
import TriwireIO

/// A transport that can carry a resumable session.
protocol LinkCarrier: Transport {
  /// Tells the peer something that is no message.
  func sendControl(_ line: ControlLine)
  /// What comes from now on is for another session.
  func move(to session: Session)
  /// The first message that is sent has the offset after this one.
  func startSending(after offset: UInt64)
  /// Ends the carrier without a word to its session, which is carried by another.
  func letGo()
  /// When the last byte came from the peer; nil when there is no one connection that tells it.
  var lastArrival: UInt64? { get }
}

extension LinkCarrier {
  // Only who sends messages in requests of their own has to say which they are.
  func startSending(after offset: UInt64) {}

  // Of interest to clients, whose way to the server may be one that cuts what is quiet.
  var lastArrival: UInt64? { nil }
}

/// Keeps a session exact while its connections come and go: counts what came, keeps what is not
/// acknowledged, and on each new connection sends what is missing and drops what came twice.
///
/// The messages of each direction have offsets, 1 for the first of an epoch. A side that knows
/// how many the other has knows all that is needed. Belongs to the session's loop.
class SessionLink: TimerOwner {
  var options: ResumeOptions { shared.value }
  private let shared: SharedResumeOptions
  let loop: EventLoop
  /// The session; nil before the first connection and after the end.
  var session: Session?
  /// The life of the session on the server; empty before a client knows it.
  var epoch: String
  var window = SendWindow()
  /// The messages that the session got from the peer.
  var received: UInt64 = 0
  /// The offset of the last message that the present connection brought, new or not.
  var arriving: UInt64 = 0
  /// Of the messages received, what the peer was told.
  var told: UInt64 = 0
  var untoldBytes = 0
  var tellTimer: TimerID?
  /// What connections moved that are no longer used; nil before the first is gone.
  private var retired: Retired?
  /// The offset of the last message that some connection took.
  private var sent: UInt64 = 0
  private var pendingClose: PendingClose?
  private var isAborting = false
  /// Requests and responses; nil as long as there was none.
  private var openDesk: RequestDesk?
  private var acknowledgements: [(offset: UInt64, done: (Bool) -> Void)] = []

  init(epoch: String, options: SharedResumeOptions, loop: EventLoop) {
    self.epoch = epoch
    shared = options
    self.loop = loop
  }

  /// What was counted so far.
  var counters: ResumeCounters {
    retired?.counters ?? ResumeCounters()
  }

  /// What outlives the link.
  struct History {
    let counters: ResumeCounters
    let attempts: [TransportAttempt]
  }

  var history: History { History(counters: counters, attempts: []) }

  var desk: RequestDesk {
    if let openDesk { return openDesk }
    let desk = RequestDesk(self)
    openDesk = desk
    return desk
  }

  var carrier: (any LinkCarrier)? { session?.carrier as? any LinkCarrier }

  /// What waits for the peer, and what keeping it costs.
  var backlog: Int { window.bytes }
  var isCongested: Bool {
    window.bytes >= options.windowBytes || window.count >= options.windowMessages
  }
  var hasNoRoom: Bool {
    window.bytes >= options.windowBytesHard || window.count >= 4 * options.windowMessages
  }

  // MARK: Sending

  /// Sends a message now or when there is a connection.
  func send(
    _ message: Message, _ compression: MessageCompression, isEnvelope: Bool = false
  ) {
    let entry = SendWindow.Entry(
      message: message, compression: compression, isEnvelope: isEnvelope)
    window.append(entry)
    guard let carrier else { return }
    sent = window.last
    transmit(entry, carrier)
  }

  private func transmit(_ entry: SendWindow.Entry, _ carrier: any LinkCarrier) {
    let bytes = entry.message.bytes
    guard entry.message.kind == .text, bytes.first == 0, !entry.isEnvelope else {
      return carrier.send(entry.message.kind, bytes.span, entry.compression)
    }
    // A text that looks like a control line, or an envelope, is told apart by one more U+0000.
    let escaped = [0] + bytes
    carrier.send(.text, escaped.span, entry.compression)
  }

  /// The peer has all up to an offset.
  func acknowledged(_ offset: UInt64) {
    guard advance(to: offset) else { return }
    if !isCongested { session?.notCongested() }
    closeWhenAcknowledged()
  }

  /// Lets go of what the peer has, and tells who waits for that.
  ///
  /// - Returns: Whether there was any.
  private func advance(to offset: UInt64) -> Bool {
    guard window.acknowledge(offset) else { return false }
    while let first = acknowledgements.first, first.offset <= window.acknowledged {
      acknowledgements.removeFirst()
      first.done(true)
    }
    return true
  }

  /// Calls `done` when the newest message is acknowledged, or will never be.
  func whenAcknowledged(_ done: @escaping (Bool) -> Void) {
    if window.isEmpty { return done(true) }
    acknowledgements.append((window.last, done))
  }

  /// Whether the peer has to be told what came, since it does not learn it by asking for more.
  var needsTelling: Bool { carrier?.kind == .webSocket }

  /// A control line came on the present connection.
  func control(_ line: ControlLine) {
    switch line {
    case .acknowledge(let offset): acknowledged(offset)
    case .ping(let number):
      // Whoever asks may wait for it, to end.
      tell()
      carrier?.sendControl(.pong(number))
    case .hello, .use, .pong, .drain, .moved: break
    }
  }

  /// Somebody who reads the peer's messages waits until the peer has more of ours.
  func senderWaits() {}

  /// Messages are taken again.
  func resumeDelivery() {
    if received > told { tellSoon() }
  }

  /// What was moved beside the present connection.
  var beside: (sent: Ledger, received: Ledger) {
    retired.map { ($0.sent, $0.received) } ?? (Ledger(), Ledger())
  }

  /// Apart from the link, as most sessions never lose a connection.
  final class Retired {
    var sent = Ledger()
    var received = Ledger()
    var counters = ResumeCounters()
  }

  func needRetired() -> Retired {
    if let retired { return retired }
    let retired = Retired()
    self.retired = retired
    return retired
  }

  /// How a session ends when the peer has all that was sent, or the deadline passes.
  private final class PendingClose {
    let end: SessionEnd
    let deadline: UInt64

    init(_ end: SessionEnd, by deadline: UInt64) {
      self.end = end
      self.deadline = deadline
    }
  }

  // MARK: Connections

  /// Lets another connection carry the session.
  ///
  /// - Parameters:
  ///   - carrier: The connection.
  ///   - has: The offset of the last message that the peer has.
  ///   - start: The offset before the first message that it will bring.
  func attach(_ carrier: any LinkCarrier, has: UInt64, start: UInt64) {
    guard let session else { return }
    detach()
    arriving = start
    session.carry(by: carrier)
    // What came on the last connection was not acknowledged on this one.
    told = min(told, start)
    _ = advance(to: has)
    let again = sent - min(sent, window.acknowledged)
    if again > 0 { needRetired().counters.resent += again }
    sent = window.last
    for entry in window.waiting {
      transmit(entry, carrier)
    }
    if received > told { tellSoon() }
    if !isCongested { session.notCongested() }
    closeWhenAcknowledged()
  }

  /// Ends the present connection, whose place another takes.
  private func detach() {
    guard let session, let old = carrier else { return }
    old.letGo()
    retire(old)
    session.carry(by: nil)
  }

  private func retire(_ carrier: any Transport) {
    let traffic = carrier.traffic
    let retired = needRetired()
    retired.sent = retired.sent + traffic.sent
    retired.received = retired.received + traffic.received
  }

  /// The present connection is over.
  ///
  /// - Returns: Whether the session goes on without it.
  func survives(_ end: SessionEnd) -> Bool {
    guard let session, let old = session.carrier, !isAborting, mayReturn(after: end) else {
      return false
    }
    retire(old)
    session.carry(by: nil)
    needRetired().counters.lost += 1
    lost(end, old as? any LinkCarrier)
    return true
  }

  /// Whether the session may go on after its connection ended like that.
  func mayReturn(after end: SessionEnd) -> Bool {
    guard end.code == .abnormal else { return false }
    return session?.isOpen == true || pendingClose != nil
  }

  /// The session has no connection; the last one was the carrier's.
  func lost(_ end: SessionEnd, _ carrier: (any LinkCarrier)?) {}

  /// The peer has forgotten the messages up to an offset.
  func skip(to offset: UInt64) { received = max(received, offset) }

  /// Begins a new life: what was counted and kept belongs to the last one.
  ///
  /// - Returns: The messages that were sent and of which nobody knows whether they came.
  func restart(epoch: String) -> Int {
    self.epoch = epoch
    received = 0
    arriving = 0
    told = 0
    sent = 0
    untoldBytes = 0
    let waiting = acknowledgements
    acknowledgements = []
    for one in waiting { one.done(false) }
    let lost = window.restart()
    openDesk?.lost("the server has forgotten the session")
    return lost
  }

  // MARK: The end

  /// Closes the session when the peer has all that was sent.
  func close(_ code: CloseCode, _ reason: String) {
    guard pendingClose == nil, let session else { return }
    let end = SessionEnd(code: code, reason: reason, isLocal: true)
    let deadline = loop.now + session.limits.closeSeconds.nanoseconds
    pendingClose = PendingClose(end, by: deadline)
    setTimer(deadline)
    if window.isEmpty, session.carrier == nil, !mustTell { return finish(end) }
    // An acknowledgement may be half a second away, unless it is asked for.
    if !window.isEmpty, let carrier, carrier.kind == .webSocket { carrier.sendControl(.ping(0)) }
    closeWhenAcknowledged()
  }

  /// Whether the peer has to hear of the end; else it asks for it when it comes back.
  var mustTell: Bool { true }

  private func closeWhenAcknowledged() {
    guard window.isEmpty, let end = pendingClose?.end, let carrier else { return }
    pendingClose = nil
    isAborting = true
    carrier.close(end.code, end.reason)
  }

  func abort() {
    isAborting = true
    if let carrier {
      carrier.abort()
    } else {
      session?.ended(SessionEnd(code: .abnormal, reason: "aborted", isLocal: true))
    }
  }

  /// Ends the session for good, whatever carries it.
  func finish(_ end: SessionEnd) {
    guard let session else { return }
    isAborting = true
    if let old = carrier {
      old.letGo()
      retire(old)
      session.carry(by: nil)
    }
    session.ended(end)
  }

  /// The session has ended.
  func ended(_ end: SessionEnd) {
    let waiting = acknowledgements
    acknowledgements = []
    if let tellTimer { loop.wheel.cancel(tellTimer) }
    tellTimer = nil
    setTimer(nil)
    session = nil
    for one in waiting { one.done(false) }
    openDesk?.lost("\(end.code) \(end.reason)")
  }

  // MARK: Time

  private var timer: TimerID?

  /// Says when `timerFired` is called next; nil is never.
  func setTimer(_ at: UInt64?) {
    if let timer { loop.wheel.cancel(timer) }
    timer = at.map { loop.wheel.arm(self, at: $0) }
  }

  func timerFired(now: UInt64) -> UInt64 {
    timer = nil
    if let pending = pendingClose {
      if now < pending.deadline {
        setTimer(pending.deadline)
        return 0
      }
      // The peer did not come to fetch the rest.
      finish(pending.end)
    } else {
      timeIsUp()
    }
    return 0
  }

  /// The time that `setTimer` said has come.
  func timeIsUp() {}

  var isClosing: Bool { pendingClose != nil }
}
