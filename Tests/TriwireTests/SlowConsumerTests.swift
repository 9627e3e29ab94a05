import TestSupport
import Testing
import Triwire

/// Takes one message at a time, and says when.
private final class Clogged: Transport {
  var taken: [Message] = []
  var session: Session?
  var hasClosed = false
  private(set) var queuedBytes = 0
  var kind: TransportKind { .webSocket }
  var traffic: Traffic { Traffic() }

  func send(_ kind: MessageKind, _ payload: Span<UInt8>, _ compression: MessageCompression) {
    #expect(!hasClosed)
    taken.append(Message(binary: payload.indices.map { payload[$0] }))
    queuedBytes += 1
  }

  func send(_ broadcast: Broadcast) {}
  func close(_ code: CloseCode, _ reason: String) { hasClosed = true }
  func abort() { session?.ended(SessionEnd(code: .abnormal)) }
  func resumeDelivery() {}

  /// The peer has read all, and the session does not know it yet.
  func empty() { queuedBytes = 0 }

  /// The peer has read all.
  func drain() {
    empty()
    session?.drained(0)
  }

  /// What each message was called.
  var texts: [String] { taken.map(\.text) }
}

/// What `WaitingMessages` does, said with a plain array.
private struct PlainQueue {
  struct Entry {
    let text: String
    let key: String?
    let since: Int
    var cost: Int { text.utf8.count + (key?.utf8.count ?? 0) }
  }

  let limits: SessionLimits
  var entries: [Entry] = []
  var left = 0

  mutating func add(_ text: String, _ key: String?) {
    var since = left
    if limits.slowConsumer == .latestPerKey, let key,
      let index = entries.lastIndex(where: { $0.key == key }),
      left - entries[index].since <= entries.count
    {
      since = entries.remove(at: index).since
    }
    let entry = Entry(text: text, key: key, since: since)
    while !entries.isEmpty, !hasRoom(entry) {
      if limits.slowConsumer == .dropNewest { return }
      entries.removeFirst()
    }
    if limits.slowConsumerMessages > 0 { entries.append(entry) }
  }

  private func hasRoom(_ entry: Entry) -> Bool {
    entries.count < limits.slowConsumerMessages
      && entries.reduce(entry.cost) { $0 + $1.cost } <= limits.slowConsumerBytes
  }

  mutating func take() -> String? {
    guard !entries.isEmpty else { return nil }
    left += 1
    return entries.removeFirst().text
  }
}

@Suite("Slow consumers", .takesTurns)
struct SlowConsumerTests {
  /// Runs `body` on a loop with a session whose carrier is behind after each message.
  private func withClogged(
    _ policy: SlowConsumerPolicy, messages: Int = 4, bytes: Int = 1 << 20,
    _ body: @escaping @Sendable (Session, Clogged) -> Void
  ) async throws {
    try await withLoops { group in
      let loop = group.loops[0]
      // In a task of the test, so that what fails there fails the test.
      try await within("the loop runs the test") {
        await Task(executorPreference: loop) {
          var limits = SessionLimits()
          limits.queuedBytes = 1
          limits.slowConsumer = policy
          limits.slowConsumerMessages = messages
          limits.slowConsumerBytes = bytes
          let carrier = Clogged()
          let session = Session(
            carrier: carrier, request: RequestHead(target: "/"), loop: loop, limits: limits)
          carrier.session = session
          body(session, carrier)
          carrier.abort()
          carrier.session = nil
        }.value
      }
    }
  }

