import Testing
import TestSupport
import Triwire
import TriwireIO

/// Moves to a better transport, beside the connection that still works.
@Suite("Moves to a better transport", .takesTurns)
struct MoveTests {
  @Test("A poll brings what follows its request, although its connection began before that")
  func pollBesideAnother() async throws {
    let polls = Shared(0)
    try await run([.longPolling, .serverSentEvents]) { head in
      if head.wantsEventStream {
        return .say(
          Self.stream(Self.hello, Self.event(1, "one"), Self.event(2, "two")))
      }
      if head.hasPrefix("POST") { return .say("HTTP/1.1 204 No Content\r\n\r\n") }
      // Not at once, so that the session opens over events.
      polls.change { $0 += 1 }
      if polls.value == 1 { return .say(Self.refusal) }
      // The move was asked for when the second message had not come.
      let line = "hello \(Self.epoch) 0 1 25000 20000"
      if head.hasToken(".2") == false || head.contains("wait=0") {
        return .say("HTTP/1.1 204 No Content\r\ntriwire-control: \(line)\r\n\r\n")
      }
      // A record of five bytes of text.
      return .say(
        "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.triwire.batch\r\n"
          + "content-length: 6\r\n\r\n\u{14}three")
    } body: { session in
      for text in ["one", "two", "three"] {
        let message = try await session.take()
        #expect(message?.text == text)
      }
      let kind = try await session.loop.run { session.transport }
      #expect(kind == .longPolling)
    }
  }

  @Test("A session outlives a move that fails, however long ago it was connected")
  func failedMove() async throws {
    let streams = Shared(0)
    let failed = Gate()
    try await run([.serverSentEvents, .longPolling]) { head in
      if head.wantsEventStream {
        streams.change { $0 += 1 }
        let number = streams.value
        // The first is the opening's, the second a probe's, the third the move's.
        if number == 2 { return .say(Self.stream(Self.hello)) }
        if number == 3 { failed.open() }
        return .say(Self.refusal)
      }
      if head.contains("wait=0") {
        let line = "hello \(Self.epoch) 0 0 25000 20000"
        return .say("HTTP/1.1 204 No Content\r\ntriwire-control: \(line)\r\n\r\n")
      }
      return .silence
    } body: { session in
      try await onThread { failed.wait() }
      // What follows the failure has followed when the next look has begun.
      try await session.loop.wait("another look") { streams.value > 3 }
      let state = try await session.loop.run { (session.isOpen, session.transport) }
      #expect(state.0 && state.1 == .longPolling)
    }
  }

  @Test(
    "A poll that finds another life of the session brings nothing of it, and the client returns")
  func otherLife() async throws {
    let opened = Shared(0)
    try await run([.longPolling]) { head in
      let epoch = opened.value < 2 ? Self.epoch : "HGFEdcba"
      let hello = "triwire-control: hello \(epoch) 0 0 25000 20000\r\n"
      if head.contains("wait=0") {
        opened.change { $0 += 1 }
        return .say("HTTP/1.1 204 No Content\r\n\(hello)\r\n")
      }
      if opened.value == 1 { opened.change { $0 += 1 } }
      let other = opened.value == 2 ? "triwire-control: hello HGFEdcba 0 0 25000 20000\r\n" : ""
      return head.hasToken(".0")
        ? .say(
          "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.triwire.batch\r\n\(other)"
            + "content-length: 4\r\n\r\n\u{0C}new") : .silence
    } body: { session in
      let message = try await session.take()
      #expect(message?.text == "new")
      let counters = try await session.loop.run { session.resumeCounters }
      #expect(counters.lost == 1)
    }
  }

  private static let epoch = "ABCDefgh"
  private static let hello = "event: triwire\ndata: hello \(epoch) 0 0 25000 20000\n\n"
  private static let refusal =
    "HTTP/1.1 403 Forbidden\r\ncontent-length: 3\r\nconnection: close\r\n\r\nno\n"

  private static func event(_ number: Int, _ text: String) -> String {
    "id: \(epoch).\(number)\ndata: \(text)\n\n"
  }

  private static func stream(_ events: String...) -> String {
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + events.joined()
  }

  /// Opens a session over the first of these transports that the script lets through.
  private func run(
    _ order: [TransportKind], _ answer: @escaping @Sendable (String) -> ScriptedServer.Answer,
    body: @escaping @Sendable (Session) async throws -> Void
  ) async throws {
    try await withScript(answer) { server, configuration in
      var configuration = configuration
      configuration.resume = ResumeOptions()
      configuration.session = .patient
      configuration.fallback.betterSeconds = 0.02
      configuration.fallback.rememberSeconds = 0.02
      configuration.fallback.giveUpSeconds = 0
      configuration.fallback.backoffSeconds = 0.001
      let client = TriwireClient("http://\(server.address)/", configuration: configuration)
      let session = try await client.connect(over: order)
      try await body(session)
      session.abort()
    }
  }
}

extension String {
  /// Whether the session token of a head ends like that.
  fileprivate func hasToken(_ end: String) -> Bool {
    split(separator: "\r\n").contains {
      $0.lowercased().hasPrefix("triwire-session:") && $0.hasSuffix(end)
    }
  }
}
