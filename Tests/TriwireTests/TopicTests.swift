import Testing
import TestSupport
import Triwire

@Suite("Topics", .takesTurns)
struct TopicTests {
  static func addTopics(_ server: TriwireServer) {
    server.session(at: "/topics/{name}") { session in
      let topic = server.topic(session.parameter)
      session.subscribe(to: topic, after: session.lastEventPosition)
      try await session.send("subscribed")
      for try await message in session.messages { topic.publish(message) }
    }
  }

  /// A client that has subscribed.
  func subscriber(_ rig: Rig, _ topic: String, _ kind: TransportKind) async throws -> Session {
    let session = try await rig.connect("/topics/\(topic)", over: kind)
    #expect(try await session.take() == Message("subscribed"))
    return session
  }

  @Test("Messages from many threads reach subscribers on all transports, all in the same order")
  func fanOut() async throws {
    try await Rig.run(Self.addTopics) { rig in
      var sessions: [Session] = []
      for kind in TransportKind.allCases {
        for _ in 0..<4 { sessions.append(try await subscriber(rig, "feed", kind)) }
      }
      let topic = rig.server.topic("feed")
      let positions = Shared<[UInt64: String]>([:])
      async let publishing: Void = withThrowingTaskGroup { tasks in
        for thread in 0..<4 {
          tasks.addTask {
            try await onThread {
              for number in 0..<200 {
                let text = "\(thread) \(number)"
                let position = topic.publish(
                  number % 5 == 0 ? Message(binary: Array(text.utf8)) : Message(text))
                positions.change { $0[position.number] = text }
              }
            }
          }
        }
        try await tasks.waitForAll()
      }
      var received: [[String]] = []
      for session in sessions { received.append(try await session.take(800).map(\.text)) }
      try await publishing
      let order = positions.value.sorted { $0.key < $1.key }.map(\.value)
      #expect(topic.position.number == 800 && order.count == 800)
      for texts in received { #expect(texts == order) }
      for session in sessions { session.close() }
    }
  }

  @Test("A subscriber's own message reaches it and the others", arguments: TransportKind.allCases)
  func publishBySubscriber(kind: TransportKind) async throws {
    try await Rig.run(Self.addTopics) { rig in
      let sender = try await subscriber(rig, "chat", kind)
      let other = try await subscriber(rig, "chat", .webSocket)
      try await sender.send("hello all")
      #expect(try await sender.take() == Message("hello all"))
      #expect(try await other.take() == Message("hello all"))
      sender.close()
      other.close()
    }
  }

  @Test(
    "What a handler publishes and then sends arrives in that order",
    arguments: TransportKind.allCases)
  func publishThenSend(kind: TransportKind) async throws {
    try await Rig.run({ server in
      server.session(at: "/mixed") { session in
        let topic = server.topic("mixed \(session.id)")
        session.subscribe(to: topic)
        for number in 0..<100 {
          if number % 3 == 0 {
            try await session.send("\(number)")
          } else {
            topic.publish(Message("\(number)"))
          }
          if number % 17 == 0 { await Task.yield() }
        }
        topic.publish(Message("last"))
      }
    }) { rig in
      let session = try await rig.connect("/mixed", over: kind)
      let texts = try await session.takeAll().map(\.text)
      #expect(texts == (0..<100).map { "\($0)" } + ["last"])
    }
  }

  /// What an event stream of a topic says until the subscription stands.
  private func visit(_ rig: Rig, _ topic: String, after id: String) async throws -> (
    peer: RawPeer, text: String
  ) {
    let peer = try rig.rawPeer()
    try await peer.send(
      request("GET /topics/\(topic)", "accept: text/event-stream", "last-event-id: \(id)"))
    #expect(try await peer.answerHead().status == 200)
    var text = ""
    while !text.contains("data: subscribed") { text += try await peer.chunkText() }
    return (peer, text)
  }

  @Test("Last-Event-ID brings what was missed, then what is new (WHATWG HTML §9.2.4)")
  func missed() async throws {
    try await Rig.run(Self.addTopics) { rig in
      let topic = rig.server.topic("past")
      let ids = (1...6).map { topic.publish(Message("message \($0)")) }
      let (peer, text) = try await visit(rig, "past", after: "\(ids[3])")
      let events = "id: \(ids[4])\ndata: message 5\n\nid: \(ids[5])\ndata: message 6\n\n"
      #expect(text.contains(events), "\(text)")
      #expect(!text.contains("message 4") && !text.contains("event: gap"))
      let last = topic.publish(Message("message 7"))
      #expect(last == topic.position && last.number == 7)
      #expect(try await peer.chunkText() == "id: \(last)\ndata: message 7\n\n")
    }
  }

  @Test(
    "Who has seen what a topic forgot, or another life of it, hears of a gap and gets what is kept")
  func history() async throws {
    try await Rig.run(configure: { $0.history.messages = 10 }, Self.addTopics) { rig in
      let topic = rig.server.topic("past")
      let ids = (1...500).map { topic.publish(Message("message \($0)")) }
      let kept = ids.suffix(10).map { "id: \($0)" }
      let gap = "id: \(ids[489])\nevent: gap\ndata: past\n\n"
      // Of the last: the epoch of another topic, what a future message would have, and no position.
      let foreign = rig.server.topic("other").publish(Message("-"))
      let future = "\(topic.beginning)000"
      for seen in ["\(topic.beginning)", "\(ids[488])", "\(foreign)", "\(future)9", "490", "x.y"] {
        let text = try await visit(rig, "past", after: seen).text
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("id: ") }.map { String($0) }
        #expect(lines == ["id: \(ids[489])"] + kept, "after \(seen)")
        #expect(text.contains(gap), "after \(seen): \(text)")
      }
      for seen in [ids[489], ids[499]] {
        let text = try await visit(rig, "past", after: "\(seen)").text
        #expect(!text.contains("event: gap"))
        #expect(text.contains("message 491") == (seen == ids[489]))
      }
    }
  }

