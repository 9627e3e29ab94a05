import TestSupport
import Testing
import Triwire

@Suite("Requests and responses", .takesTurns)
struct RequestTests {
  private static func pair(
    _ rig: ResumableRig, over kind: TransportKind
  ) async throws -> (client: Session, server: Session) {
    let client = try await rig.connect("/pair", over: kind)
    return (client, try await rig.sessions.next("the server's end"))
  }

  /// The error that a request ends with.
  private static func failure(
    of session: Session, _ message: Message, within seconds: Double = 1000
  ) async throws -> RequestError {
    do {
      let answer = try await session.sendRequest(message, within: seconds)
      throw TestFailure("it was answered: \(answer.text)")
    } catch let error as RequestError {
      return error
    }
  }

  @Test(
    "Either side asks, text or binary, and gets its own answer among messages that keep their order",
    arguments: TransportKind.allCases)
  func bothWays(kind: TransportKind) async throws {
    try await ResumableRig.run { rig in
      let (client, server) = try await Self.pair(rig, over: kind)
      for session in [client, server] {
        try await session.answer { message in
          message.kind == .text
            ? Message(message.text + "!") : Message(binary: message.bytes.reversed())
        }
      }
      let bytes: [UInt8] = [0, 1, 2, 255]
      for asker in [client, server] {
        let other = asker === client ? server : client
        try await asker.send("before")
        async let first = asker.sendRequest(Message("one"), within: 1000)
        async let second = asker.sendRequest(Message(binary: bytes), within: 1000)
        #expect(try await first == Message("one!"))
        #expect(try await second == Message(binary: bytes.reversed()))
        try await asker.send("after")
        #expect(try await other.take(2).map(\.text) == ["before", "after"])
      }
    }
  }

  @Test(
    "A message that looks like a request or a control line arrives as it was sent",
    arguments: TransportKind.allCases)
  func lookalikes(kind: TransportKind) async throws {
    let texts = ["\0ask 1 t\nx", "\0", "\0\0ping 1", "\0ack 5", "\0answer 1 t\n"]
    try await ResumableRig.run { rig in
      let (client, server) = try await Self.pair(rig, over: kind)
      for text in texts {
        try await client.send(text)
        try await server.send(text)
      }
      #expect(try await server.take(texts.count).map(\.text) == texts)
      #expect(try await client.take(texts.count).map(\.text) == texts)
    }
  }

  @Test("A request without an answer ends at its deadline, and its late answer goes nowhere")
  func deadline() async throws {
    try await ResumableRig.run { rig in
      let (client, server) = try await Self.pair(rig, over: .webSocket)
      let (asked, go) = (Mailbox<Message>(), Mailbox<Void>())
      try await server.answer { message in
        asked.put(message)
        try await go.next("the word to answer")
        return message
      }
      let error = try await Self.failure(of: client, Message("slow"), within: 0.05)
      #expect(error == .timedOut(seconds: 0.05))
      #expect(try await asked.next("the request").text == "slow")
      go.put(())
      go.put(())
      #expect(try await client.sendRequest(Message("next"), within: 1000).text == "next")
    }
  }

  @Test("A refusal comes in the handler's words, and other errors stay on their side")
  func refusals() async throws {
    try await ResumableRig.run { rig in
      let (client, server) = try await Self.pair(rig, over: .webSocket)
      let nobody = try await Self.failure(of: client, Message("a"))
      #expect(nobody == .refused("nobody answers requests here"))
      try await server.answer { message in
        if message.text == "b" { throw RequestRefusal("not today") }
        throw TestFailure("a secret")
      }
      #expect(try await Self.failure(of: client, Message("b")) == .refused("not today"))
      #expect(try await Self.failure(of: client, Message("c")) == .refused("the handler failed"))
    }
  }

  @Test("More requests at once than the limit are refused, and the refusal names it")
  func crowd() async throws {
    try await ResumableRig.run(server: { $0.resume.requestsAtOnce = 1 }) { rig in
      let (client, server) = try await Self.pair(rig, over: .webSocket)
      let (asked, go) = (Mailbox<Message>(), Mailbox<Void>())
      try await server.answer { message in
        asked.put(message)
        try await go.next("the word to answer")
        return message
      }
      async let first = client.sendRequest(Message("first"), within: 1000)
      _ = try await asked.next("the first request")
      let error = try await Self.failure(of: client, Message("second"))
      #expect(error.description.contains("resume.requestsAtOnce"))
      go.put(())
      #expect(try await first.text == "first")
    }
  }

  @Test("A request that is repeated while it is under way is worked on once")
  func repeated() async throws {
    try await ResumableRig.run { rig in
      let peer = try rig.rig.rawPeer()
      let token = "triwire.session.name-of-mine.abcdefghijklmnopqrstuv.0.0"
      let handshake = UpgradeTests.handshake("GET /pair HTTP/1.1").dropLast(1)
      try await peer.send(handshake + "sec-websocket-protocol: triwire.1, \(token)\r\n\r\n")
      #expect(try await peer.answerHead().status == 101)
      let server = try await rig.sessions.next("the session")
      let (asked, go) = (Mailbox<Message>(), Mailbox<Void>())
      try await server.answer { message in
        asked.put(message)
        try await go.next("the word to answer")
        return message
      }
      for text in ["\0ask 1 t\nx", "\0ask 1 t\nx", "\0ask 1 t\nx", "\0ask 2 t\nlast"] {
        try await peer.send(UpgradeTests.frame(text))
      }
      #expect(try await asked.next("the first request").text == "x")
      #expect(try await asked.next("the other one").text == "last")
    }
  }

