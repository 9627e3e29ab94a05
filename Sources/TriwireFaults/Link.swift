import TriwireCodec
import TriwireIO

/// A client's connection and the one to the server that it is passed on to.
///
/// Belongs to the relay's loop. Bytes come in by `received`, are read as HTTP (`RequestSide`,
/// `AnswerSide`) unless the link is transparent, and go out by `enter` (`Passing`), where the
/// faults that concern bytes strike.
final class Link: StreamHandler, @unchecked Sendable {
  // State is touched on the loop alone, which is what makes `@unchecked Sendable` hold.

  let number: Int
  unowned let home: RelayLoop
  let near: ByteStream
  private(set) var far: ByteStream?
  let up = Lane(.up)
  let down = Lane(.down)
  /// The latest request.
  var kind: RequestKind?
  /// The path of that.
  var path: String?
  /// When it was accepted.
  let began = EventLoop.clock()
  var requests = HTTPServerCodec(limits: .relay)
  var answers = HTTPClientCodec(limits: .relay)
  var exchanges: [Exchange] = []
  var waiting = Waiting.no
  /// Whether bytes are passed on without being read: another protocol than HTTP.
  var isTransparent = false
  /// Whether the client's connection closes when all that waits for it is sent.
  var closesAfterAnswer = false
  private(set) var armed: [ArmedFault] = []
  private(set) var isOver = false
  private var nearIsGone = false
  private var farIsGone = false
  private var connecting: Task<Void, Never>?

  /// Why the next request is not looked at yet.
  enum Waiting {
    case no
    /// The answer to an upgrade tells which protocol comes next.
    case forSwitch
    /// Answers of earlier requests come before the relay's own.
    case forTurn(OwnAnswer)
  }

  init(number: Int, near: ByteStream, home: RelayLoop) {
    self.number = number
    self.near = near
    self.home = home
    for lane in [up, down] { lane.wire = home.wire(lane.direction, of: number, accepted: began) }
  }

  var loop: EventLoop { home.loop }
  /// When bytes last came from either side.
  var lastArrival: UInt64 { max(near.lastArrival, far?.lastArrival ?? 0) }

  /// Bytes that it holds in either direction.
  var waitingBytes: Int {
    let queued = near.queuedBytes + (far?.queuedBytes ?? 0)
    return [up, down].reduce(queued) { sum, lane in
      sum + lane.kept.count + lane.waitsInOutbox + lane.held.count + (lane.wire?.waiting ?? 0)
    }
  }

  func source(of lane: Lane) -> ByteStream? { lane === up ? near : far }
  func sink(of lane: Lane) -> ByteStream? { lane === up ? far : near }

  // What the streams tell.

