import TestSupport
import Testing
import TriwireFaults
import TriwireIO

@Suite("Relay: rules", .takesTurns)
struct RuleTests {
  /// Which of the connections with these numbers are refused.
  private func refused(of count: Int, seed: UInt64, _ rules: String...) async throws -> [Int] {
    let numbers = Shared<[Int]>([])
    let rule = rules[0]
    let other = rules.count > 1 ? rules[1] : "trickle on other"
    try await RelayRig.run(other, rule, seed: seed) { rig in
      for _ in 0..<count { _ = try rig.peer() }
      try await rig.wait("all came") { $0.connections == count }
      let struck = rig.records.waiting.filter { $0.rule.fault == .refuse }
      numbers.change { $0 = struck.map(\.connection) }
    }
    return numbers.value
  }

  @Test("The same seed gives the same faults, another seed others, and the chance is kept")
  func seeds() async throws {
    let first = try await refused(of: 300, seed: 7, "refuse chance 0.3")
    #expect(try await refused(of: 300, seed: 7, "refuse chance 0.3") == first)
    // Another rule that strikes beside it changes nothing.
    #expect(
      try await refused(of: 300, seed: 7, "refuse chance 0.3", "stall up chance 0.5") == first)
    #expect(try await refused(of: 300, seed: 8, "refuse chance 0.3") != first)
    // 300 × 0.3 = 90, with a deviation of 8.
    #expect(50...130 ~= first.count, "\(first.count)")
  }

  @Test(
    "Matches are counted, and the ones that are picked are struck",
    arguments: [
      ("refuse", [1, 2, 3, 4, 5, 6, 7]), ("refuse nth 3", [3]), ("refuse first 2", [1, 2]),
      ("refuse every 3", [3, 6]),
    ])
  func picks(_ rule: String, _ numbers: [Int]) async throws {
    #expect(try await refused(of: 7, seed: 1, rule) == numbers)
  }

  @Test("A rule for a place that an answer has passed already strikes at once", arguments: [0, 4])
  func placeIsPast(bytes: Int) async throws {
    try await RelayRig.run { rig in
      let (client, stream, _) = try await rig.pair(sending: events)
      let sent = eventsHead + "data: 1\n\n"
      try await stream.send(sent)
      #expect(try await client.text(sent.utf8.count) == sent)
      rig.relay.set([FaultRule(.cut(.finish), on: [.eventStream], after: .answer(bodyBytes: bytes))]
      )
      #expect(try await client.rest() == "")
    }
  }

  @Test("A strike with a chance draws anew each time, so that nobody is spared for ever")
  func strikesAnew() async throws {
    try await RelayRig.run { rig in
      let clients = try (0..<8).map { _ in try rig.peer() }
      try await rig.wait("all came") { $0.connections == 8 }
      let rule = try FaultRule(parsing: "stall 1 ms chance 0.3")
      for _ in 0..<60 { rig.relay.strike(rule) }
      _ = await rig.relay.counters()
      #expect(Set(rig.records.waiting.map(\.connection)) == Set(1...clients.count))
    }
  }

  @Test("Requests are counted by what the rule concerns, not by connection")
  func countsRequests() async throws {
    try await RelayRig.run("cut on post after answer nth 2") { rig in
      let (client, stream, received) = try await rig.pair(sending: post("1"))
      try await stream.send(ok("1"))
      try await client.send(poll)
      // An answer that overtakes its request is no HTTP, and what follows passes unread.
      #expect(try await received.text((post("1") + poll).utf8.count) == post("1") + poll)
      try await stream.send(ok("p"))
      #expect(try await client.text((ok("1") + ok("p")).utf8.count) == ok("1") + ok("p"))
      try await client.send(post("2"))
      let all = post("1") + poll + post("2")
      #expect(try await received.text(all.utf8.count) == all)
      try await stream.send(ok("2"))
      #expect(try await client.rest() == ok("2").dropLast())
      let record = try await rig.records.next("the cut")
      #expect(record.connection == 1)
      #expect(record.kind == .post)
      #expect(record.path == "/up")
      #expect(record.age ?? .zero > .zero)
      #expect(
        record.description.hasSuffix(" s  connection 1 (post): cut on post after answer nth 2"))
    }
  }

  @Test("A rule that is set strikes what is there and what comes, and one that stays counts on")
  func live() async throws {
    try await RelayRig.run("refuse nth 3") { rig in
      let (streaming, _, _) = try await rig.pair(sending: events)
      let (polling, stream, _) = try await rig.pair(sending: poll)
      let stay = try FaultRule(parsing: "refuse nth 3")
      rig.relay.set([stay, try FaultRule(parsing: "cut on sse")])
      #expect(try await streaming.receiveAll().isEmpty)
      try await rig.peer().expectReset()
      let next = try rig.peer()
      try await next.send(events)
      #expect(try await next.receiveAll().isEmpty)
      try await stream.send(ok(""))
      #expect(try await polling.text(ok("").utf8.count) == ok(""))
      #expect(await rig.relay.counters().faults == ["cut": 2, "refuse": 1])
    }
  }

  @Test("What is set before the start is in force at the first connection")
  func early() async throws {
    try await withLobby { server, _ in
      let relay = FaultRelay(to: "\(server.address)")
      relay.set([FaultRule(.trickle(.up))])
      relay.add(FaultRule(.refuse))
      let address = try await relay.start()
      try await RawPeer(to: address).expectReset()
      await relay.stop()
      relay.set([])
      #expect(await relay.counters().faults == ["trickle": 1, "refuse": 1])
      #expect(throws: RawPeer.Failure.self) { _ = try RawPeer(to: address) }
    }
  }

  @Test("An address that is wrong, or taken, is an error that says so")
  func addresses() async throws {
    try await withLobby { server, _ in
      let taken = await #expect(throws: IOError.self) {
        try await FaultRelay(to: "127.0.0.1:1").start(on: "\(server.address)")
      }
      #expect(taken?.operation == "listen on \(server.address)")
      let wrong = await #expect(throws: IOError.self) {
        try await FaultRelay(to: "8080").start()
      }
      #expect(
        wrong?.description
          == "relay to 8080: write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
    }
  }

  @Test("Rules may be set from any thread, and the last one holds")
  func threads() async throws {
    try await RelayRig.run { rig in
      try await within("many set rules") {
        await withTaskGroup(of: Void.self) { tasks in
          for number in 1...8 {
            tasks.addTask {
              for step in 1...50 {
                rig.relay.set([FaultRule(.stall(.up, for: nil), pick: .nth(number * step))])
              }
            }
          }
        }
      }
      rig.relay.set([FaultRule(.refuse)])
      try await rig.peer().expectReset()
      rig.relay.restore()
      _ = try await rig.pair(sending: poll)
    }
  }

  @Test("A schedule brings rules and takes them, and strikes what is there")
  func schedule() async throws {
    try await RelayRig.run { rig in
      let (client, stream, _) = try await rig.webSocket()
      let (polling, _, _) = try await rig.pair(sending: poll)
      let began = EventLoop.clock()
      rig.relay.play([
        FaultSchedule.Entry(at: .milliseconds(120), try FaultRule(parsing: "reset on poll")),
        FaultSchedule.Entry(
          at: .milliseconds(20), for: .milliseconds(60),
          try FaultRule(parsing: "stall on websocket")),
      ])
      let stall = try await rig.records.next("the stall")
      #expect(stall.rule.description == "stall on websocket")
      #expect(EventLoop.clock() - began >= 20_000_000)
      try await stream.send("after the stall")
      #expect(try await client.text(15) == "after the stall")
      #expect(EventLoop.clock() - began >= 80_000_000)
      try await polling.expectReset()
      #expect(EventLoop.clock() - began >= 120_000_000)
      // It struck those that were there: the next poll passes.
      _ = try await rig.pair(sending: poll)
    }
  }

  @Test("A relay that is restored plays no schedule any more")
  func restoredSchedule() async throws {
    try await RelayRig.run { rig in
      rig.relay.play([FaultSchedule.Entry(at: .milliseconds(30), FaultRule(.cut(.reset)))])
      rig.relay.restore()
      let (client, stream, _) = try await rig.pair(sending: poll)
      // Played after it, and so struck after it would have been.
      rig.relay.play([
        FaultSchedule.Entry(at: .milliseconds(60), FaultRule(.trickle(.down)))
      ])
      #expect(try await rig.nextFault() == "trickle")
      try await stream.send(ok("still there"))
      #expect(try await client.text(ok("still there").utf8.count) == ok("still there"))
    }
  }
}
