import TestSupport
import Testing
import Triwire
import TriwireFaults

@Suite("Relay: sessions through it", .serialized, .takesTurns)
struct SessionTests {
  /// Runs `body` with an echo server and a relay before it.
  private func run(
    _ rules: [String] = [],
    _ body: @escaping @Sendable (FaultRelay, TriwireClient) async throws -> Void
  ) async throws {
    var patient = TriwireServer.Configuration()
    patient.headSeconds = 1000
    patient.bodySeconds = 1000
    patient.keepAliveSeconds = 1000
    patient.session.heartbeatSeconds = 1000
    patient.session.pollGapSeconds = 1000
    let server = TriwireServer(configuration: patient)
    server.session(at: "/echo") { session in
      for try await message in session.messages { try await session.send(message) }
    }
    let behind = try await within("the server starts") { try await server.start(on: "127.0.0.1:0") }
    var configuration = FaultRelay.Configuration()
    configuration.connectTimeout = .seconds(1000)
    configuration.rules = try rules.map { try FaultRule(parsing: $0) }
    let relay = FaultRelay(to: "\(behind)", configuration: configuration)
    let address = try await within("the relay starts") { try await relay.start() }
    // What the faults do to the bare transports.
    var plain = TriwireClient.Configuration()
    plain.resume = nil
    plain.openSeconds = 1000
    plain.connectSeconds = 1000
    plain.session.closeSeconds = 1000
    plain.session.heartbeatSeconds = 1000
    let client = TriwireClient("http://\(address)/echo", configuration: plain)
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(relay, client))
    } catch {
      result = .failure(error)
    }
    try await within("the relay stops") { await relay.stop() }
    try await within("the server stops") { await server.stop(within: 0.2) }
    try result.get()
  }

  private func echo(_ texts: [String], _ session: Session) async throws {
    try await within("\(texts.count) echoes come") {
      for text in texts { try await session.send(text) }
      var iterator = session.messages.makeAsyncIterator()
      for text in texts { #expect(try await iterator.next()?.text == text) }
    }
  }

  private static let kinds: [TransportKind: RequestKind] = [
    .webSocket: .webSocket, .serverSentEvents: .eventStream, .longPolling: .poll,
  ]

  @Test("Each transport works through it, byte by byte as well", arguments: TransportKind.allCases)
  func transports(kind: TransportKind) async throws {
    for rules in ["trickle", "stall up 1 ms on delete"] {
      try await run([rules]) { relay, client in
        let session = try await within("a session opens") {
          try await client.connect(over: [kind])
        }
        try await echo(["hello", String(repeating: "long ", count: 500), "bye"], session)
        session.close()
        #expect(await session.ended().isClean)
        let requests = await relay.counters().requests
        let wanted = try #require(Self.kinds[kind])
        #expect(requests[wanted, default: 0] > 0, "\(requests)")
        #expect((requests[.post] ?? 0 > 0) == (kind != .webSocket), "\(requests)")
        #expect(requests[.other] == nil, "\(requests)")
      }
    }
  }

  @Test(
    "A client falls back to the next transport from one that is refused",
    arguments: [
      (["refuse-upgrade"], TransportKind.serverSentEvents),
      (["refuse-upgrade", "cut on sse"], TransportKind.longPolling),
    ])
  func fallback(_ rules: [String], _ kind: TransportKind) async throws {
    try await run(rules) { _, client in
      let session = try await within("a session opens") { try await client.connect() }
      #expect(session.transport == kind)
      try await echo(["hello"], session)
      session.abort()
    }
  }

  @Test("1,000 connections at once each get their own, and none is left after a cut")
  func thousand() async throws {
    Process.raiseDescriptorLimit()
    try await run { relay, client in
      let sessions = try await within("1,000 sessions open") {
        try await withThrowingTaskGroup(of: Session.self) { tasks in
          for _ in 0..<1000 { tasks.addTask { try await client.connect(over: [.webSocket]) } }
          var sessions: [Session] = []
          for try await session in tasks { sessions.append(session) }
          return sessions
        }
      }
      #expect(await relay.counters().open == 1000)
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        for (number, session) in sessions.enumerated() {
          tasks.addTask { try await echo(["\(number)", "again \(number)"], session) }
        }
        try await tasks.waitForAll()
      }
      relay.cutAll(.reset)
      let counters = await relay.counters()
      #expect(counters.open == 0)
      #expect(counters.faults == ["reset": 1000])
      for session in sessions { session.abort() }
    }
  }
}
