import Triwire

/// The load side of one cell: a closed loop, in which each reply calls for the next message.
final class FloorClients: @unchecked Sendable {
  // What changes is touched on the loop alone, which is what makes `@unchecked Sendable` hold.

  private let loop: EventLoop
  private let configuration: TriwireClient.Configuration
  private let load: FloorTrial.Load
  private var links: [any FloorLink] = []
  private var replies: UInt64 = 0
  /// How many replies are still to come for what was sent.
  private var outstanding = 0
  private var isSending = false
  private var failure: String?

  /// How long replies may take when nothing more is sent.
  private static let patience: UInt64 = 5_000_000_000

  init(_ load: FloorTrial.Load, on group: EventLoopGroup) {
    self.load = load
    configuration = MeasuredConnections.clients(on: group)
    loop = group.loops[0]
  }

  /// Opens connections, one after the other.
  ///
  /// - Throws: `IOError` or `ConnectError` when one cannot be opened; `CancellationError`.
  func connect(_ carrier: FloorTrial.Carrier, of plan: FloorPlan, to ports: FloorServer.Ports)
    async throws
  {
    let isBroadcast = load == .broadcast
    let answer = plan.payload.bytes
    // What asks for a broadcast is as short as can be: only the broadcast is to be measured.
    let message = [UInt8](repeating: UInt8(ascii: "x"), count: isBroadcast ? 1 : answer)
    for _ in 0..<(isBroadcast ? plan.subscribers : plan.connections) {
      try Task.checkCancellation()
      switch carrier {
      case .bareTCP:
        let port = isBroadcast ? ports.broadcast : ports.echo
        try await connect(to: port, request: message, answerSize: answer)
      case .httpGet:
        let request = Array("GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".utf8)
        try await connect(to: ports.http, request: request, answerSize: nil)
      case .synchronous(let transport):
        let path = isBroadcast ? "topic/\(transport.rawValue)" : "sync"
        try await open(path, over: transport, ports, message, answer)
      case .asynchronous(let transport):
        try await open("async", over: transport, ports, message, answer)
      }
    }
  }

  private func connect(to port: UInt16, request: [UInt8], answerSize: Int?) async throws {
    guard let address = SocketAddress(host: "127.0.0.1", port: port) else { return }
    try await PlainStream.connect(to: address, on: loop, configuration: configuration) {
      [self] stream in add(StreamLink(stream, request: request, answerSize: answerSize))
    }
  }

  private func open(
    _ path: String, over transport: TransportKind, _ ports: FloorServer.Ports, _ message: [UInt8],
    _ answerSize: Int
  ) async throws {
    let url = "http://127.0.0.1:\(ports.http)/\(path)"
    let session = try await TriwireClient(url, configuration: configuration)
      .connect(over: [transport])
    await loop.perform { [self] in
      add(SessionLink(session, message: message, answerSize: answerSize))
    }
  }

  private func add(_ link: any FloorLink) {
    link.onReply = { [unowned self, unowned link] in replied(link) }
    link.onFailure = { [unowned self] reason in failure = failure ?? reason }
    links.append(link)
  }

  private func replied(_ link: any FloorLink) {
    replies += 1
    outstanding -= 1
    switch load {
    case .echo where isSending: send(over: link)
    case .broadcast where isSending && outstanding == 0: broadcast()
    case .echo, .broadcast: break
    }
  }

  private func send(over link: any FloorLink) {
    outstanding += 1
    link.send()
  }

  private func broadcast() {
    outstanding = links.count
    links[0].send()
  }

  /// Sends one message over each connection, or one to all, and waits until all have come: so
  /// that nothing is measured which happens once for a connection.
  func greet() async throws {
    await loop.perform { [self] in
      switch load {
      case .echo: for link in links { send(over: link) }
      case .broadcast: broadcast()
      }
    }
    try await settle()
  }

  /// Starts the closed loop.
  func begin() async {
    await loop.perform { [self] in
      isSending = true
      switch load {
      case .echo(let count): for link in links { for _ in 0..<count { send(over: link) } }
      case .broadcast: broadcast()
      }
    }
  }

  /// How many messages have arrived so far.
  func count() async -> UInt64 { await loop.perform { [self] in replies } }

  /// Sends nothing more, and waits until all that was sent has come back.
  ///
  /// - Throws: ``TrialFailure`` when it does not come.
  func settle() async throws {
    await loop.perform { [self] in isSending = false }
    let deadline = EventLoop.clock() + FloorClients.patience
    while let missing = try await missing() {
      guard EventLoop.clock() < deadline else {
        throw TrialFailure("\(grouped(missing)) messages did not come back within 5 s")
      }
      try await Task.sleep(nanoseconds: 2_000_000)
    }
  }

  /// How many messages have not come back, or `nil` when all have.
  private func missing() async throws -> Int? {
    let (count, reason) = await loop.perform { [self] in (outstanding, failure) }
    if let reason { throw TrialFailure("a connection failed: \(reason)") }
    return count > 0 ? count : nil
  }

  /// Ends all connections.
  func close() async {
    await loop.perform { [self] in
      for link in links { link.abort() }
      links = []
    }
  }
}