  @Test("A message without a key replaces none, is replaced by none, and gives way by age")
  func withoutKeys() async throws {
    try await withClogged(.latestPerKey) { session, carrier in
      session.sendNow(Message("first"))
      for text in ["a", "b"] { #expect(session.sendNow(Message(text)) == .queued) }
      session.sendNow(Message("k1"), key: "k")
      session.sendNow(Message("k2"), key: "k")
      session.sendNow(Message("c"))
      session.sendNow(Message("d"))
      for _ in 0..<5 { carrier.drain() }
      #expect(carrier.texts == ["first", "b", "k2", "c", "d"])
      #expect(session.slowConsumerCounters.replaced == 1)
      #expect(session.slowConsumerCounters.droppedOldest == 1)
    }
  }

  @Test("No message overtakes those that wait, nor does any when the carrier has room again")
  func overtaking() async throws {
    try await withClogged(.dropOldest) { session, carrier in
      for text in ["a", "b"] { session.sendNow(Message(text)) }
      carrier.empty()
      #expect(session.sendNow(Message("c")) == .queued)
      #expect(carrier.texts == ["a"])
      for _ in 0..<2 { carrier.drain() }
      #expect(carrier.texts == ["a", "b", "c"])
      carrier.drain()
      #expect(session.sendNow(Message("d")) == .queued)
      #expect(carrier.texts == ["a", "b", "c", "d"])
    }
  }

  @Test("A key that changes more often than the peer reads has its turn all the same")
  func fairness() async throws {
    try await withClogged(.latestPerKey, messages: 100) { session, carrier in
      for number in 0..<1000 {
        session.sendNow(Message("hot \(number)"), key: "hot")
        session.sendNow(Message("cold \(number)"), key: "\(number % 20)")
        session.sendNow(Message("hot \(number)"), key: "hot")
        if number % 2 == 0 { carrier.drain() }
      }
      let hot = carrier.texts.filter { $0.hasPrefix("hot") }.count
      // 500 were read, at any time 21 keys wait, and each has its turn once in two rounds of them.
      #expect(hot >= 500 / 42)
    }
  }

  @Test("The queue is bounded by bytes as well, keys included, and one message always fits")
  func bytes() async throws {
    try await withClogged(.dropOldest, messages: 100, bytes: 10) { session, carrier in
      session.sendNow(Message("first"))
      for text in ["1234", "5678", "90"] { #expect(session.sendNow(Message(text)) == .queued) }
      #expect(session.sendNow(Message("ab"), key: "k") == .queued)
      #expect(session.slowConsumerCounters.droppedOldest == 1)
      #expect(session.sendNow(Message("far too long for it")) == .queued)
      for _ in 0..<2 { carrier.drain() }
      #expect(carrier.texts == ["first", "far too long for it"])
      #expect(session.slowConsumerCounters.droppedOldest == 4)
    }
    try await withClogged(.dropNewest, messages: 100, bytes: 10) { session, carrier in
      session.sendNow(Message("first"))
      #expect(session.sendNow(Message("far too long for it")) == .queued)
      #expect(session.sendNow(Message("x")) == .dropped)
      for _ in 0..<2 { carrier.drain() }
      #expect(carrier.texts == ["first", "far too long for it"])
    }
  }

  @Test("A queue of no messages drops what finds the peer behind", arguments: [0, -1])
  func none(messages: Int) async throws {
    for policy in SlowConsumerPolicy.allCases where policy != .suspend && policy != .close {
      try await withClogged(policy, messages: messages) { session, carrier in
        #expect(session.sendNow(Message("first")) == .queued)
        #expect(session.sendNow(Message("lost"), key: "k") == .dropped)
        carrier.drain()
        #expect(session.sendNow(Message("second"), key: "k") == .queued)
        #expect(carrier.texts == ["first", "second"])
        #expect(session.slowConsumerCounters.droppedNewest == 1)
      }
    }
  }

  @Test("What waits is handed on before a close, and forgotten with the session")
  func close() async throws {
    try await withClogged(.dropOldest) { session, carrier in
      for text in ["a", "b", "c"] { session.sendNow(Message(text)) }
      #expect(carrier.texts == ["a"])
      session.close()
      #expect(carrier.texts == ["a", "b", "c"])
      #expect(session.sendNow(Message("late")) == .closed)
    }
    try await withClogged(.dropOldest) { session, carrier in
      for text in ["a", "b", "c"] { session.sendNow(Message(text)) }
      carrier.abort()
      carrier.drain()
      #expect(carrier.texts == ["a"])
      #expect(session.sendNow(Message("late")) == .closed)
    }
  }

  @Test("Whatever is sent and read in whatever order, the queue does what a plain array does")
  func model() async throws {
    for seed in 0..<24 {
      let policy: SlowConsumerPolicy = [.dropOldest, .dropNewest, .latestPerKey][seed % 3]
      let room = [1, 2, 10, 300][seed / 3 % 4]
      try await withClogged(policy, messages: room, bytes: room * 6) { session, carrier in
        var random = Dice(state: UInt64(seed))
        var model = PlainQueue(limits: session.limits)
        var expected = ["first"]
        session.sendNow(Message("first"))
        for number in 0..<1000 {
          if random.roll(seed % 2 == 0 ? 2 : 5) == 0 {
            let isIdle = model.entries.isEmpty
            carrier.drain()
            if let next = model.take() { expected.append(next) }
            // Then the next message passes at once.
            if isIdle {
              session.sendNow(Message("at once"))
              expected.append("at once")
            }
          }
          let key = random.roll(4) == 0 ? nil : "\(random.roll(room + 2))"
          let text = String(repeating: "x", count: random.roll(4)) + "\(number)"
          session.sendNow(Message(text), key: key)
          model.add(text, key)
        }
        while let next = model.take() {
          expected.append(next)
          carrier.drain()
        }
        #expect(carrier.texts == expected, "seed \(seed)")
      }
    }
  }

  @Test(
    "A slow subscriber gets the policy's choice of a topic, and the others all of it",
    arguments: TransportKind.allCases, [false, true])
  func topic(kind: TransportKind, isResumable: Bool) async throws {
    let policy: SlowConsumerPolicy = isResumable ? .latestPerKey : .dropOldest
    var options = RouteOptions()
    options.limits = .patient
    options.limits?.slowConsumer = policy
    options.limits?.slowConsumerMessages = 10
    let sessions = Mailbox<Session>()
    let given = options
    var started = try await Rig.start { server in
      TopicTests.addTopics(server)
      server.session(at: "/slow", options: given) { session in
        session.subscribe(to: server.topic("heavy"))
        try await session.send("subscribed")
        sessions.put(session)
        _ = await session.ended()
      }
    }
    if isResumable { started.client.resume = ResumeOptions() }
    let rig = started
    let result: Result<Void, any Error>
    do {
      result = .success(try await Self.publish(rig, sessions, kind, policy))
    } catch {
      result = .failure(error)
    }
    try await rig.stop()
    try result.get()
  }

  private static func publish(
    _ rig: Rig, _ sessions: Mailbox<Session>, _ kind: TransportKind, _ policy: SlowConsumerPolicy
  ) async throws {
    let slow = try await rig.connect("/slow", over: kind)
    #expect(try await slow.take() == Message("subscribed"))
    let session = try await sessions.next("the slow subscriber's session")
    let other = try await rig.connect("/topics/heavy", over: kind)
    #expect(try await other.take() == Message("subscribed"))
    let topic = rig.server.topic("heavy")
    var published = 0
    var counters = SlowConsumerCounters()
    while counters.dropped < 15, published < 4000 {
      let message = Message("\(published) " + String(repeating: "x", count: 64 << 10))
      topic.publish(message, key: "\(published % 5)")
      published += 1
      #expect(try await other.take() == message)
      counters = await rig.server.slowConsumerCounters()
    }
    #expect(counters.dropped >= 15)
    #expect(try await session.loop.run { session.isOpen })
    let own = try await session.loop.run { session.slowConsumerCounters }
    #expect(own.dropped == counters.dropped)
    #expect(own.closed == 0)
    let got = try await slow.take(published - Int(counters.dropped)).compactMap {
      $0.text.split(separator: " ").first.flatMap { Int($0) }
    }
    #expect(got == got.sorted())
    let kept = policy == .latestPerKey ? 5 : 10
    #expect(got.suffix(kept) == [Int](published - kept..<published)[...])
    // It is up to date again.
    topic.publish(Message("after"))
    #expect(try await slow.take() == Message("after"))
    #expect(try await other.take() == Message("after"))
    slow.close()
    other.close()
  }

  @Test("Events that waited for a slow subscriber keep their ids")
  func ids() async throws {
    var limits = SessionLimits.patient
    limits.slowConsumer = .dropOldest
    limits.slowConsumerMessages = 10
    try await Rig.run(session: limits, TopicTests.addTopics) { rig in
      let peer = try rig.rawPeer(receiveBuffer: 16_384)
      try await peer.send(request("GET /topics/heavy", "accept: text/event-stream"))
      #expect(try await peer.answerHead().status == 200)
      var text = ""
      while !text.contains("data: subscribed") { text += try await peer.chunkText() }
      let topic = rig.server.topic("heavy")
      while await rig.server.slowConsumerCounters().droppedOldest < 30, topic.position.number < 4000
      {
        let number = topic.position.number + 1
        topic.publish(Message("\(number) " + String(repeating: "x", count: 64 << 10)))
      }
      let last = topic.publish(Message("\(topic.position.number + 1) last")).number
      var ids: [UInt64] = []
      while ids.last != last {
        // A chunk is one event, whole: its id, its data, and an empty line.
        for line in try await peer.chunkText().split(separator: "\n") {
          if line.hasPrefix("id: ") { ids.append(TopicPosition(String(line.dropFirst(4))).number) }
          if line.hasPrefix("data: ") { #expect(line.hasPrefix("data: \(ids.last ?? 0) ")) }
        }
      }
      #expect(ids == ids.sorted())
      #expect(ids.suffix(10) == Array(last - 9...last)[...])
      let dropped = await rig.server.slowConsumerCounters().droppedOldest
      #expect(UInt64(ids.count) + dropped == last)
    }
  }

  @Test(
    "A message whose acknowledgement is awaited is not dropped", arguments: TransportKind.allCases)
  func acknowledged(kind: TransportKind) async throws {
    try await ResumableRig.run { configuration in
      configuration.session.slowConsumer = .dropOldest
      configuration.session.slowConsumerMessages = 1
      configuration.resume.windowMessages = 4
    } _: { rig in
      let client = try await rig.connect("/pair", over: kind)
      let server = try await rig.sessions.next("the server's end")
      let texts = Task {
        var texts: [String] = []
        for try await message in client.messages { texts.append(message.text) }
        return texts
      }
      try await withThrowingTaskGroup { tasks in
        for number in 0..<8 {
          tasks.addTask {
            #expect(try await server.sendAcknowledged(Message("\(number)"), within: 1000))
            for _ in 0..<20 { try await server.send("noise") }
          }
        }
        try await tasks.waitForAll()
      }
      server.close()
      let got = try await within("the session ends") { try await texts.value }
      #expect(Set(got.filter { $0 != "noise" }) == Set((0..<8).map { "\($0)" }))
      #expect(got.count(where: { $0 != "noise" }) == 8)
    }
  }

  @Test(
    "What a resumable session took while its client was away arrives once, what it dropped never",
    arguments: TransportKind.allCases)
  func away(kind: TransportKind) async throws {
    for policy in [SlowConsumerPolicy.dropOldest, .dropNewest, .latestPerKey] {
      try await ResumableRig.run { configuration in
        configuration.session.slowConsumer = policy
        configuration.session.slowConsumerMessages = 10
        configuration.resume.windowMessages = 20
      } _: { rig in
        let client = try await rig.connect("/pair", over: kind)
        let server = try await rig.sessions.next("the server's end")
        let recoveries = Mailbox<SessionRecovery>()
        client.whenRecovered { recoveries.put($0) }
        var dropped = 0
        for round in 0..<2 {
          client.suspend()
          let numbers = Array(round * 100..<round * 100 + 100)
          let results = try await server.loop.run {
            numbers.map { server.sendNow(Message("\($0)"), key: "\($0 % 7)") }
          }
          let handed = try #require(results.firstIndex(of: .queued)) + 1
          #expect(handed == 20)
          client.resume()
          let recovery = try await recoveries.next("the return")
          #expect(recovery.recovered)
          try await within("the queue moves on") { await server.drained() }
          // The next round begins with nothing under way.
          #expect(try await server.sendAcknowledged(Message("end"), within: 1000))
          let waiting = numbers.dropFirst(handed)
          let left: ArraySlice<Int> =
            switch policy {
            case .dropOldest: waiting.suffix(10)
            case .dropNewest: waiting.prefix(10)
            default: waiting.suffix(7)
            }
          dropped += waiting.count - left.count
          let expected = (numbers.prefix(handed) + left).map { Message("\($0)") }
          #expect(try await client.take(expected.count + 1) == expected + [Message("end")])
        }
        let counters = try await server.loop.run { server.slowConsumerCounters }
        #expect(counters.dropped == UInt64(dropped) && dropped > 100)
      }
    }
  }
}

/// Numbers that are the same for the same seed (splitmix64).
private struct Dice {
  var state: UInt64

  mutating func roll(_ sides: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((word ^ (word >> 31)) % UInt64(sides))
  }
}
