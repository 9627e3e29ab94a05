import CLinux
import Glibc

/// A port that stays this process's own while nobody listens at it.
///
/// Who connects meanwhile is refused by the kernel, and the kernel gives the port to nobody else.
/// A `Listener` may come and go at the address as long as the reservation lives.
package final class PortReservation: Sendable {
  /// What is reserved, with the port the kernel picked when 0 was asked for.
  package let address: SocketAddress
  private let descriptor: Int32

  /// Reserves an address.
  ///
  /// - Throws: `IOError`, for example when somebody listens there.
  package init(_ address: SocketAddress) throws(IOError) {
    var raw = address.raw
    // Bound with SO_REUSEADDR and not listening, it leaves room for one socket that does.
    descriptor = unsafe try check(tw_listen(&raw, -1, 0), "listen on \(address)")
    _ = unsafe tw_local_address(descriptor, &raw)
    self.address = SocketAddress(raw: raw)
  }

  deinit { close(descriptor) }
}
