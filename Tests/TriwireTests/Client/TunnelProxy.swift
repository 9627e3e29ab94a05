import TestSupport
import Triwire
import TriwireIO

/// A real HTTP proxy for this host: it opens tunnels and passes bytes on, no faster than they are
/// taken.
final class TunnelProxy: Sendable {
  /// The heads of the requests for tunnels.
  let heads = Mailbox<String>()
  private let listener: Listener

  /// - Parameters:
  ///   - group: Where it lives.
  ///   - authorization: What `Proxy-Authorization` has to be; nil lets everybody through.
  /// - Throws: `IOError` when the process is out of descriptors.
  init(on group: EventLoopGroup, authorization: String? = nil) throws {
    guard let any = SocketAddress(host: "127.0.0.1", port: 0) else { preconditionFailure() }
    let heads = heads
    listener = try Listener(any, on: group) { stream in
      stream.start(Door(heads, authorization))
    }
    listener.start()
  }

  var address: SocketAddress { listener.address }
  var url: String { "http://\(listener.address)" }

  func stop() async { await listener.stop() }

  /// Runs `body` with a proxy on a loop of its own.
  static func run(
    authorization: String? = nil, _ body: @escaping @Sendable (TunnelProxy) async throws -> Void
  ) async throws {
    try await withLoops { group in
      let proxy = try TunnelProxy(on: group, authorization: authorization)
      try await body(proxy)
      await proxy.stop()
    }
  }

  /// Takes the request for a tunnel.
  private final class Door: StreamHandler {
    private let heads: Mailbox<String>
    private let authorization: String?

    init(_ heads: Mailbox<String>, _ authorization: String?) {
      self.heads = heads
      self.authorization = authorization
    }

    func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
      let text = input.span.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
      guard text.hasSuffix("\r\n\r\n") else { return 0 }
      heads.put(text)
      let words = text.split(separator: " ")
      guard words[0] == "CONNECT", let (host, port) = SocketAddress.split(String(words[1])),
        let target = SocketAddress(host: host, port: port)
      else {
        Self.refuse(stream, "400 Bad Request", "only tunnels to addresses")
        return input.count
      }
      if let authorization,
        !text.lowercased().contains("\r\nproxy-authorization: \(authorization.lowercased())\r\n")
      {
        Self.refuse(
          stream, "407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=test",
          "who is there?")
        return input.count
      }
      Self.open(stream, to: target)
      return input.count
    }

    private static func refuse(_ stream: ByteStream, _ status: String, _ words: String) {
      let size = words.utf8.count + 1
      stream.write(
        Array("HTTP/1.1 \(status)\r\ncontent-length: \(size)\r\n\r\n\(words)\n".utf8).span)
      stream.close()
    }

    private static func open(_ near: ByteStream, to target: SocketAddress) {
      Task(executorPreference: near.loop) {
        do {
          let far = try await Connector.connect(to: [target], on: near.loop)
          near.loop.execute {
            guard near.isOpen else { return far.abort() }
            near.handler = Passer(to: far)
            far.start(Passer(to: near))
            near.write(Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8).span)
          }
        } catch {
          near.loop.execute { refuse(near, "502 Bad Gateway", "\(error)") }
        }
      }
    }

    func inputEnded(_ stream: ByteStream) { stream.close() }
    func failed(_ stream: ByteStream, _ error: IOError) {}
    func drained(_ stream: ByteStream) {}
  }

  private final class Passer: StreamHandler {
    private let other: ByteStream

    init(to other: ByteStream) { self.other = other }

    func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
      other.write(input.span)
      other.flush()
      if other.queuedBytes > 0 { stream.pauseReading() }
      return input.count
    }

    func drained(_ stream: ByteStream) { other.resumeReading() }
    func inputEnded(_ stream: ByteStream) { other.close() }
    func failed(_ stream: ByteStream, _ error: IOError) { other.abort() }
  }
}
