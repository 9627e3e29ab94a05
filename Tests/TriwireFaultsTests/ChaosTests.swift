import TestSupport
import Testing
import Triwire
import TriwireFaults

@Suite("Relay: resumable sessions through it", .serialized, .takesTurns)
struct ChaosTests {
  /// A server that hears a fault soon, a relay before it, and clients that come back fast.
  func run(
    seed: UInt64 = 1, order: [TransportKind] = [.webSocket, .serverSentEvents, .longPolling],
    client configure: (inout TriwireClient.Configuration) -> Void = { _ in },
    server adjust: (inout TriwireServer.Configuration) -> Void = { _ in },
    _ body:
      @escaping @Sendable (
        FaultRelay, Mailbox<Session>, @escaping @Sendable () async throws -> Session
      ) async throws -> Void
  ) async throws {
    let sessions = Mailbox<Session>()
    var server = TriwireServer.Configuration()
    server.loops = 2
    server.session.heartbeatSeconds = 0.3 * slowness
    server.session.heartbeatGraceSeconds = 0.3 * slowness
    adjust(&server)
    let host = TriwireServer(configuration: server)
    host.session(at: "/pair") { session in
      sessions.put(session)
      _ = await session.ended()
    }
    let behind = try await within("the server starts") { try await host.start(on: "127.0.0.1:0") }
    var relaying = FaultRelay.Configuration()
    relaying.seed = seed
    let relay = FaultRelay(to: "\(behind)", configuration: relaying)
    let address = try await within("the relay starts") { try await relay.start() }
    let group = try EventLoopGroup(count: 1)
    var configuration = TriwireClient.Configuration()
    configuration.group = group
    configuration.session = server.session
    configuration.fallback.backoffSeconds = 0.02
    configuration.fallback.backoffLimitSeconds = 0.1
    configuration.fallback.trustSeconds = 0.5 * slowness
    configuration.fallback.postSeconds = 0.5 * slowness
    configuration.fallback.attemptSeconds = 1 * slowness
    configuration.fallback.staggerSeconds = 0.2
    configuration.fallback.betterSeconds = 0.1
    configuration.fallback.rememberSeconds = 0.2
    configure(&configuration)
    let fixed = configuration
    let connect: @Sendable () async throws -> Session = {
      try await within("a session opens") {
        try await TriwireClient("http://\(address)/pair", configuration: fixed)
          .connect(over: order)
      }
    }
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(relay, sessions, connect))
    } catch {
      result = .failure(error)
    }
    try await within("the relay stops") { await relay.stop() }
    try await within("the server stops") { await host.stop(within: 0.2) }
    try await within("the loops stop") { await group.stop() }
    try result.get()
  }

  @Test(
    "Nothing is lost, doubled or out of order while connections are cut, muted, blocked and moved",
    arguments: [1, 2, 3] as [UInt64])
  func chaos(seed: UInt64) async throws {
    let clients = 8
    let count = 1500
    try await run(seed: seed) { relay, sessions, connect in
      var pairs: [(client: Session, server: Session)] = []
      for _ in 0..<clients {
        let client = try await connect()
        pairs.append((client, try await sessions.next("the server's end")))
      }
      let strikes = Task {
        var random = SystemRandomNumberGenerator()
        let faults: [FaultRule] = [
          FaultRule(.cut(.reset), chance: 0.3), FaultRule(.cut(.finish), chance: 0.3),
          FaultRule(.mute(.down), chance: 0.2), FaultRule(.mute(.up), chance: 0.2),
          FaultRule(.mute(.both), chance: 0.2), FaultRule(.halfClose(.down), chance: 0.2),
        ]
        while !Task.isCancelled {
          if let fault = faults.randomElement(using: &random) { relay.strike(fault) }
          switch Int.random(in: 0..<12, using: &random) {
          case 0: relay.set([FaultRule(.refuseUpgrade(status: 403))])
          case 1: relay.set([FaultRule(.fakeUpgrade)])
          case 2: relay.set([FaultRule(.buffer(until: nil, holdsHead: false), on: [.eventStream])])
          case 3: relay.set([FaultRule(.blackHole, on: [.post])])
          case 4: relay.set([FaultRule(.refuse, chance: 0.5)])
          default: relay.set([])
          }
          try await Task.sleep(for: .milliseconds(20))
        }
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for pair in pairs {
          for (from, to) in [(pair.client, pair.server), (pair.server, pair.client)] {
            group.addTask {
              for number in 0..<count {
                try await from.send("\(number)")
                if number % 50 == 49 { try await Task.sleep(for: .milliseconds(5)) }
              }
            }
            group.addTask {
              let taken = try await within("\(count) messages") {
                var taken: [String] = []
                var iterator = to.messages.makeAsyncIterator()
                while taken.count < count, let message = try await iterator.next() {
                  taken.append(message.text)
                }
                return taken
              }
              let wrong = taken.indices.first { taken[$0] != "\($0)" }
              #expect(
                wrong == nil && taken.count == count,
                "\(to === pair.client ? "down" : "up") \(taken.count): \(wrong.map { taken[max(0, $0 - 2)..<min(taken.count, $0 + 8)] } ?? [])"
              )
            }
          }
        }
        try await group.waitForAll()
      }
      strikes.cancel()
      relay.restore()
      var moves = 0
      for pair in pairs { moves += await pair.client.attempts().count }
      #expect(moves > clients, "nothing was cut")
    }
  }

  @Test("A refused upgrade leads to Server-Sent Events, and the trace says why")
  func refusedUpgrade() async throws {
    try await run { relay, sessions, connect in
      relay.set([FaultRule(.refuseUpgrade(status: 403))])
      let client = try await connect()
      #expect(client.transport == .serverSentEvents)
      let attempts = await client.attempts()
      #expect(attempts.first?.transport == .webSocket)
      #expect(attempts.first?.outcome.contains("403") == true)
      #expect(attempts.first?.next == "sse")
      relay.set([])
      // It moves up by itself when WebSocket gets through.
      let server = try await sessions.next("the server's end")
      try await within("the session moves up") {
        while try await client.loop.run({ client.transport }) != .webSocket {
          try await client.send("x")
          _ = try await server.take()
        }
      }
    }
  }

  @Test("An attempt that was overtaken is in the trace")
  func overtaken() async throws {
    try await run(order: [.serverSentEvents, .longPolling]) { relay, _, connect in
      relay.set([FaultRule(.blackHole, on: [.eventStream])])
      let client = try await connect()
      let attempts = await client.attempts()
      #expect(attempts.map(\.transport) == [.serverSentEvents, .longPolling])
      #expect(attempts.first?.outcome == "no answer yet (handshake)")
      #expect(attempts.first?.next == "leave it to long-polling")
    }
  }

  @Test(
    "A gateway that does not reach the server blocks no transport, and one that refuses does",
    arguments: [
      (502, TransportKind.webSocket), (503, .webSocket), (504, .webSocket),
      (403, .serverSentEvents),
    ])
  func gateway(status: Int, second: TransportKind) async throws {
    try await run { configuration in
      configuration.fallback.rememberSeconds = 1000
      configuration.fallback.betterSeconds = 1000
    } _: { relay, _, connect in
      relay.set([FaultRule(.refuseUpgrade(status: status))])
      let first = try await connect()
      #expect(first.transport == .serverSentEvents)
      relay.set([])
      let next = try await connect()
      #expect(next.transport == second)
    }
  }

  @Test("A WebSocket that answers 101 and is mute then is given up for another transport")
  func muteUpgrade() async throws {
    try await run { relay, _, connect in
      relay.set([FaultRule(.fakeUpgrade)])
      let client = try await connect()
      #expect(client.transport != .webSocket)
    }
  }

  @Test("A WebSocket whose way up is mute is found out by its missing echo, and nothing is lost")
  func muteUp() async throws {
    try await run { relay, sessions, connect in
      relay.set([FaultRule(.mute(.up), on: [.webSocket], after: .answer(bodyBytes: 0))])
      let client = try await connect()
      let server = try await sessions.next("the server's end")
      try await client.send("hello")
      #expect(try await server.take()?.text == "hello")
      #expect(try await client.loop.run { client.transport } != .webSocket)
    }
  }

  @Test("A probe gets no message before the client uses it, though the server lost the session")
  func probeOfAnAbsentSession() async throws {
    try await run { configuration in
      // Only the server learns that the event stream is gone.
      configuration.fallback.rememberSeconds = 0.1
    } server: { configuration in
      configuration.session.heartbeatSeconds = 1000
    } _: { relay, sessions, connect in
      relay.set([FaultRule(.refuseUpgrade(status: 403))])
      let client = try await connect()
      #expect(client.transport == .serverSentEvents)
      let server = try await sessions.next("the server's end")
      relay.strike(FaultRule(.mute(.down), on: [.eventStream]))
      relay.strike(FaultRule(.halfClose(.up), on: [.eventStream]))
      try await within("the server loses the session's connection") {
        while try await server.loop.run({ server.resumeCounters.lost }) == 0 {
          await Task.yield()
        }
      }
      for number in 0..<100 { try await server.send("\(number)") }
      relay.set([])
      for number in 0..<100 { #expect(try await client.take()?.text == "\(number)") }
      #expect(try await client.loop.run { client.transport } == .webSocket)
    }
  }

  @Test("Polls that nobody answers are given up one after the other, and the session comes back")
  func unansweredPolls() async throws {
    try await run(order: [.longPolling]) { configuration in
      configuration.fallback.attemptSeconds = 0.1 * slowness
    } _: { relay, sessions, connect in
      let client = try await connect()
      let server = try await sessions.next("the server's end")
      relay.set([FaultRule(.blackHole, on: [.poll])])
      relay.cutAll()
      // Longer than a silent server is waited for.
      try await within("twelve attempts fail") {
        while try await client.loop.run({ client.resumeCounters.attempts }) < 13 {
          await Task.yield()
        }
      }
      try await server.send("still here")
      relay.set([])
      #expect(try await client.take()?.text == "still here")
    }
  }

  @Test("A buffered event stream leads to long polling")
  func bufferedEvents() async throws {
    try await run(order: [.serverSentEvents, .longPolling]) { relay, _, connect in
      relay.set([
        FaultRule(.buffer(until: nil, holdsHead: false), on: [.eventStream])
      ])
      let client = try await connect()
      try await within("long polling carries the session") {
        while try await client.loop.run({ client.transport }) != .longPolling {
          try await client.send("x")
          try await Task.sleep(for: .milliseconds(10))
        }
      }
    }
  }
}

extension Session {
  func take() async throws -> Message? {
    try await within("a message") {
      var iterator = self.messages.makeAsyncIterator()
      return try await iterator.next()
    }
  }
}
