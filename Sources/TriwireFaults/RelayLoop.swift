import Synchronization
import TriwireIO

/// What a relay keeps on its loop: the links, the rules in force, and the counts.
final class RelayLoop: @unchecked Sendable {
  // State is touched on the loop alone, but for `orders`, which is guarded.

  /// Bytes that wait for a receiver before the sender has to wait as well.
  static let highWater = 64 * 1024
  /// Requests of one client that may wait for their answers before it has to wait as well.
  static let pipelined = 256
  /// How long a relay that cannot listen again waits before it tries once more.
  private static let retryNanoseconds: UInt64 = 100_000_000

  let loop: EventLoop
  let bufferBytes: Int
  let connectOptions: Connector.Options
  var server: [SocketAddress]
  var counters = RelayCounters()
  var pendingConnects = 0
  private(set) var rules: [ActiveRule] = []
  /// How often each rule with a chance has begun to count.
  private var uses: [FaultRule: UInt64] = [:]
  private let group: EventLoopGroup
  private let seed: UInt64
  private let observe: (@Sendable (FaultRecord) -> Void)?
  private let network: NetworkConditions?
  private let observeLate: (@Sendable (UInt64) -> Void)?
  private let port: PortReservation
  private let began: UInt64
  private var links: [Int: Link] = [:]
  private var listener: Listener?
  private var isStopping = false
  private var player: SchedulePlayer?

  private let orders = Guarded<[@Sendable (RelayLoop) -> Void]>([])
  private let hasOrders = Atomic<Bool>(false)

  init(
    _ configuration: FaultRelay.Configuration, server: [SocketAddress], at address: SocketAddress,
    on group: EventLoopGroup
  ) throws(IOError) {
    loop = group.loops[0]
    self.group = group
    self.server = server
    seed = configuration.seed
    bufferBytes = configuration.bufferBytes
    observe = configuration.onFault
    network = configuration.network
    observeLate = configuration.onRelease
    var options = Connector.Options()
    options.timeoutNanoseconds = configuration.connectTimeout.nanoseconds
    connectOptions = options
    began = EventLoop.clock()
    port = try PortReservation(address)
    rules = configuration.rules.map { activate($0) }
  }

  var address: SocketAddress { port.address }

  /// Starts to accept, unless a rule closes the port.
  func start() throws(IOError) {
    obey()
    updatePort()
    guard listener == nil, !rules.contains(where: { $0.rule.fault == .closePort }) else { return }
    // As `updatePort` did, which tries on; at the start it is better to know.
    listener = try makeListener()
    listener?.start()
  }

  private func makeListener() throws(IOError) -> Listener {
    // The loop lives as long as the relay runs, and the relay keeps this.
    try Listener(port.address, on: group) { [weak self] stream in
      if let self { accept(stream) } else { stream.abort() }
    }
  }

  // Orders from other threads.

  /// Has something done before anything else is decided on the loop.
  func order(_ body: @escaping @Sendable (RelayLoop) -> Void) {
    orders.withLock { $0.append(body) }
    hasOrders.store(true, ordering: .releasing)
    loop.post { [self] in obey() }
  }

  /// Does what was ordered.
  func obey() {
    guard hasOrders.load(ordering: .relaxed), hasOrders.exchange(false, ordering: .acquiring)
    else { return }
    let bodies = orders.withLock { orders in
      defer { orders = [] }
      return orders
    }
    for body in bodies { body(self) }
  }

  // Links.

  private func accept(_ stream: ByteStream) {
    obey()
    counters.connections += 1
    let link = Link(number: counters.connections, near: stream, home: self)
    counters.open += 1
    links[link.number] = link
    stream.start(link)
    guard !isStopping else { return link.end(.reset) }
    for active in rules where !active.rule.isOfRequests && active.rule.fault != .closePort {
      if active.strikesNext() { link.arm(active) }
    }
  }

  func forget(_ link: Link) {
    guard links.removeValue(forKey: link.number) != nil else { return }
    counters.open -= 1
    count(link, in: &counters)
  }

  /// What the bytes of a direction go through, where a network is imitated.
  func wire(_ way: Directions, of number: Int, accepted: UInt64) -> Wire? {
    network.map {
      Wire($0, way, accepted: accepted, seed: seed &+ UInt64(number) &* 0xE703_7ED1_A0B4_28DB)
    }
  }

  /// Something came off a line later than it was due.
  func told(late nanoseconds: UInt64) { observeLate?(nanoseconds) }

