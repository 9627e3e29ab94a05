import CLinux
import Glibc

/// SIGINT and SIGTERM as events on a loop.
public final class Signals: EventSource, @unchecked Sendable {
  private let loop: EventLoop
  private let descriptor: Int32
  private let received: @Sendable (Int32) -> Void
  private var token: UInt64 = 0

  /// Takes SIGINT and SIGTERM from now on, for the whole process.
  ///
  /// Call it on the main thread before others are started that would take them instead (loops
  /// block all signals).
  /// - Parameters:
  ///   - loop: Where signals are reported.
  ///   - received: Called on the loop with the signal's number, each time one arrives.
  /// - Throws: `IOError` when the process is out of descriptors.
  public init(
    on loop: EventLoop, _ received: @escaping @Sendable (Int32) -> Void
  ) throws(IOError) {
    self.loop = loop
    self.received = received
    descriptor = try check(tw_signal_descriptor(), "take signals")
    loop.execute { [self] in token = (try? loop.add(self, descriptor, TW_IN)) ?? 0 }
  }

  func ready(_ events: UInt32) {
    while case let signal = tw_signal_next(descriptor), signal != 0 { received(signal) }
  }
}
