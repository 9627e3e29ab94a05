import Synchronization
import TriwireIO

/// What a server secures new connections with; the certificate may change while it runs.
final class ServerSecurity: Sendable {
  private let options: TLSServerOptions
  private let context: Mutex<TLSContext>

  /// For clients that speak HTTP to the port without TLS (RFC 9110 §15.5.1).
  private static let plainAnswer = """
    HTTP/1.1 400 Bad Request\r
    connection: close\r
    content-type: text/plain; charset=utf-8\r
    content-length: 40\r
    \r
    this port speaks TLS: use https or wss\r

    """

  init(_ options: TLSServerOptions) throws(IOError) {
    self.options = options
    context = Mutex(try Self.load(options))
  }

  private static func load(_ options: TLSServerOptions) throws(IOError) -> TLSContext {
    try TLSContext(options, plainAnswer: Array(plainAnswer.utf8))
  }

  /// Reads the files again.
  func reload() throws(IOError) {
    let fresh = try Self.load(options)
    context.withLock { $0 = fresh }
  }

  /// Secures a new connection.
  ///
  /// - Returns: Whether it can be; it is cut off else.
  func secure(_ stream: ByteStream) -> Bool {
    do {
      try stream.secure(accepting: context.withLock { $0 })
      return true
    } catch {
      stream.abort()
      return false
    }
  }
}
