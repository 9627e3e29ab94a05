import Triwire
import TriwireFaults

/// Puts together what the relay did and what the clients noticed of it.
final class FaultWatch: @unchecked Sendable {
  // Touched on the clients' loop alone, which is what makes `@unchecked Sendable` hold.

  private struct Strike {
    let time: UInt64
    /// Which fault of the scenario it was.
    let index: Int
    let canCost: Bool
    /// Whether the client is told by its kernel.
    let isSudden: Bool
    /// When it is forgotten.
    let end: UInt64
    /// When the connection that it struck was accepted.
    let accepted: UInt64
  }

  private struct Client {
    var transport: TransportKind
    var since: UInt64
    /// When it last found a connection lost.
    var lost: UInt64 = 0
    var strikes: [Strike] = []
  }

  private let faults: [ScheduledFault]
  private var clients: [Client] = []
  /// Strikes on connections before their first request, whose client nobody knows.
  private var nameless: [Strike] = []
  private var result = FaultMeasurement()
  private var times: [String: UInt64] = [:]
  private var start: UInt64 = 0
  private var end: UInt64?

  /// Nanoseconds after which a fault that cost nothing is forgotten.
  private static let memory: UInt64 = 2_500_000_000
  /// The same of one that a client is told of by its kernel.
  private static let shortMemory: UInt64 = 1_000_000_000
  /// Within this time a client that was told can be expected to act.
  private static let atOnce: UInt64 = 100_000_000
  /// Strikes that are remembered of one client.
  private static let most = 64
  /// Different causes that are told apart.
  private static let causes = 32

  init(_ faults: [ScheduledFault]) {
    self.faults = faults
    result.outcomes = faults.map { FaultOutcome($0.name) }
  }

  /// A client has its session, over a transport.
  func opened(over transport: TransportKind, _ client: Int) {
    let opened = Client(transport: transport, since: EventLoop.clock())
    // With several that open at a time, one may come before another with a lower number.
    while clients.count <= client { clients.append(opened) }
    clients[client] = opened
  }

  /// What is measured begins at a moment to come.
  func begin(at start: UInt64) {
    self.start = start
    for index in clients.indices { clients[index].since = start }
  }

  /// A fault struck at a time.
  func struck(_ record: FaultRecord, at time: UInt64) {
    guard let index = index(of: record.rule, at: time) else { return }
    result.outcomes[index].struck += 1
    let age = record.age.map { UInt64($0 / .nanoseconds(1)) } ?? 0
    let strike = Strike(
      time: time, index: index, canCost: record.rule.fault.canCostConnection,
      isSudden: record.rule.fault.isSudden,
      end: time
        + (record.rule.fault.ownLength
          ?? (record.rule.fault.isSudden ? Self.shortMemory : Self.memory)),
      accepted: time - min(age, time))
    guard let path = record.path, let slash = path.lastIndex(of: "/"),
      let client = Int(path[path.index(after: slash)...]), clients.indices.contains(client)
    else {
      nameless.removeAll { $0.end < time }
      if nameless.count < Self.most { nameless.append(strike) }
      return
    }
    // What was given up already can be struck, and nobody cares.
    guard strike.accepted >= clients[client].lost else { return }
    clients[client].strikes.removeAll { $0.end < time }
    if clients[client].strikes.count < Self.most { clients[client].strikes.append(strike) }
  }

  /// Which fault of the scenario a rule was: of several alike the one that began last.
  private func index(of rule: FaultRule, at time: UInt64) -> Int? {
    let alike = faults.indices.filter { faults[$0].rule == rule }
    // The relay's clock is coarse.
    let begun = alike.filter { start + faults[$0].at.nanoseconds <= time + 20_000_000 }
    return begun.max { faults[$0].at < faults[$1].at } ?? alike.first
  }

  /// A client's session has another connection.
  func recovered(_ recovery: SessionRecovery, _ client: Int) {
    guard clients.indices.contains(client) else { return }
    let now = EventLoop.clock()
    let transport = recovery.transport
    guard let cause = recovery.cause else {
      result.moved += 1
      pass(client, until: now)
      clients[client].transport = transport
      return
    }
    let lost = now - min(now, UInt64(recovery.milliseconds * 1e6))
    count(cause)
    if !recovery.recovered { result.unrecovered += 1 }
    result.returnMicroseconds.histogram.record(now - lost)
    attribute(clients[client].strikes, lost: lost, now: now, transport)
    pass(client, until: lost)
    add(now, since: lost, to: "none")
    clients[client] = Client(transport: transport, since: now, lost: lost)
  }

