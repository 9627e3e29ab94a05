import Testing
import TestSupport
import Triwire

@Suite("Client: the first transport that works", .takesTurns)
struct FallbackTests {
  static let refusal = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"
  static let stream =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: hello\n\ndata: by stream\n\n"

  @Test("WebSocket is what a good server gets")
  func best() async throws {
    try await Rig.run(TrafficTests.addEcho) { rig in
      let session = try await rig.connect(
        "/echo", over: [.webSocket, .serverSentEvents, .longPolling])
      #expect(session.transport == .webSocket)
      session.close()
    }
  }

  @Test("A server that refuses WebSocket gets Server-Sent Events")
  func toEventStream() async throws {
    try await withScript({ head in
      head.wantsEventStream ? .say(Self.stream) : .say(Self.refusal)
    }) { server, configuration in
      let client = TriwireClient("http://\(server.address)/path?a=b", configuration: configuration)
      let session = try await within("a session opens") { try await client.connect() }
      #expect(session.transport == .serverSentEvents)
      #expect(try await session.take() == Message("by stream"))
      let first = try await server.heads.next("the handshake")
      #expect(first.wantsWebSocket && first.hasPrefix("GET /path?a=b HTTP/1.1\r\n"))
      let second = try await server.heads.next("the stream")
      #expect(second.hasPrefix("GET /path?a=b&session="))
      session.abort()
    }
  }

  @Test("A server that refuses both gets long polling")
  func toLongPolling() async throws {
    try await withScript({ head in
      if head.wantsWebSocket || head.wantsEventStream { return .say(Self.refusal) }
      let cursor = "triwire-cursor: AAAAAAAAAAAAAAAA.0\r\n"
      if head.contains("wait=0") { return .say("HTTP/1.1 204 No Content\r\n\(cursor)\r\n") }
      return .silence
    }) { server, configuration in
      let client = TriwireClient("ws://\(server.address)", configuration: configuration)
      let session = try await within("a session opens") { try await client.connect() }
      #expect(session.transport == .longPolling)
      let heads = try await server.heads.next(4, "a request")
      #expect(heads[3].hasPrefix("GET /?cursor=AAAAAAAAAAAAAAAA.0 HTTP/1.1\r\n"), "\(heads[3])")
      session.abort()
    }
  }

  @Test("A silent WebSocket is given up for the next transport after openSeconds")
  func silentWebSocket() async throws {
    try await withScript({ head in
      head.wantsEventStream ? .say(Self.stream) : .silence
    }) { server, configuration in
      var configuration = configuration
      configuration.openSeconds = 0.5 * slowness
      let client = TriwireClient("http://\(server.address)/", configuration: configuration)
      let session = try await within("a session opens") { try await client.connect() }
      #expect(session.transport == .serverSentEvents)
      session.abort()
    }
  }

  @Test("When none works every attempt is told, in order, each with its reason")
  func noneWorks() async throws {
    try await withScript({ _ in .say(Self.refusal) }) { server, configuration in
      let client = TriwireClient("http://\(server.address)/", configuration: configuration)
      let error = await #expect(throws: ConnectError.self) {
        try await within("the client gives up") { _ = try await client.connect() }
      }
      let attempts = try #require(error?.attempts)
      #expect(attempts.map(\.transport) == [.webSocket, .serverSentEvents, .longPolling])
      #expect(attempts.allSatisfy { $0.reason.contains("403 Forbidden") }, "\(attempts)")
    }
  }

  @Test("An event stream that ends without a word is a loss (WHATWG HTML §9.2.3)")
  func lostStream() async throws {
    try await withScript({ _ in .sayAndClose(Self.stream) }) { server, configuration in
      let client = TriwireClient("http://\(server.address)/", configuration: configuration)
      let session = try await within("a session opens") {
        try await client.connect(over: [.serverSentEvents])
      }
      #expect(try await session.take() == Message("by stream"))
      await #expect(throws: SessionError.self) { _ = try await session.takeAll() }
      #expect(try await session.end().code == .abnormal)
    }
  }
}