  @Test(
    "A restart of the server begins a topic's positions anew, and the handler is told of the gap")
  func restart() async throws {
    let answers = Mailbox<Bool>()
    let addSeen: (TriwireServer) -> Void = { server in
      Self.addTopics(server)
      server.session(at: "/seen/{position}") { session in
        let position = TopicPosition(session.parameter)
        answers.put(session.subscribe(to: server.topic("life"), after: position))
        answers.put(session.subscribe(to: server.topic("life"), after: position))
        _ = await session.ended()
      }
    }
    let seen = Mailbox<TopicPosition>()
    try await Rig.run(addSeen) { rig in
      let topic = rig.server.topic("life")
      for number in 0..<3 { topic.publish(Message("\(number)")) }
      let position = topic.position
      for kind in TransportKind.allCases {
        let session = try await rig.connect("/seen/\(position)", over: kind)
        #expect(try await answers.next(2, "subscribing") == [true, true])
        session.close()
      }
      seen.put(position)
    }
    let position = try await seen.next("the position of before")
    try await Rig.run(addSeen) { rig in
      let topic = rig.server.topic("life")
      // As many as before, so that the number alone would tell nothing.
      for number in 0..<3 { topic.publish(Message("new \(number)")) }
      #expect(topic.position.number == position.number && topic.position != position)
      for kind in TransportKind.allCases {
        let session = try await rig.connect("/seen/\(position)", over: kind)
        #expect(try await answers.next(2, "subscribing") == [false, true])
        #expect(try await session.take(3).map(\.text) == ["new 0", "new 1", "new 2"])
        session.close()
      }
      let text = try await visit(rig, "life", after: "\(position)").text
      #expect(text.contains("id: \(topic.beginning)\nevent: gap\ndata: life\n\nid: "), "\(text)")
      // Who has heard of the gap hears of it once.
      let again = try await visit(rig, "life", after: "\(topic.beginning)").text
      #expect(!again.contains("event: gap") && again.contains("new 0"))
    }
  }

  @Test("Who subscribes while others publish misses nothing and gets nothing twice")
  func subscribeWhilePublishing() async throws {
    try await Rig.run({ server in
      server.session(at: "/from/{name}") { session in
        session.subscribe(
          to: server.topic(session.parameter), after: server.topic(session.parameter).beginning)
        _ = await session.ended()
      }
    }) { rig in
      for round in 0..<30 {
        let topic = rig.server.topic("round-\(round)")
        let publishing = Task {
          try await onThread { for number in 1...300 { topic.publish(Message("\(number)")) } }
        }
        let kind = TransportKind.allCases[round % 3]
        let session = try await rig.connect("/from/round-\(round)", over: kind)
        let texts = try await session.take(300).map(\.text)
        #expect(texts == (1...300).map { "\($0)" })
        try await publishing.value
        session.close()
      }
    }
  }

  @Test("A subscriber that does not read is closed with 1013, and disturbs nobody")
  func slowSubscriber() async throws {
    let ends = Mailbox<SessionEnd>()
    var limits = SessionLimits.patient
    limits.closeSeconds = 0.1
    try await Rig.run(
      session: limits,
      { server in
        Self.addTopics(server)
        server.session(at: "/slow") { session in
          session.subscribe(to: server.topic("heavy"))
          try await session.send("subscribed")
          ends.put(await session.ended())
        }
      }
    ) { rig in
      let slow = try rig.rawPeer(receiveBuffer: 16_384)
      try await slow.send(UpgradeTests.handshake("GET /slow HTTP/1.1"))
      #expect(try await slow.answerHead().status == 101)
      _ = try await slow.receive(12)
      var others: [Session] = []
      for kind in TransportKind.allCases { others.append(try await subscriber(rig, "heavy", kind)) }
      let message = Message(binary: [UInt8](repeating: 7, count: 64 << 10))
      var rounds = 0
      while ends.waiting.isEmpty, rounds < 1000 {
        rig.server.topic("heavy").publish(message)
        for other in others { #expect(try await other.take() == message) }
        rounds += 1
      }
      let end = try await ends.next("the slow subscriber is cut off")
      #expect(end.code == .tryAgainLater && end.isLocal)
      #expect(end.reason.contains("raise limits.queuedBytesHard"))
      rig.server.topic("heavy").publish(Message("after"))
      for other in others {
        #expect(try await other.take() == Message("after"))
        other.close()
      }
    }
  }

  @Test("Who unsubscribes, or has ended, gets nothing more, and a topic knows that nobody listens")
  func unsubscribe() async throws {
    try await Rig.run({ server in
      server.session(at: "/leaves") { session in
        let topic = server.topic("left")
        session.subscribe(to: topic)
        session.subscribe(to: topic)
        topic.publish(Message("once"))
        session.unsubscribe(from: topic)
        topic.publish(Message("never"))
        try await session.send("end")
      }
    }) { rig in
      let session = try await rig.connect("/leaves", over: .webSocket)
      #expect(try await session.takeAll() == [Message("once"), Message("end")])
      #expect(!rig.server.topic("left").hasSubscribers)
    }
  }
}
