import Testing
import TestSupport
import Triwire

@Suite("Topics")
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
                positions.change { $0[position] = text }
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
      #expect(topic.position == 800 && order.count == 800)
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

  @Test("Last-Event-ID brings what was missed, then what is new (WHATWG HTML §9.2.4)")
  func missed() async throws {
    try await Rig.run(Self.addTopics) { rig in
      let topic = rig.server.topic("past")
      for number in 1...6 { topic.publish(Message("message \(number)")) }
      let peer = try rig.rawPeer()
      try await peer.send(
        request("GET /topics/past", "accept: text/event-stream", "last-event-id: 4"))
      #expect(try await peer.answerHead().status == 200)
      var text = ""
      while !text.contains("data: subscribed") { text += try await peer.chunkText() }
      #expect(text.contains("id: 5\ndata: message 5\n\nid: 6\ndata: message 6\n\n"), "\(text)")
      #expect(!text.contains("message 4"))
      topic.publish(Message("message 7"))
      #expect(try await peer.chunkText() == "id: 7\ndata: message 7\n\n")
    }
  }

  @Test("A topic keeps as much of its past as it is told, oldest forgotten first")
  func history() async throws {
    try await Rig.run(configure: { $0.history.messages = 10 }, Self.addTopics) { rig in
      let topic = rig.server.topic("past")
      for number in 1...500 { topic.publish(Message("message \(number)")) }
      // A position that was never given out belongs to another life of the topic.
      for position in ["0", "490", "100000", "3"] {
        let peer = try rig.rawPeer()
        try await peer.send(
          request("GET /topics/past", "accept: text/event-stream", "last-event-id: \(position)"))
        #expect(try await peer.answerHead().status == 200)
        var text = ""
        while !text.contains("data: subscribed") { text += try await peer.chunkText() }
        let ids = text.split(separator: "\n").filter { $0.hasPrefix("id: ") }.map {
          $0.dropFirst(4)
        }
        #expect(ids == (491...500).map { "\($0)" }, "after \(position)")
      }
    }
  }

  @Test("Who subscribes while others publish misses nothing and gets nothing twice")
  func subscribeWhilePublishing() async throws {
    try await Rig.run({ server in
      server.session(at: "/from/{name}") { session in
        session.subscribe(to: server.topic(session.parameter), after: 0)
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
