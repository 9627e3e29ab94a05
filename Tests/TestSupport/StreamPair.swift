package import TriwireIO

/// What happened to a stream.
package enum Happening: Sendable, Equatable {
  case received(Int)
  case ended
  case failed(IOError)
  case drained
}

/// A stream's handler that keeps what comes and tells the test of it.
package final class Recorder: StreamHandler, @unchecked Sendable {
  // `use` is called, and set, on the stream's loop alone.
  package typealias Use = (inout MutableSpan<UInt8>, ByteStream) -> Int

  package let happenings = Mailbox<Happening>()
  private let collected = Guarded<[UInt8]>([])
  private let wanted = Guarded<(count: Int, mailbox: Mailbox<Void>)?>(nil)
  /// How the stream ended.
  private let last = Guarded<Happening?>(nil)
  package var use: Use
  /// Whether it ends its own side as soon as the peer has ended, before anybody else is told.
  private let answersEnd: Bool

  /// - Parameters:
  ///   - use: What it does with bytes; nil takes all.
  ///   - answersEnd: Whether it ends its own side when the peer has ended.
  package init(_ use: Use? = nil, answersEnd: Bool = false) {
    self.answersEnd = answersEnd
    self.use = use ?? { input, _ in input.count }
  }

  package var bytes: [UInt8] { collected.withLock { $0 } }

  package func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
    let before = input.span.withUnsafeBufferPointer { Array($0) }
    let used = use(&input, stream)
    let count = collected.withLock { bytes in
      bytes += before[..<used]
      return bytes.count
    }
    happenings.put(.received(used))
    wanted.withLock { wanted in
      guard let goal = wanted, count >= goal.count else { return }
      goal.mailbox.put(())
      wanted = nil
    }
    return used
  }

  package func inputEnded(_ stream: ByteStream) {
    if answersEnd { stream.close() }
    isOver(.ended)
  }
  package func failed(_ stream: ByteStream, _ error: IOError) { isOver(.failed(error)) }

  /// Tells those who wait for bytes, too: no more will come.
  private func isOver(_ end: Happening) {
    last.withLock { $0 = end }
    happenings.put(end)
    wanted.withLock { wanted in
      wanted?.mailbox.put(())
      wanted = nil
    }
  }

  package func drained(_ stream: ByteStream) { happenings.put(.drained) }

  /// All bytes, once there are `count` of them.
  ///
  /// - Throws: `EndedEarly` when the stream ended with less.
  package func bytes(_ count: Int) async throws -> [UInt8] {
    let mailbox = Mailbox<Void>()
    wanted.withLock { $0 = (count, mailbox) }
    if bytes.count < count, last.withLock({ $0 }) == nil {
      try await mailbox.next("\(count) bytes, of which \(bytes.count) came")
    }
    let came = bytes
    if came.count < count, let end = last.withLock({ $0 }) {
      throw EndedEarly(description: "\(came.count) of \(count) bytes came: \(end)")
    }
    return came
  }

  package struct EndedEarly: Error, CustomStringConvertible {
    package let description: String
  }

  /// How the stream ended; what came before is passed over.
  package func end() async throws -> Happening {
    while true {
      switch try await happenings.next("the stream ends") {
      case .received, .drained: continue
      case let end: return end
      }
    }
  }
}

/// A listener whose connections tests pick up one by one.
package final class Lobby: Sendable {
  package let listener: Listener
  package let streams = Mailbox<ByteStream>()

  package init(on group: EventLoopGroup, host: String = "127.0.0.1") throws {
    guard let address = SocketAddress(host: host, port: 0) else { preconditionFailure(host) }
    let streams = streams
    listener = try Listener(address, on: group) { streams.put($0) }
    listener.start()
  }

  package var address: SocketAddress { listener.address }

  /// The next connection, which starts with `handler`.
  package func accept(_ handler: any StreamHandler & Sendable) async throws -> ByteStream {
    let stream = try await streams.next("a connection comes")
    try await stream.loop.run { stream.start(handler) }
    return stream
  }

  /// A stream to here that starts with `handler`, and the accepted end of it.
  package func pair(
    on loop: EventLoop, _ near: any StreamHandler & Sendable, _ far: any StreamHandler & Sendable
  ) async throws -> (near: ByteStream, far: ByteStream) {
    let address = address
    let stream = try await within("a connection is made") {
      try await Connector.connect(to: [address], on: loop)
    }
    try await loop.run { stream.start(near) }
    return (stream, try await accept(far))
  }

  /// A peer without rules, and the accepted end of its connection.
  package func rawPeer(
    _ handler: any StreamHandler & Sendable, receiveBuffer: Int32? = nil
  ) async throws -> (peer: RawPeer, stream: ByteStream) {
    let peer = try RawPeer(to: address, receiveBuffer: receiveBuffer)
    return (peer, try await accept(handler))
  }
}

extension ByteStream {
  /// Writes on the stream's loop.
  package func send(_ bytes: [UInt8]) async throws {
    try await loop.run { [self] in write(bytes.span) }
  }

  /// Closes on the stream's loop.
  package func finish() async throws { try await loop.run { [self] in close() } }
}

/// Bytes that differ from place to place, also far apart.
package func pattern(_ count: Int) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: count) { room, size in
    for index in 0..<count {
      room[index] = UInt8(truncatingIfNeeded: index ^ index >> 8 ^ index >> 16)
    }
    size = count
  }
}

/// Runs `body` with a listener on loops that are stopped afterwards.
package func withLobby(
  loops: Int = 1, _ body: @escaping @Sendable (Lobby, EventLoopGroup) async throws -> Void
) async throws {
  try await withLoops(loops) { group in
    let lobby = try Lobby(on: group)
    try await body(lobby, group)
    await lobby.listener.stop()
  }
}
