import Glibc
package import TriwireIO

/// A TCP client that does what no good client does: sends any bytes, stops reading, resets.
///
/// It blocks threads of its own, and waits for nothing longer than `patience`.
package final class RawPeer: Sendable {
  private let descriptor: Guarded<Int32>
  private let kept = Guarded<[UInt8]>([])

  private static let patience = Int32(300_000 * slowness)

  package struct Failure: Error, CustomStringConvertible {
    package let description: String
    /// Whether the other side reset the connection.
    package let isReset: Bool
  }

  /// Connects to an IPv4 address of this host.
  ///
  /// - Parameters:
  ///   - port: The port.
  ///   - receiveBuffer: Bytes the kernel keeps for it; small, to make a slow reader.
  /// - Throws: `Failure` when nobody listens.
  package init(port: UInt16, receiveBuffer: Int32? = nil) throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    descriptor = Guarded(socket)
    if var size = receiveBuffer {
      setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if status < 0 { throw Self.failure("connect") }
  }

  package convenience init(to address: SocketAddress, receiveBuffer: Int32? = nil) throws {
    try self.init(port: address.port, receiveBuffer: receiveBuffer)
  }

  deinit { close() }

  private static func failure(_ operation: String) -> Failure {
    let code = errno
    return Failure(
      description: "\(operation): \(String(cString: strerror(code)))",
      isReset: code == ECONNRESET || code == EPIPE)
  }

  private var socket: Int32 { descriptor.withLock { $0 } }

  // MARK: Sending

  package func send(_ text: String) async throws { try await send(Array(text.utf8)) }

  package func send(_ bytes: [UInt8]) async throws {
    let socket = socket
    try await onThread {
      var sent = 0
      while sent < bytes.count {
        try Self.wait(socket, for: POLLOUT, "to send")
        let count = bytes[sent...].withUnsafeBytes {
          Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count < 0 { throw Self.failure("send") }
        sent += count
      }
    }
  }

  /// Ends the sending half; reading goes on.
  package func finishSending() { shutdown(socket, Int32(SHUT_WR)) }

  // MARK: Receiving

  /// The next `count` bytes.
  package func receive(_ count: Int) async throws -> [UInt8] {
    try await take("\(count) bytes") { $0.count >= count ? count : nil }
  }

  /// What comes up to and including `end`.
  package func receive(until end: String) async throws -> String {
    let wanted = Array(end.utf8)
    let bytes = try await take("\"\(end)\"") { Self.end(of: wanted, in: $0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// All that comes until the other side ends.
  package func receiveAll() async throws -> [UInt8] {
    let socket = socket
    let first = kept.withLock { kept in
      defer { kept = [] }
      return kept
    }
    return try await onThread {
      var all = first
      while case let piece = try Self.read(socket), !piece.isEmpty { all += piece }
      return all
    }
  }

  private func take(
    _ what: String, _ end: @escaping @Sendable ([UInt8]) -> Int?
  ) async throws -> [UInt8] {
    let socket = socket
    return try await onThread { [self] in
      var bytes = kept.withLock { $0 }
      while true {
        if let count = end(bytes) {
          kept.withLock { $0 = Array(bytes[count...]) }
          return Array(bytes[..<count])
        }
        let piece = try Self.read(socket)
        if piece.isEmpty {
          let so = String(decoding: bytes, as: UTF8.self)
          throw Failure(description: "the end came before \(what): \(so)", isReset: false)
        }
        bytes += piece
      }
    }
  }

  private static func read(_ socket: Int32) throws -> [UInt8] {
    try wait(socket, for: POLLIN, "to receive")
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { room, count in
      let received = recv(socket, room.baseAddress, room.count, 0)
      failed = received < 0
      count = max(0, received)
    }
    if failed { throw failure("receive") }
    return bytes
  }

  private static func end(of wanted: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= wanted.count else { return nil }
    for start in 0...(bytes.count - wanted.count) {
      if bytes[start..<start + wanted.count].elementsEqual(wanted) { return start + wanted.count }
    }
    return nil
  }

  // MARK: Ending

  /// Closes without a word more.
  package func close() {
    descriptor.withLock { descriptor in
      if descriptor >= 0 { Glibc.close(descriptor) }
      descriptor = -1
    }
  }

  /// Closes with a reset.
  package func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    close()
  }

  private static func wait(_ socket: Int32, for events: Int32, _ what: String) throws {
    var entry = pollfd(fd: socket, events: Int16(events), revents: 0)
    while true {
      let count = poll(&entry, 1, patience)
      if count > 0 { return }
      if count < 0, errno == EINTR { continue }
      throw Failure(description: "nothing \(what) for \(patience / 1000) s", isReset: false)
    }
  }
}

/// Runs what blocks on a thread of its own, so that no task waits for it.
package func onThread<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withUnsafeThrowingContinuation { continuation in
    Thread.detach(named: "test") { continuation.resume(with: Result { try body() }) }
  }
}