  func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
    home.obey()
    guard !isOver else { return input.count }
    let lane = stream === near ? up : down
    if lane.wire == nil { take(input.span, lane) } else { travel(input.span, lane) }
    return input.count
  }

  /// Takes bytes that are at the relay, to pass them on.
  func take(_ bytes: Span<UInt8>, _ lane: Lane) {
    lane.isBusy = true
    if !canTake(lane) {
      keep(bytes, lane, canWait: true)
    } else if !lane.kept.isEmpty {
      keep(bytes, lane, canWait: true)
      digestKept(lane)
    } else {
      digest(bytes, lane)
    }
    lane.isBusy = false
    settle(lane)
  }

  func inputEnded(_ stream: ByteStream) {
    home.obey()
    guard !isOver else { return }
    let lane = stream === near ? up : down
    guard lane.wire == nil else { return travel(.finish, lane) }
    lane.sourceHasEnded = true
    settle(lane)
  }

  func drained(_ stream: ByteStream) {
    guard !isOver else { return }
    let lane = stream === near ? down : up
    lane.isBlocked = false
    pump(lane)
  }

  func failed(_ stream: ByteStream, _ error: IOError) {
    home.obey()
    guard !isOver else { return }
    let isNear = stream === near
    if isNear { nearIsGone = true } else { farIsGone = true }
    let (from, to) = isNear ? (up, down) : (down, up)
    guard from.wire != nil else { return broken(from) }
    to.isDeaf = true
    travel(.reset, from)
    pump(to)
  }

  /// The failure of the side that a direction comes from is to be passed on.
  func broken(_ from: Lane) {
    let isNear = from === up
    let to = isNear ? down : up
    // A mute hides the end of a connection as well; the other side has to find out by itself.
    guard from.mutes > 0, isNear ? far != nil && !farIsGone : !nearIsGone else {
      return end(.reset)
    }
    from.hasLost = true
    from.sourceHasEnded = true
    to.isDeaf = true
    pump(to)
  }

  // The connection to the server.

  /// Connects to the server, once.
  func connect() {
    guard far == nil, connecting == nil, !farIsGone else { return }
    home.pendingConnects += 1
    connecting = Task(executorPreference: loop) { [self] in
      let result: Result<ByteStream, any Error>
      do {
        let stream = try await Connector.connect(
          to: home.server, on: loop, options: home.connectOptions)
        result = .success(stream)
      } catch {
        result = .failure(error)
      }
      loop.execute { [self] in connected(result) }
    }
  }

  private func connected(_ result: Result<ByteStream, any Error>) {
    home.pendingConnects -= 1
    connecting = nil
    switch result {
    case .success(let stream):
      guard !isOver, !farIsGone else { return stream.abort() }
      far = stream
      stream.start(self)
      guard !isOver else { return }
      pump(up)
      settle(down)
    case .failure:
      guard !isOver, !farIsGone else { return }
      home.counters.unreachable += 1
      end(.reset)
    }
  }

  /// Lets the server's side go, since the relay answers in its place.
  func abandonServer() {
    farIsGone = true
    connecting?.cancel()
    connecting = nil
    far?.close()
    far = nil
  }

  // Ends.

  /// Passes the end of a direction on when all before it was.
  func settleEnd(_ lane: Lane) {
    guard !isOver, lane.sourceHasEnded, !lane.isFinished else { return }
    if lane.mutes > 0 {
      lane.hasLost = true
      let other = lane === up ? down : up
      let isAlone = lane === up && far == nil && connecting == nil
      if other.sourceHasEnded || isAlone { end(.finish) }
      return
    }
    if !lane.kept.isEmpty, canTake(lane) {
      // The rest of a head that will never be whole.
      let rest = lane.kept
      lane.kept = []
      enter(rest.span, lane)
    }
    if !lane.held.isEmpty { release() }
    guard !isOver, !lane.isStalled, lane.waitsInOutbox == 0, lane.kept.isEmpty else { return }
    guard lane === down || far != nil else {
      if connecting == nil { end(.finish) }
      return
    }
    finish(lane)
    settleEnd(lane === up ? down : up)
  }

  /// Ends a direction towards its receiver.
  func finish(_ lane: Lane) {
    lane.isFinished = true
    if up.isFinished && down.isFinished || (lane === down && closesAfterAnswer) {
      return end(.finish)
    }
    if !lane.isDeaf { sink(of: lane)?.endOutput() }
    lane.isDeaf = true
    // No answer will come that the client has to wait for.
    if lane === down { stopReading() }
  }

  /// Ends both connections.
  func end(_ ending: Fault.Ending) {
    guard !isOver else { return }
    isOver = true
    connecting?.cancel()
    for each in armed { each.stopWaiting() }
    armed = []
    for stream in [near, far] {
      if ending == .finish { stream?.close() } else { stream?.abort() }
    }
    home.forget(self)
  }

  // Faults.

  /// Plans a fault whose rule has matched.
  func arm(_ active: ActiveRule, for exchange: Exchange? = nil) {
    guard !isOver else { return }
    let fault = ArmedFault(active, on: self)
    // Once is enough for a connection, but an answer has its own.
    let isThere = armed.contains { other in
      other.active === active && (other.hasStruck || !fault.isOfAnswer)
    }
    guard !isThere || fault.isBuffer else { return }
    armed.append(fault)
    if fault.isBuffer {
      exchange?.hold = fault
      return
    }
    switch active.rule.moment {
    case .start: fault.strike()
    case .answer(let bytes):
      guard let exchange else { return }
      exchange.marks.append((bytes, fault))
      // Of an answer that is under way the place may be past.
      if exchange.hasHead { strikeMarks(of: exchange, upTo: exchange.bodyBytes) }
    case .bytes(let bytes, let ways):
      for lane in [up, down] where ways.contains(lane.direction) {
        mark(lane, at: lane.entered + UInt64(bytes), fault)
      }
    case .time(let time), .idle(let time): fault.wait(time)
    }
  }

  /// Lets a fault strike when a direction has come to a place.
  func mark(_ lane: Lane, at position: UInt64, _ fault: ArmedFault) {
    guard !fault.hasStruck else { return }
    guard position > lane.position else { return fault.strike() }
    lane.add(Lane.Mark(position: position, fault: fault))
  }

  /// Notes a fault that has struck without being planned, so that it can be lifted.
  func adopt(_ fault: ArmedFault) { armed.append(fault) }

  /// Does what a fault does.
  func strike(_ fault: ArmedFault) {
    // Another that struck at the same place may have ended it.
    guard !isOver else { return }
    for lane in [up, down] { lane.removeMarks(of: fault) }
    home.record(fault.rule, on: self)
    switch fault.rule.fault {
    case .refuse: return end(.reset)
    case .cut(let ending): return end(ending)
    case .mute(let ways): for lane in lanes(ways) { lane.mutes += 1 }
    case .trickle(let ways): for lane in lanes(ways) { lane.trickles += 1 }
    case .delayAccept(let time):
      up.stalls += 1
      fault.wait(time)
    case .stall(let ways, let time):
      for lane in lanes(ways) { lane.stalls += 1 }
      if let time { fault.wait(time) }
    case .halfClose(let ways):
      drop(fault)
      for lane in lanes(ways) where !isOver && !lane.isFinished {
        if lane === up, far == nil { lane.isDeaf = true } else { finish(lane) }
      }
    case .closePort, .refuseUpgrade, .stripUpgrade, .fakeUpgrade, .blackHole, .downgrade, .buffer:
      break
    }
    for lane in [up, down] { pump(lane) }
  }

  /// Takes a fault back: what it held goes on, and a link that lost something is reset.
  func lift(_ fault: ArmedFault) {
    guard !isOver else { return }
    drop(fault)
    for exchange in exchanges where exchange.hold === fault {
      exchange.hold = nil
      release()
    }
    guard fault.hasStruck else { return }
    switch fault.rule.fault {
    case .mute(let ways): for lane in lanes(ways) { lane.mutes -= 1 }
    case .fakeUpgrade, .blackHole: up.mutes -= 1
    case .trickle(let ways): for lane in lanes(ways) { lane.trickles -= 1 }
    case .delayAccept: up.stalls -= 1
    case .stall(let ways, _): for lane in lanes(ways) { lane.stalls -= 1 }
    case .refuse, .closePort, .refuseUpgrade, .stripUpgrade, .downgrade, .buffer, .cut, .halfClose:
      break
    }
    if [up, down].contains(where: { $0.mutes == 0 && $0.hasLost }) { return end(.reset) }
    for lane in [up, down] { pump(lane) }
  }

  /// Takes back what a rule does here, and what it would do.
  func lift(_ active: ActiveRule) {
    for fault in armed where fault.active === active { lift(fault) }
  }

  /// Takes back what all rules do here.
  func liftAll() { for fault in armed { lift(fault) } }

  /// Forgets a fault that strikes no more.
  func drop(_ fault: ArmedFault) {
    fault.stopWaiting()
    armed.removeAll { $0 === fault }
    for lane in [up, down] { lane.removeMarks(of: fault) }
    for exchange in exchanges { exchange.marks.removeAll { $0.fault === fault } }
  }

  private func lanes(_ ways: Directions) -> [Lane] {
    [up, down].filter { ways.contains($0.direction) }
  }
}

extension HTTPLimits {
  /// The relay judges no message: only what it has to hold, the heads, is bounded.
  static var relay: HTTPLimits {
    var limits = HTTPLimits()
    limits.requestLineBytes = 32_768
    limits.headBytes = 65_536
    limits.headerCount = 1000
    limits.bodyBytes = .max
    limits.chunkExtensionBytes = 1 << 20
    limits.interimResponses = 1000
    return limits
  }
}
