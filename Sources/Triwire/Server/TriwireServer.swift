public import TriwireCodec
public import TriwireIO

/// One HTTP/1.1 server that carries sessions over WebSocket, Server-Sent Events and long polling.
///
/// ```swift
/// let server = TriwireServer()
/// server.session(at: "/echo") { session in
///   for try await message in session.messages { try await session.send(message) }
/// }
/// try await server.run(on: "127.0.0.1:8080")
/// ```
///
/// One path serves all transports; the request says which one it wants: `Upgrade: websocket` is
/// WebSocket, `Accept: text/event-stream` is Server-Sent Events, any other GET is a long poll, and
/// `POST ?session=NAME` is the way up for the last two. Routes are added before the start.
public final class TriwireServer: Sendable {
  /// The settings.
  public let configuration: Configuration
  private let state: Guarded<State>

  @safe private struct State {
    var routes = Routes()
    var topics: [String: Topic] = [:]
    var running: Running?
    var isStopping = false
    var hasStopped = false
    var stopWaiters: [UnsafeContinuation<Void, Never>] = unsafe []
  }

  private struct Running: Sendable {
    let group: EventLoopGroup
    let listener: Listener
    let loops: [ServerLoop]
    let security: ServerSecurity?

    /// Whether no connection and no session is left.
    var isEmpty: Bool {
      get async {
        for each in loops where await each.perform({ $0.connectionCount + $0.sessionCount }) > 0 {
          return false
        }
        return true
      }
    }

    /// Sessions that are open.
    var sessionCount: Int {
      get async {
        var sum = 0
        for each in loops { sum += await each.perform { $0.sessionCount } }
        return sum
      }
    }
  }

  /// Makes a server that serves nothing yet.
  public init(configuration: Configuration = Configuration()) {
    self.configuration = configuration
    state = Guarded(State())
  }

  /// Serves sessions at a path.
  ///
  /// - Parameters:
  ///   - path: Such as "/echo"; a last segment `{name}` stands for anything, see
  ///     `Session.parameter`.
  ///   - options: What is special about the sessions of this route.
  ///   - handler: Runs for each session, on its loop, as a task of its own. It must not block.
  ///     When it returns, the session closes with 1000; when it throws, with 1011.
  public func session(
    at path: String, options: RouteOptions = RouteOptions(),
    _ handler: @escaping @Sendable (Session) async throws -> Void
  ) {
    addRoute { $0.add(.async(handler), options, at: path) }
  }

  /// Serves sessions at a path without a task for each.
  ///
  /// - Parameters:
  ///   - path: As above.
  ///   - options: As above.
  ///   - open: Called on the session's loop when it opens; calls `Session.receive` and
  ///     `Session.whenEnded`. The session lasts until one side closes it. Nothing here may block.
  public func session(
    at path: String, options: RouteOptions = RouteOptions(),
    synchronously open: @escaping @Sendable (Session) -> Void
  ) {
    addRoute { $0.add(.synchronous(open), options, at: path) }
  }

  /// Answers plain HTTP requests at a path.
  ///
  /// - Parameters:
  ///   - path: As for sessions; both may be served at one path.
  ///   - methods: The methods it answers; HEAD comes with GET. nil is all.
  ///   - handler: Runs as a task on the connection's loop. When it throws, the answer is 500.
  public func respond(
    at path: String, to methods: [HTTPMethod]? = [.get],
    _ handler: @escaping @Sendable (Request) async throws -> Response
  ) {
    addRoute { $0.add(.async(handler), methods, at: path) }
  }

  /// Answers plain HTTP requests at a path within the loop, without a task.
  ///
  /// It must not block.
  public func respond(
    at path: String, to methods: [HTTPMethod]? = [.get],
    synchronously handler: @escaping @Sendable (Request) -> Response
  ) {
    addRoute { $0.add(.synchronous(handler), methods, at: path) }
  }

  private func addRoute(_ add: (inout Routes) -> Void) {
    state.withLock { state in
      precondition(
        state.running == nil && !state.hasStopped, "routes are added before the server starts")
      add(&state.routes)
    }
  }

  /// The topic of a name, made when it is asked for the first time.
  ///
  /// When there are `configuration.topics` already, one without subscribers is forgotten; when
  /// all have some, the new one is not kept by the server and lives as long as it is held.
  public func topic(_ name: String) -> Topic {
    state.withLock { state in
      if let topic = state.topics[name] { return topic }
      let topic = Topic(name: name, history: configuration.history)
      if state.topics.count >= configuration.topics {
        guard let idle = state.topics.first(where: { !$0.value.hasSubscribers }) else {
          return topic
        }
        state.topics[idle.key] = nil
      }
      state.topics[name] = topic
      return topic
    }
  }

