import Synchronization
import TestSupport
import TriwireIO

/// Somebody between two peers, who passes bytes on in small pieces, or not at all.
final class Relay: Sendable {
  private let listener: Listener
  private let links = Mailbox<Link>()

  /// - Parameters:
  ///   - target: Where to pass bytes on to.
  ///   - piece: How many bytes leave at a time.
  ///   - group: Where it lives.
  /// - Throws: `IOError` when the process is out of descriptors.
  init(to target: SocketAddress, piece: Int, on group: EventLoopGroup) throws {
    guard let address = SocketAddress(host: "127.0.0.1", port: 0) else {
      preconditionFailure("an address")
    }
    let links = links
    listener = try Listener(address, on: group) { near in
      Task(executorPreference: near.loop) {
        let far = try await Connector.connect(to: [target], on: near.loop)
        near.loop.execute {
          near.start(Passer(to: far, piece: piece))
          far.start(Passer(to: near, piece: piece))
          links.put(Link(near: near, far: far))
        }
      }
    }
    listener.start()
  }

  var address: SocketAddress { listener.address }

  private struct Link: Sendable {
    let near, far: ByteStream
  }

  /// Ends the next connection as the end of a wire does, without a word in any protocol above TCP.
  func cut() async throws {
    let link = try await links.next("a connection passes through")
    try await link.near.loop.run {
      link.near.close()
      link.far.close()
    }
  }

  func stop() async { await listener.stop() }
}

private final class Passer: StreamHandler {
  private let other: ByteStream
  private let piece: Int

  init(to other: ByteStream, piece: Int) {
    self.other = other
    self.piece = piece
  }

  func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
    let bytes = input.span
    var offset = 0
    while offset < bytes.count {
      let end = min(bytes.count, offset + piece)
      other.write(bytes.extracting(offset..<end))
      other.flush()
      offset = end
    }
    return bytes.count
  }

  func inputEnded(_ stream: ByteStream) { other.close() }
  func failed(_ stream: ByteStream, _ error: IOError) { other.abort() }
  func drained(_ stream: ByteStream) {}
}
