import TestSupport
import Triwire
import TriwireCodec
import TriwireIO

/// A server that answers each request's head as a test says, right or wrong.
final class ScriptedServer: Sendable {
  /// What it does when it has got a head.
  enum Answer: Sendable {
    /// Says this, and waits for the next head.
    case say(String)
    /// Says this and ends the connection.
    case sayAndClose(String)
    /// Says nothing, ever.
    case silence
    /// Says the one, and then the other for longer than any client's limit allows.
    case endless(String, String)
    /// Resets the connection.
    case reset
  }

  let address: SocketAddress
  private let listener: Listener
  /// The heads that came.
  let heads = Mailbox<String>()

  init(on group: EventLoopGroup, _ answer: @escaping @Sendable (String) -> Answer) throws {
    let heads = heads
    guard let any = SocketAddress(host: "127.0.0.1", port: 0) else { preconditionFailure() }
    listener = try Listener(any, on: group) { stream in
      stream.start(
        Reader { head in
          heads.put(head)
          return answer(head)
        })
    }
    address = listener.address
    listener.start()
  }

  func stop() async { await listener.stop() }

  private final class Reader: StreamHandler {
    private let answer: (String) -> Answer

    init(_ answer: @escaping (String) -> Answer) { self.answer = answer }

    func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
      let text = input.span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
      guard text.hasSuffix("\r\n\r\n") else { return 0 }
      switch answer(text) {
      case .say(let words): stream.write(Array(words.utf8).span)
      case .sayAndClose(let words):
        stream.write(Array(words.utf8).span)
        stream.close()
      case .silence: break
      case .endless(let start, let more):
        stream.write(Array((start + String(repeating: more, count: 20_000)).utf8).span)
      case .reset: stream.abort()
      }
      return input.count
    }

    func inputEnded(_ stream: ByteStream) { stream.close() }
    func failed(_ stream: ByteStream, _ error: IOError) {}
    func drained(_ stream: ByteStream) {}
  }
}

/// Runs `body` with a scripted server and a client's configuration that is short of patience.
func withScript(
  _ answer: @escaping @Sendable (String) -> ScriptedServer.Answer,
  _ body: @escaping @Sendable (ScriptedServer, TriwireClient.Configuration) async throws -> Void
) async throws {
  try await withLoops(2) { group in
    let server = try ScriptedServer(on: group, answer)
    var configuration = TriwireClient.Configuration.direct
    configuration.resume = nil
    configuration.group = group
    configuration.openSeconds = 1000
    try await body(server, configuration)
    await server.stop()
  }
}

extension String {
  var wantsWebSocket: Bool { lowercased().contains("upgrade: websocket") }
  var wantsEventStream: Bool { lowercased().contains("accept: text/event-stream") }
}

extension String {
  /// The `Sec-WebSocket-Accept` that a head's key asks for (RFC 6455 §4.2.2).
  var acceptedKey: String {
    let line = split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key:") }
    let key = line?.split(separator: ":")[1].filter { $0 != " " } ?? ""
    let digest = Digest.sha1(Array("\(key)258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
    let text = [UInt8](capacity: Base64.encodedCount(digest.count)) {
      Base64.encode(digest.span, into: &$0)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