  private func attribute(
    _ strikes: [Strike], lost: UInt64, now: UInt64, _ transport: TransportKind
  ) {
    let cost = blame(strikes.filter { $0.canCost && $0.time <= lost && $0.end >= lost }, lost)
    if let cost {
      result.noticeMicroseconds.histogram.record(lost - cost.time)
      result.recoverMicroseconds.histogram.record(now - cost.time)
    }
    let onTheWay =
      strikes.filter { $0.time > lost && $0.accepted >= lost }
      + nameless.filter { $0.time >= lost && $0.time <= now }
    for index in Set(onTheWay.map(\.index) + (cost.map { [$0.index] } ?? [])) {
      let notice = cost.flatMap { $0.index == index ? lost - $0.time : nil }
      result.outcomes[index].add(notice: notice, return: now - lost, over: transport)
    }
  }

  /// Which of several strikes most likely cost the connection.
  ///
  /// The end of a connection is seen at once, or was no loss: a poll is simply asked again.
  private func blame(_ strikes: [Strike], _ lost: UInt64) -> Strike? {
    let sudden = strikes.filter(\.isSudden)
    return sudden.last { lost - $0.time < Self.atOnce } ?? strikes.first { !$0.isSudden }
      ?? sudden.first
  }

  private func count(_ cause: String) {
    let known = result.causes[cause] != nil || result.causes.count < Self.causes
    result.causes[known ? cause : "other", default: 0] += 1
  }

  /// Counts the time of a client's transport until a moment.
  private func pass(_ client: Int, until time: UInt64) {
    add(time, since: clients[client].since, to: clients[client].transport.rawValue)
    clients[client].since = time
  }

  private func add(_ time: UInt64, since: UInt64, to name: String) {
    let (from, to) = (max(since, start), min(time, end ?? time))
    if to > from { times[name, default: 0] += to - from }
  }

  /// What is measured is over: time counts no more, what is lost still does.
  func stop(at time: UInt64) { end = time }

  /// What was found out, and what the sessions and the relay counted.
  func finish(
    clients mine: [ResumeCounters], server: [ResumeCounters], _ relay: RelayCounters
  ) -> FaultMeasurement {
    let now = EventLoop.clock()
    for client in clients.indices { pass(client, until: now) }
    result.struck = relay.faults
    for session in mine {
      result.lost += session.lost
      result.attempts += session.attempts
    }
    for session in mine + server {
      result.sentAgain += session.resent
      result.droppedRepeats += session.repeated
    }
    let all = Double(times.values.reduce(0, +))
    if all > 0 { result.shares = times.mapValues { Double($0) / all } }
    return result
  }
}

extension FaultOutcome {
  fileprivate mutating func add(
    notice: UInt64?, return time: UInt64, over transport: TransportKind
  ) {
    sessions += 1
    if let notice {
      slowestNoticeMicroseconds = max(slowestNoticeMicroseconds ?? 0, Double(notice) / 1000)
    }
    slowestReturnMicroseconds = max(slowestReturnMicroseconds ?? 0, Double(time) / 1000)
    carriers[transport.rawValue, default: 0] += 1
  }
}

extension Fault {
  /// Whether it ends the connection on the client's side.
  fileprivate var isSudden: Bool {
    switch self {
    case .cut: true
    case .halfClose(let ways): ways.contains(.down)
    default: false
    }
  }

  /// After how many nanoseconds it is over by itself; `nil` when it is not.
  fileprivate var ownLength: UInt64? {
    guard case .stall(_, let length?) = self else { return nil }
    return UInt64(max(0, length / .nanoseconds(1)))
  }

  /// Whether it can make a client lose a connection that carries its session.
  fileprivate var canCostConnection: Bool {
    switch self {
    case .cut, .mute, .stall, .halfClose, .blackHole, .buffer: true
    case .refuse, .closePort, .delayAccept, .refuseUpgrade, .stripUpgrade, .fakeUpgrade,
      .downgrade, .trickle:
      false
    }
  }
}
