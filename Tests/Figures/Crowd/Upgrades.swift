import Synchronization
import Triwire
import TriwireFaults

/// Sessions that begin on long polling, since nothing else gets through, and move up to WebSocket
/// when it does, while messages flow over them both ways.
struct Upgrades {
  let server: String
  let clients: Int
  let messages: Int

  /// How long each session waits between two messages.
  private static let pace = Duration.milliseconds(200)

  private struct Count {
    var came = 0
    var doubled = 0
    var disordered = 0
    var alien = 0
    /// How many messages had been echoed when the session moved.
    var atMove: Int?
  }

  /// The echoes of all sessions, so that something can be done in the middle.
  private final class Middle: Sendable {
    private let state = Mutex<(left: Int, body: (@Sendable () -> Void)?)>((0, nil))

    init(after count: Int, _ body: @escaping @Sendable () -> Void) {
      state.withLock { $0 = (count, body) }
    }

    func count() {
      let body = state.withLock { state -> (@Sendable () -> Void)? in
        state.left -= 1
        return state.left == 0 ? state.body : nil
      }
      body?()
    }
  }

  func run() async throws {
    let relay = FaultRelay(to: server)
    let address = try await relay.start()
    try relay.set(["refuse-upgrade", "reset on sse"].map { try FaultRule(parsing: $0) })
    var configuration = TriwireClient.Configuration()
    // So that a move takes seconds, and not half a minute.
    configuration.fallback.betterSeconds = 2
    configuration.proxy = .none
    let client = TriwireClient("http://\(address)/echo", configuration: configuration)
    let comebacks = Comebacks()
    let sessions = try await each(clients) { number in
      let session = try await client.connect()
      guard await transport(of: session) == .longPolling else {
        throw Trouble(what: "a session opened on \(await transport(of: session))")
      }
      comebacks.watch(number, session)
      return session
    }
    tell("open")
    let middle = Middle(after: clients * messages / 5) {
      relay.restore()
      tell("unblocked")
    }
    let began = ContinuousClock.now
    let counts = try await play(sessions, middle, comebacks)
    let took = (ContinuousClock.now - began) / .milliseconds(1)
    await comebacks.have(clients)
    var onWebSocket = 0
    for session in sessions where await transport(of: session) == .webSocket { onWebSocket += 1 }
    report(counts, comebacks.all.values.map { $0 }, onWebSocket, took)
    for session in sessions { session.abort() }
    await relay.stop()
  }

  private func play(
    _ sessions: [Session], _ middle: Middle, _ comebacks: Comebacks
  ) async throws -> [Count] {
    let (messages, clients) = (messages, sessions.count)
    return try await withThrowingTaskGroup(of: Count.self) { group in
      for (number, session) in sessions.enumerated() {
        group.addTask {
          // Not all at once, but spread as the messages of many are.
          try await Task.sleep(for: Self.pace * number / clients)
          async let sending: Void = {
            for number in 1...messages {
              try await session.send("\(number)")
              try await Task.sleep(for: Self.pace)
            }
            try await session.send("last")
          }()
          let count = try await Self.read(messages, session, middle) {
            comebacks.all[number] != nil
          }
          try await sending
          return count
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
  }

  private static func read(
    _ messages: Int, _ session: Session, _ middle: Middle, hasMoved: () -> Bool
  ) async throws -> Count {
    var count = Count()
    var seen: Set<Int> = []
    var newest = 0
    for try await message in session.messages {
      if message.text == "last" { return count }
      count.came += 1
      middle.count()
      if count.atMove == nil, hasMoved() { count.atMove = seen.count }
      if let number = Int(message.text), 1...messages ~= number {
        if !seen.insert(number).inserted { count.doubled += 1 }
        if number < newest { count.disordered += 1 }
        newest = max(newest, number)
      } else {
        count.alien += 1
      }
    }
    throw Trouble(what: "a session ended: \(await session.ended())")
  }

  private func transport(of session: Session) async -> TransportKind {
    await withUnsafeContinuation { continuation in
      session.loop.execute { continuation.resume(returning: session.transport) }
    }
  }

  private func report(
    _ counts: [Count], _ recoveries: [[SessionRecovery]], _ onWebSocket: Int, _ took: Double
  ) {
    let moves = recoveries.joined().filter { $0.cause == nil }
    let came = counts.reduce(0) { $0 + $1.came }
    let doubled = counts.reduce(0) { $0 + $1.doubled }
    let alien = counts.reduce(0) { $0 + $1.alien }
    tell(
      "end",
      [
        ("clients", "\(clients)"), ("messages", "\(clients * messages)"), ("came", "\(came)"),
        ("lost", "\(clients * messages - (came - doubled - alien))"), ("doubled", "\(doubled)"),
        ("disordered", "\(counts.reduce(0) { $0 + $1.disordered })"), ("alien", "\(alien)"),
        ("onWebSocket", "\(onWebSocket)"), ("moves", "\(moves.count)"),
        ("losses", "\(recoveries.joined().count - moves.count)"),
        ("gaps", "\(recoveries.joined().count { !$0.recovered })"),
        ("latestMove", "\(counts.compactMap(\.atMove).max() ?? 0)"),
        (
          "movedWhileMessagesFlowed",
          "\(counts.count { $0.atMove != nil && $0.atMove != messages })"
        ),
        ("milliseconds", "\(took)"),
      ])
  }
}
