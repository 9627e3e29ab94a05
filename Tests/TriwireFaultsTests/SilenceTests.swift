import TestSupport
import Testing
import Triwire
import TriwireFaults

/// What a client makes of ways that cut what is quiet, and of such that are silent themselves.
extension ChaosTests {
  @Test(
    "A session whose way cuts what is quiet asks for heartbeats, and is cut no more",
    arguments: [
      (TransportKind.webSocket, "websocket"), (.serverSentEvents, "sse"), (.longPolling, "poll"),
    ])
  func quiet(kind: TransportKind, name: String) async throws {
    let idle = Int(2000 * slowness)
    let rule = try FaultRule(parsing: "cut on \(name) after idle \(idle) ms")
    try await run(order: [kind]) { configuration in
      configuration.fallback.rememberSeconds = 1000
      configuration.session = SessionLimits()
    } server: { configuration in
      configuration.session = SessionLimits()
    } _: { relay, sessions, connect in
      relay.set([rule])
      let client = try await connect()
      let server = try await sessions.next("the server's end")
      try await within("a connection lives twice as long as a quiet one") {
        let clock = ContinuousClock()
        var (cuts, since) = (0, clock.now)
        while cuts == 0 || since.duration(to: clock.now) < .milliseconds(2 * idle) {
          let now = await relay.counters().faults["cut"] ?? 0
          if now != cuts { (cuts, since) = (now, clock.now) }
          try await Task.sleep(for: .milliseconds(20))
        }
      }
      let attempts = await client.attempts()
      let cut = try #require(attempts.first { $0.outcome.hasPrefix("cut after ") }, "\(attempts)")
      #expect(cut.transport == kind)
      #expect(cut.next.hasPrefix("ask for a heartbeat each "))
      try await server.send("still here")
      #expect(try await client.take()?.text == "still here")
    }
  }

  @Test("A WebSocket that answers 101 and is mute then is not what the next session tries first")
  func muteIsRemembered() async throws {
    try await run { configuration in
      configuration.fallback.rememberSeconds = 1000
      configuration.fallback.betterSeconds = 1000
      configuration.fallback.trustSeconds = 1000
    } _: { relay, _, connect in
      relay.set([FaultRule(.fakeUpgrade)])
      #expect(try await connect().transport == .serverSentEvents)
      let next = try await connect()
      #expect(await next.attempts().map(\.transport) == [.serverSentEvents])
    }
  }

  @Test(
    "A transport that only seemed silent, or found no server, is looked at again soon",
    arguments: [Fault.fakeUpgrade, .refuseUpgrade(status: 503)])
  func forgiven(fault: Fault) async throws {
    try await run { configuration in
      configuration.fallback.rememberSeconds = 1000
      configuration.fallback.betterSeconds = 1000
    } _: { relay, _, connect in
      relay.set([FaultRule(fault)])
      let first = try await connect()
      #expect(first.transport == .serverSentEvents)
      relay.set([])
      try await within("the session moves up") {
        while try await first.loop.run({ first.transport }) != .webSocket {
          try await Task.sleep(for: .milliseconds(5))
        }
      }
      #expect(try await connect().attempts().first?.transport == .webSocket)
    }
  }

  @Test("An event stream that is held back until its end opens nothing, and is remembered")
  func heldBack() async throws {
    try await run(order: [.serverSentEvents, .longPolling]) { configuration in
      configuration.fallback.rememberSeconds = 1000
      configuration.fallback.betterSeconds = 1000
    } _: { relay, _, connect in
      for holdsHead in [false, true] {
        relay.set([FaultRule(.buffer(until: nil, holdsHead: holdsHead), on: [.eventStream])])
        let client = try await connect()
        #expect(client.transport == .longPolling)
        let attempts = await client.attempts()
        #expect(!attempts.contains { $0.transport == .serverSentEvents && $0.outcome == "open" })
        let next = try await connect()
        #expect(await next.attempts().first?.transport == .longPolling)
      }
    }
  }

  @Test("A WebSocket that falls silent right after it was trusted is not tried first again")
  func silentFromTheBeginning() async throws {
    try await run { configuration in
      configuration.fallback.rememberSeconds = 1000
      configuration.fallback.betterSeconds = 1000
      // So long after it opened a byte would tell that it lives.
      configuration.fallback.trustSeconds = 60
    } _: { relay, _, connect in
      let client = try await connect()
      #expect(client.transport == .webSocket)
      // Its echo came before this answer.
      #expect(await client.ping() != nil)
      relay.strike(FaultRule(.mute(.down), on: [.webSocket]))
      try await within("another transport carries the session") {
        while try await client.loop.run({ client.transport }) == .webSocket {
          try await Task.sleep(for: .milliseconds(5))
        }
      }
      let attempts = await client.attempts()
      #expect(attempts.contains { $0.outcome == "nothing came after it had opened" }, "\(attempts)")
      #expect(try await connect().attempts().first?.transport == .serverSentEvents)
    }
  }

  @Test("The way up of an idle session is given back, and opens again with the next message")
  func wayUp() async throws {
    for kind in [TransportKind.serverSentEvents, .longPolling] {
      try await run(order: [kind]) { configuration in
        configuration.fallback.postIdleSeconds = 0.02
      } _: { relay, sessions, connect in
        let client = try await connect()
        let server = try await sessions.next("the server's end")
        for text in ["first", "second"] {
          try await client.send(text)
          #expect(try await server.take()?.text == text)
          try await within("the connection of the POST ends") {
            while await relay.counters().open > 1 { try await Task.sleep(for: .milliseconds(5)) }
          }
        }
        let requests = await relay.counters().requests
        #expect(requests[.post] == 2, "\(requests)")
        #expect(try await client.loop.run { client.resumeCounters.lost } == 0)
      }
    }
  }

  @Test("A client finds a dead WebSocket by the heartbeats that its server promised")
  func promised() async throws {
    try await run(order: [.webSocket]) { configuration in
      configuration.session.heartbeatSeconds = 1000
      configuration.session.heartbeatSecondsLeast = 0.1
      configuration.fallback.rememberSeconds = 0.1
    } _: { relay, sessions, connect in
      let client = try await connect()
      let server = try await sessions.next("the server's end")
      #expect(await client.ping() != nil)
      relay.strike(FaultRule(.mute(.both), on: [.webSocket]))
      relay.set([])
      try await server.send("still here")
      #expect(try await client.take()?.text == "still here")
      #expect(try await client.loop.run { client.resumeCounters.lost } == 1)
    }
  }
}
