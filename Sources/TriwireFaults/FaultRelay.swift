public import TriwireIO

/// Stands between clients and a server and breaks things on demand.
///
/// ```swift
/// let relay = FaultRelay(to: "127.0.0.1:8080")
/// let address = try await relay.start()
/// relay.set([FaultRule(.refuseUpgrade(status: 403))])
/// // clients that connect to `address` get no WebSocket
/// relay.restore()
/// await relay.stop()
/// ```
///
/// With `Configuration.network` it imitates a network as well: bytes travel as long as they would
/// there before the relay reads them, and faults strike at the far end.
///
/// It passes bytes on as they are, and reads along: it knows of each request what it is for
/// (`RequestKind`), so that a rule can concern polls and leave POSTs alone. What is no HTTP/1.1, TLS
/// for example, is passed on unread, as kind `other`. The server is connected to when the first byte
/// is to be passed on; when that fails the client is reset. Who reads slowly slows down who sends:
/// the relay holds at most one read (512 KiB) and 64 KiB in each direction of a connection, and what
/// the network holds that it imitates. A head is passed on when it is whole; one of more than 64 KiB
/// passes as what is no HTTP.
///
/// All methods may be called from any thread. What was set is in force when the call returns, for
/// everything that the relay decides from then on. It runs on one event loop of its own, so that
/// connections are numbered in the order they come.
public final class FaultRelay: Sendable {
  /// The settings of a relay.
  public struct Configuration: Sendable {
    /// The rules in force when it starts.
    public var rules: [FaultRule] = []
    /// Where the chances of rules come from; 1 by default.
    public var seed: UInt64 = 1
    /// How long the server may take to accept a connection; 10 seconds by default.
    public var connectTimeout: Duration = .seconds(10)
    /// The most bytes that a `buffer` holds of one answer; 1 MiB by default.
    public var bufferBytes = 1 << 20
    /// The network that is imitated; nil passes everything on at once.
    public var network: NetworkConditions?
    /// Told how many nanoseconds later than they were due bytes came off a line of that network, on
    /// the relay's loop, which it must not block: the error of the imitation.
    public var onRelease: (@Sendable (_ nanoseconds: UInt64) -> Void)?
    /// Told of each fault that strikes, on the relay's loop, which it must not block.
    public var onFault: (@Sendable (FaultRecord) -> Void)?

    /// Creates the default settings.
    public init() {}
  }

  /// The settings.
  public let configuration: Configuration
  private let server: String
  private let state = Guarded(State())

  private struct State {
    var running: Running?
    var isStarting = false
    /// What was ordered before the start.
    var early: [@Sendable (RelayLoop) -> Void] = []
    var hasStopped = false
    var last = RelayCounters()
  }

  private struct Running: Sendable {
    let group: EventLoopGroup
    let home: RelayLoop
  }

  /// Makes a relay that does nothing yet.
  ///
  /// - Parameters:
  ///   - server: Where to pass things on to: "HOST:PORT" or "[V6]:PORT", numeric or a name.
  ///   - configuration: The settings.
  public init(to server: String, configuration: Configuration = Configuration()) {
    self.server = server
    self.configuration = configuration
  }

  /// Starts to accept connections, until `stop`, which has to be called.
  ///
  /// - Parameter address: "HOST:PORT" or "[V6]:PORT"; port 0 lets the kernel pick one.
  /// - Returns: Where it listens.
  /// - Throws: `IOError` when an address is malformed, unknown or taken.
  @discardableResult
  public func start(on address: String = "127.0.0.1:0") async throws -> SocketAddress {
    let near = try await Self.resolve(address, to: "listen on")
    let far = try await Self.resolve(server, to: "relay to")
    let isFirst = state.withLock { state in
      defer { state.isStarting = true }
      return !state.isStarting
    }
    precondition(isFirst, "a relay is started once")
    let group = try EventLoopGroup(count: 1)
    do {
      let home = try RelayLoop(configuration, server: far, at: near[0], on: group)
      state.withLock { state in
        for body in state.early { home.order(body) }
        state.early = []
        state.running = Running(group: group, home: home)
      }
      try await home.perform { home in Result { () throws(IOError) in try home.start() } }.get()
      return home.address
    } catch {
      state.withLock { $0.running = nil }
      await group.stop()
      throw error
    }
  }

