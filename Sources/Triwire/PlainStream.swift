package import TriwireIO

/// A TCP connection with no protocol on it, on the loops that carry the transports.
///
/// It is what `triwire floor` measures transports against: the same bytes, and nothing else.
/// Belongs to its loop; every member but `connect` is used there.
package final class PlainStream: StreamHandler, @unchecked Sendable {
  // State is touched on the loop alone, which is what makes `@unchecked Sendable` hold.

  private let stream: ByteStream
  /// Takes bytes as they arrive; they are void after the call.
  package var onBytes: ((Span<UInt8>) -> Void)?
  /// Called when the peer is gone, with the reason.
  package var onEnd: ((String) -> Void)?

  init(_ stream: ByteStream) { self.stream = stream }

  /// Connects, and calls `begin` on the loop before the first byte is taken.
  ///
  /// - Throws: `IOError` when nobody listens there; `CancellationError`.
  package static func connect(
    to address: SocketAddress, on loop: EventLoop, configuration: TriwireClient.Configuration,
    _ begin: @escaping @Sendable (PlainStream) -> Void
  ) async throws {
    var options = Connector.Options()
    options.maximumSegment = configuration.maximumSegment
    options.congestionControl = configuration.congestionControl
    let stream = try await Connector.connect(to: [address], on: loop, options: options)
    loop.execute {
      let plain = PlainStream(stream)
      begin(plain)
      stream.start(plain)
    }
  }

  /// The loop that it belongs to.
  package var loop: EventLoop { stream.loop }

  /// What a server answers to the key of a WebSocket handshake (RFC 6455 §4.2.2).
  package static func webSocketAnswer(to key: String) -> String { WebSocketHandshake.accept(key) }

  /// Sends bytes; all that is sent within one call of `onBytes` leaves in one system call.
  package func send(_ bytes: Span<UInt8>) { stream.write(bytes) }

  /// Sends bytes at once and without a copy, as one encoding that goes to many is sent.
  package func sendThrough(_ bytes: Span<UInt8>) { stream.writeThrough(bytes) }

  /// Ends the connection without ceremony.
  package func abort() {
    onBytes = nil
    onEnd = nil
    stream.abort()
  }

  package func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
    onBytes?(input.span)
    return input.count
  }

  package func inputEnded(_ stream: ByteStream) {
    onEnd?("the peer closed the connection")
    stream.close()
  }

  package func failed(_ stream: ByteStream, _ error: IOError) { onEnd?(error.description) }

  package func drained(_ stream: ByteStream) {}
}

extension TriwireServer {
  /// Accepts plain streams as well, on a port of their own and on the loops of the server, which
  /// must have been started.
  ///
  /// - Parameters:
  ///   - host: The address to listen at, numeric.
  ///   - accepted: Takes each connection, on its loop.
  /// - Returns: Where it listens; the port is one the kernel picked.
  /// - Throws: `IOError` when the server does not run or the address is not this host's.
  package func acceptPlainStreams(
    on host: String, _ accepted: @escaping @Sendable (PlainStream) -> Void
  ) throws -> SocketAddress {
    guard let loops, let address = SocketAddress(host: host, port: 0) else {
      throw IOError("listen on \(host)", reason: "the server does not run, or this is no address")
    }
    var options = Listener.Options()
    options.maximumSegment = configuration.maximumSegment
    options.congestionControl = configuration.congestionControl
    let listener = try Listener(address, on: loops, options: options) { stream in
      let plain = PlainStream(stream)
      accepted(plain)
      stream.start(plain)
    }
    listener.start()
    return listener.address
  }
}
