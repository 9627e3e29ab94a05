import CLinux
import Glibc

/// An IPv4 or IPv6 address with a port.
public struct SocketAddress: Sendable, CustomStringConvertible {
  var raw: tw_address

  /// Parses a numeric address; nil when `host` is none.
  ///
  /// - Parameters:
  ///   - host: "127.0.0.1", "::1" or "[::1]"; not a name.
  ///   - port: The port, 0 to let the kernel pick one.
  public init?(host: String, port: UInt16) {
    var bare = host
    if bare.hasPrefix("["), bare.hasSuffix("]") { bare = String(bare.dropFirst().dropLast()) }
    var parsed = tw_address()
    guard unsafe tw_address_parse(bare, port, &parsed) == 0 else { return nil }
    raw = parsed
  }

  init(raw: tw_address) { self.raw = raw }

  /// The port.
  public var port: UInt16 { UInt16(clamping: printed().port) }

  /// The numeric address, without brackets.
  public var host: String { printed().host }

  /// "127.0.0.1:8080" or "[::1]:8080".
  public var description: String {
    let (host, port) = printed()
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  private func printed() -> (host: String, port: Int) {
    var text = [CChar](repeating: 0, count: 64)
    var copy = raw
    let port = unsafe tw_address_print(&copy, &text)
    let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return (String(decoding: bytes, as: UTF8.self), Int(max(port, 0)))
  }

  /// Splits "HOST:PORT", "[V6]:PORT" into its halves.
  ///
  /// - Returns: nil when there is no port or it is not a number from 0 to 65,535.
  public static func split(_ text: String) -> (host: String, port: UInt16)? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    let host = String(text[..<colon])
    if host.contains(":"), !(host.hasPrefix("[") && host.hasSuffix("]")) { return nil }
    return host.isEmpty ? nil : (host, port)
  }

  /// The addresses of a host, numeric or by name; asks the system's resolver on a thread of its
  /// own, so that no event loop waits for it.
  ///
  /// - Throws: `IOError` when the name does not resolve.
  package static func resolve(host: String, port: UInt16) async throws -> [SocketAddress] {
    if let numeric = SocketAddress(host: host, port: port) { return [numeric] }
    return unsafe try await withUnsafeThrowingContinuation { continuation in
      Thread.detach(named: "resolver") {
        unsafe continuation.resume(with: Result { () throws(IOError) in try lookUp(host, port) })
      }
    }
  }

  private static func lookUp(_ host: String, _ port: UInt16) throws(IOError) -> [SocketAddress] {
    var found = [tw_address](repeating: tw_address(), count: 16)
    let count = unsafe tw_resolve(host, port, &found, Int32(found.count))
    if count < 0 {
      let reason = unsafe String(cString: tw_resolve_error(count))
      throw IOError("resolve \(host)", reason: reason)
    }
    return found.prefix(Int(count)).map(SocketAddress.init(raw:))
  }
}