  private static func resolve(
    _ address: String, to operation: String
  ) async throws -> [SocketAddress] {
    guard let (host, port) = SocketAddress.split(address) else {
      throw IOError(
        "\(operation) \(address)", reason: "write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
    }
    let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    let found = try await SocketAddress.resolve(host: bare, port: port)
    guard !found.isEmpty else {
      throw IOError("\(operation) \(address)", reason: "the host has no address")
    }
    return found
  }

  private func order(_ body: @escaping @Sendable (RelayLoop) -> Void) {
    state.withLock { state in
      if let running = state.running {
        running.home.order(body)
      } else if !state.hasStopped {
        state.early.append(body)
      }
    }
  }

  /// Puts rules in the place of those in force.
  ///
  /// A rule that is in both goes on counting. One that is new is also matched with the connections
  /// that are there, by their latest request, if it can strike them still. One that is gone is
  /// lifted from them.
  public func set(_ rules: [FaultRule]) { order { $0.set(rules) } }

  /// Puts a rule behind those in force.
  public func add(_ rule: FaultRule) { order { $0.add(rule) } }

  /// Takes the last rule that equals this one out of those in force.
  public func remove(_ rule: FaultRule) { order { $0.remove(rule) } }

  /// Lets a fault strike the connections that are there, and no later ones.
  ///
  /// A fault that lasts does so until `restore`.
  public func strike(_ rule: FaultRule) { order { $0.strike(rule) } }

  /// Ends the connections that are there.
  ///
  /// - Parameters:
  ///   - ending: With FIN, or with RST.
  ///   - kinds: Only those whose latest request is one of these; nil is all.
  public func cutAll(_ ending: Fault.Ending = .reset, on kinds: Set<RequestKind>? = nil) {
    strike(FaultRule(.cut(ending), on: kinds))
  }

  /// Mutes the connections that are there, until `restore`.
  ///
  /// - Parameters:
  ///   - ways: The directions whose bytes are thrown away.
  ///   - kinds: Only those whose latest request is one of these; nil is all.
  public func muteAll(_ ways: Directions = .both, on kinds: Set<RequestKind>? = nil) {
    strike(FaultRule(.mute(ways), on: kinds))
  }

  /// Plays a schedule from now on, in the place of one that is played.
  public func play(_ schedule: [FaultSchedule.Entry]) { order { $0.play(schedule) } }

  /// Takes all rules, faults and schedules back; connections that lost something are reset.
  public func restore() { order { $0.restore() } }

  /// What was counted since the start.
  public func counters() async -> RelayCounters {
    let (running, last) = state.withLock { ($0.running, $0.last) }
    guard let running else { return last }
    return await running.home.perform { $0.reading }
  }

  /// Resets the connections and stops listening; `counters` tells the last of them from then on.
  public func stop() async {
    let running = state.withLock { state in
      defer { state.running = nil }
      state.hasStopped = true
      state.early = []
      return state.running
    }
    guard let running else { return }
    await running.home.perform { $0.stop() }
    while await running.home.perform({ !$0.isIdle }) { await running.home.pause() }
    let last = await running.home.perform { $0.reading }
    state.withLock { $0.last = last }
    await running.group.stop()
  }
}

extension RelayLoop {
  /// Runs `body` on the loop, after what was ordered before, and returns what it returned.
  func perform<Result: Sendable>(
    _ body: @escaping @Sendable (RelayLoop) -> Result
  ) async -> Result {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        obey()
        unsafe continuation.resume(returning: body(self))
      }
    }
  }

  /// Waits for a moment.
  func pause() async {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        loop.schedule(at: EventLoop.clock() + 1_000_000) { unsafe continuation.resume() }
      }
    }
  }
}