  /// Starts serving.
  ///
  /// - Parameter address: "HOST:PORT" or "[V6]:PORT", numeric or a name; port 0 lets the kernel
  ///   pick one.
  /// - Returns: Where it listens.
  /// - Throws: `IOError` when the address is malformed, unknown or taken, the certificate cannot be
  ///   used, or the server has been stopped before.
  @discardableResult
  public func start(on address: String) async throws -> SocketAddress {
    guard let (host, port) = SocketAddress.split(address) else {
      throw IOError(
        "listen on \(address)", reason: "write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
    }
    let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    guard let resolved = try await SocketAddress.resolve(host: bare, port: port).first else {
      throw IOError("listen on \(address)", reason: "the host has no address")
    }
    let group = try EventLoopGroup(count: configuration.loops, cpus: configuration.cpus)
    do {
      return try start(on: resolved, group)
    } catch {
      await group.stop()
      throw error
    }
  }

  private func start(on address: SocketAddress, _ group: EventLoopGroup) throws -> SocketAddress {
    let (routes, hasStopped) = state.withLock { ($0.routes, $0.hasStopped) }
    guard !hasStopped else {
      throw IOError(
        "listen on \(address)", reason: "a server that was stopped serves no more: make a new one")
    }
    let security = try configuration.tls.map { try ServerSecurity($0) }
    let directory = SessionDirectory()
    let loops = group.loops.map {
      ServerLoop(loop: $0, configuration: configuration, routes: routes, directory: directory)
    }
    var options = Listener.Options()
    options.maximumSegment = configuration.maximumSegment
    options.congestionControl = configuration.congestionControl
    let listener = try Listener(address, on: group, options: options) { stream in
      guard security?.secure(stream) ?? true else { return }
      loops[stream.loop.index].accept(stream)
    }
    // Loops and directory hold each other until the server stops: not before it can run.
    directory.setHomes(loops)
    state.withLock { state in
      precondition(state.running == nil, "the server runs already")
      state.running = Running(
        group: group, listener: listener, loops: loops, security: security)
    }
    listener.start()
    return listener.address
  }

  /// Reads the certificate, its key and the authorities of clients again, as `configuration.tls`
  /// names them.
  ///
  /// Connections from now on get what was read; those that are there keep theirs. Tickets of
  /// before resume nothing any more.
  /// - Throws: `IOError` when something cannot be read or does not fit together, and then all
  ///   stays as it was; also when the server does not run, or without TLS.
  public func reloadCertificate() throws {
    guard let security = state.withLock({ $0.running?.security }) else {
      throw IOError("reload the certificate", reason: "the server does not run, or without TLS")
    }
    try security.reload()
  }

  /// Starts serving and returns when `stop` has ended it, or the task is cancelled.
  ///
  /// - Throws: As `start`.
  public func run(on address: String) async throws {
    try await start(on: address)
    await withTaskCancellationHandler {
      await stopped()
    } onCancel: {
      Task { await self.stop() }
    }
  }

  /// Waits until the server has stopped.
  private func stopped() async {
    unsafe await withUnsafeContinuation { continuation in
      let hasStopped = state.withLock { state in
        if state.running != nil { unsafe state.stopWaiters.append(continuation) }
        return state.running == nil
      }
      if hasStopped { unsafe continuation.resume() }
    }
  }

  /// Stops serving: accepts nothing new, ends the sessions with 1001, lets requests finish, and
  /// cuts off what is left after a while.
  ///
  /// Connections that clients poll on are kept until all sessions have ended, so that a client between
  /// two polls gets what was sent before, and the end. One that polls on a new connection each time
  /// finds nobody there.
  ///
  /// It is for good: the handlers are let go, with all that they hold, such as the server itself.
  ///
  /// - Parameter seconds: How long clients may take.
  public func stop(within seconds: Double = 5) async {
    let (running, isFirst) = state.withLock { state in
      defer { state.isStopping = state.running != nil }
      return (state.running, !state.isStopping)
    }
    guard let running else { return }
    guard isFirst else { return await stopped() }
    await running.listener.stop()
    let deadline = EventLoop.clock() + seconds.nanoseconds
    for each in running.loops { await each.perform { $0.drain() } }
    while await !running.isEmpty, EventLoop.clock() < deadline {
      // Nobody polls any more.
      if await running.sessionCount == 0 {
        for each in running.loops { await each.perform { $0.endIdle(keepsSessions: false) } }
      }
      await running.loops[0].pause()
    }
    for each in running.loops { await each.perform { $0.abort() } }
    await running.group.stop()
    // The loops' state and the directory know each other.
    running.loops.first?.directory.setHomes([])
    let waiters = unsafe state.withLock { state in
      state.running = nil
      state.isStopping = false
      state.hasStopped = true
      state.routes = Routes()
      defer { unsafe state.stopWaiters = unsafe [] }
      return unsafe state.stopWaiters
    }
    for index in unsafe waiters.indices { unsafe waiters[index].resume() }
  }

  /// The loops it runs on; nil before the start.
  var loops: EventLoopGroup? { state.withLock { $0.running?.group } }

  /// System calls made by all loops so far.
  public func systemCalls() async -> SystemCalls {
    var sum = SystemCalls()
    for each in state.withLock({ $0.running })?.loops ?? [] {
      sum = sum + (await each.perform { $0.loop.systemCalls })
    }
    return sum
  }

  /// What clients that read too slowly have led to since the start, over all sessions.
  public func slowConsumerCounters() async -> SlowConsumerCounters {
    var sum = SlowConsumerCounters()
    for each in state.withLock({ $0.running })?.loops ?? [] {
      sum = sum + (await each.perform { $0.slowConsumers })
    }
    return sum
  }

  /// Sessions that are open.
  public func sessionCount() async -> Int {
    await state.withLock({ $0.running })?.sessionCount ?? 0
  }
}

extension ServerLoop {
  /// Runs `body` on the loop and returns what it returned.
  func perform<Result: Sendable>(
    _ body: @escaping @Sendable (ServerLoop) -> Result
  ) async -> Result {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in unsafe continuation.resume(returning: body(self)) }
    }
  }

  /// Waits for one step of the timer wheel.
  func pause() async {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        loop.schedule(at: EventLoop.clock() + 5_000_000) { unsafe continuation.resume() }
      }
    }
  }
}