  private func count(_ link: Link, in counters: inout RelayCounters) {
    for lane in [link.up, link.down] {
      counters.segments += lane.wire?.entered ?? 0
      counters.lostSegments += lane.wire?.lost ?? 0
    }
  }

  /// The links there are, in the order they came.
  private var present: [Link] { links.values.sorted { $0.number < $1.number } }

  // Rules.

  /// Puts rules in the place of those in force.
  ///
  /// One that is in both goes on counting.
  func set(_ new: [FaultRule]) {
    var old = rules
    var fresh: [ActiveRule] = []
    rules = new.map { rule in
      if let index = old.firstIndex(where: { $0.rule == rule }) { return old.remove(at: index) }
      fresh.append(activate(rule))
      return fresh[fresh.count - 1]
    }
    for active in old { for link in present { link.lift(active) } }
    for active in fresh { strikePresent(active) }
    updatePort()
  }

  func add(_ rule: FaultRule) { set(rules.map(\.rule) + [rule]) }

  func remove(_ rule: FaultRule) {
    var left = rules.map(\.rule)
    if let index = left.lastIndex(of: rule) { left.remove(at: index) }
    set(left)
  }

  /// Lets a fault strike the links that are there, and no later ones.
  func strike(_ rule: FaultRule) { strikePresent(activate(rule)) }

  /// A rule that begins to count, with chances of its own each time: the same draws again would
  /// spare the same connections for ever.
  private func activate(_ rule: FaultRule) -> ActiveRule {
    guard rule.chance < 1 else { return ActiveRule(rule, seed: seed) }
    let times = uses[rule, default: 0]
    uses[rule] = times + 1
    return ActiveRule(rule, seed: seed &+ times &* 0x9E37_79B9_7F4A_7C15)
  }

  /// Takes back all there is.
  func restore() {
    player?.stop()
    player = nil
    set([])
    for link in present { link.liftAll() }
  }

  func play(_ schedule: [FaultSchedule.Entry]) {
    player?.stop()
    player = SchedulePlayer(schedule, on: self)
  }

  private func strikePresent(_ active: ActiveRule) {
    let rule = active.rule
    guard !rule.fault.isOfBeginning, !rule.fault.isOfHead else { return }
    for link in present {
      if rule.isOfRequests {
        guard let kind = link.kind, rule.concerns(kind) else { continue }
      }
      let exchange = link.exchanges.first
      // A fault of an answer needs one that is not over.
      if ArmedFault(active, on: link).isOfAnswer, exchange == nil { continue }
      if active.strikesNext() { link.arm(active, for: exchange) }
    }
  }

  func record(_ rule: FaultRule, on link: Link?) {
    counters.faults[rule.fault.name, default: 0] += 1
    guard let observe else { return }
    let now = EventLoop.clock()
    observe(
      FaultRecord(
        connection: link?.number ?? 0, kind: link?.kind, path: link?.path,
        age: link.map { .nanoseconds(Int64(now - $0.began)) }, rule: rule,
        time: .nanoseconds(Int64(now - began))))
  }

  // The port.

  private func updatePort() {
    let closing = rules.first { $0.rule.fault == .closePort }
    if let closing, let listener {
      listener.stopNow()
      self.listener = nil
      record(closing.rule, on: nil)
    } else if closing == nil, listener == nil, !isStopping {
      do throws(IOError) {
        let listener = try makeListener()
        self.listener = listener
        listener.start()
      } catch {
        // The port is reserved: it is descriptors that are short, and they come back.
        loop.schedule(at: EventLoop.clock() + Self.retryNanoseconds) { [weak self] in
          self?.updatePort()
        }
      }
    }
  }

  // Counts.

  func count(passed bytes: Int, _ direction: Directions) {
    if direction == .up {
      counters.bytesUp += UInt64(bytes)
    } else {
      counters.bytesDown += UInt64(bytes)
    }
  }

  func count(lost bytes: Int, _ direction: Directions) {
    if direction == .up {
      counters.lostUp += UInt64(bytes)
    } else {
      counters.lostDown += UInt64(bytes)
    }
  }

  /// The counts as they are now.
  var reading: RelayCounters {
    var reading = counters
    reading.waiting = links.values.reduce(0) { $0 + $1.waitingBytes }
    for link in links.values { count(link, in: &reading) }
    return reading
  }

  // The end.

  /// Ends everything.
  func stop() {
    isStopping = true
    player?.stop()
    player = nil
    listener?.stopNow()
    listener = nil
    for link in present { link.end(.reset) }
  }

  /// Whether nothing is left that needs the loop.
  var isIdle: Bool { links.isEmpty && pendingConnects == 0 }
}