  /// A resumable WebSocket without rules, and the server's end of its session.
  private static func rawPair(_ rig: ResumableRig) async throws -> (peer: RawPeer, server: Session)
  {
    let peer = try rig.rig.rawPeer(receiveBuffer: 4096)
    let token = "triwire.session.name-of-mine.abcdefghijklmnopqrstuv.0.0"
    let handshake = UpgradeTests.handshake("GET /pair HTTP/1.1").dropLast(1)
    try await peer.send(handshake + "sec-websocket-protocol: triwire.1, \(token)\r\n\r\n")
    #expect(try await peer.answerHead().status == 101)
    return (peer, try await rig.sessions.next("the session"))
  }

  @Test("A peer that asks and asks, and reads nothing, is cut off with 1013")
  func askingForEver() async throws {
    try await ResumableRig.run { configuration in
      configuration.resume.windowMessages = 16
      configuration.session.closeSeconds = 0.05
    } _: { rig in
      let (peer, server) = try await Self.rawPair(rig)
      let asks = (1...100).flatMap { UpgradeTests.frame("\0ask \($0) t\nx") }
      try await peer.send(asks)
      let end = try await server.end()
      #expect(end.code == .tryAgainLater)
      #expect(end.isLocal)
    }
  }

  @Test("A peer that sends and pings, and reads nothing, costs no memory for each answer")
  func pingingForEver() async throws {
    try await ResumableRig.run { rig in
      let (peer, server) = try await Self.rawPair(rig)
      let taken = Shared(0)
      try await server.loop.run { server.receive { _, _ in taken.change { $0 += 1 } } }
      // The answers are more than the kernel keeps for a connection, 4 MiB.
      let (rounds, bundle) = (300, 1000)
      let one = UpgradeTests.frame("m") + UpgradeTests.frame("\0ping \(UInt64.max)")
      let frames = (0..<bundle).flatMap { _ in one }
      for _ in 0..<rounds { try await peer.send(frames) }
      try await peer.send(UpgradeTests.frame("\0ping 7"))
      let all = UInt64(rounds * frames.count + UpgradeTests.frame("\0ping 7").count)
      try await within("the server has read all") {
        while case let received = await server.traffic().received,
          received.total - received.http < all
        { try await Task.sleep(for: .milliseconds(5)) }
      }
      #expect(taken.value == rounds * bundle)
      // 28 bytes of pong and up to 13 of acknowledgement, each time.
      let sent = await server.traffic().sent.control
      #expect(sent < 5 << 20, "each was answered")
      try await within("the last ping is answered") {
        var (read, tail) = (0, [UInt8]())
        while !String(decoding: tail, as: UTF8.self).hasSuffix("\0pong 7") {
          let sent = await server.traffic().sent
          let some = min(Int(sent.total - sent.http) - read, 1 << 20)
          guard some > 0 else { continue }
          tail += try await peer.receive(some)
          tail.removeFirst(max(0, tail.count - 64))
          read += some
        }
      }
    }
  }

  @Test("A request survives the loss of its connection", arguments: TransportKind.allCases)
  func cut(kind: TransportKind) async throws {
    try await ResumableRig.run { rig in
      let (client, server) = try await Self.pair(rig, over: kind)
      let (asked, go) = (Mailbox<Message>(), Mailbox<Void>())
      try await server.answer { message in
        asked.put(message)
        try await go.next("the word to answer")
        return message
      }
      async let answer = client.sendRequest(Message("x"), within: 1000)
      _ = try await asked.next("the request")
      client.suspend()
      go.put(())
      client.resume()
      #expect(try await answer.text == "x")
    }
  }

  @Test("The end of a session, and of the task that waits, end a request")
  func ends() async throws {
    try await ResumableRig.run { rig in
      let (client, server) = try await Self.pair(rig, over: .webSocket)
      let asked = Mailbox<Message>()
      try await server.answer { message in
        asked.put(message)
        try await Task.sleep(for: .seconds(1000))
        return message
      }
      let waiter = Task { try await Self.failure(of: client, Message("1")) }
      _ = try await asked.next("the first request")
      waiter.cancel()
      #expect(try await waiter.value == .cancelled)
      async let error = Self.failure(of: client, Message("2"))
      _ = try await asked.next("the second request")
      server.close(CloseCode(rawValue: 4001), "enough")
      guard case .lost = try await error else { throw TestFailure("\(try await error)") }
      guard case .lost = try await Self.failure(of: client, Message("3")) else {
        throw TestFailure("a session that has ended took a request")
      }
    }
  }

  @Test("A plain session says that it carries no requests")
  func plain() async throws {
    try await Rig.run({ $0.session(at: "/pair") { _ = await $0.ended() } }) { rig in
      let client = try await rig.connect("/pair", over: .webSocket)
      #expect(try await Self.failure(of: client, Message("x")) == .notResumable)
    }
  }
}

private struct TestFailure: Error {
  let text: String

  init(_ text: String) { self.text = text }
}

extension Session {
  /// Answers requests; the handler is there when this returns.
  fileprivate func answer(
    with handler: @escaping @Sendable (Message) async throws -> Message
  ) async throws {
    answerRequests(with: handler)
    try await loop.run {}
  }
}
