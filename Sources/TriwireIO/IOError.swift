import CLinux
import Glibc

/// A failure of the world outside: the network, the kernel, or a limit of this process.
///
/// It is nobody's protocol violation. `code` is the kernel's `errno`, or 0 where the failure has
/// no such number (a name that does not resolve, a deadline that passed).
public struct IOError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was being done, such as "connect to 127.0.0.1:80".
  public let operation: String
  /// The kernel's error number, or 0.
  public let code: Int32
  /// What went wrong, in words.
  public let reason: String
  /// What TLS has to do with it; nil when nothing.
  public let tls: TLSFailure?

  /// Makes an error from a kernel's error number.
  ///
  /// - Parameters:
  ///   - operation: What was being done.
  ///   - code: A positive `errno`.
  public init(_ operation: String, code: Int32) {
    self.operation = operation
    self.code = code
    self.reason = unsafe String(cString: strerror(code))
    self.tls = nil
  }

  /// Makes an error from a kernel's error number, with better words than the kernel's.
  init(_ operation: String, code: Int32, reason: String) {
    self.operation = operation
    self.code = code
    self.reason = reason
    self.tls = nil
  }

  /// Makes an error that has no kernel number.
  ///
  /// - Parameters:
  ///   - operation: What was being done.
  ///   - reason: What went wrong, in words.
  public init(_ operation: String, reason: String) {
    self.operation = operation
    self.code = 0
    self.reason = reason
    self.tls = nil
  }

  /// Makes an error of TLS.
  ///
  /// - Parameters:
  ///   - operation: What was being done.
  ///   - failure: What went wrong.
  ///   - reason: The same in words; those of the failure unless given.
  public init(_ operation: String, tls failure: TLSFailure, reason: String? = nil) {
    self.operation = operation
    self.code = 0
    self.reason = reason ?? failure.words
    self.tls = failure
  }

  /// The operation and the reason, as one line.
  public var description: String { "\(operation): \(reason)" }

  /// Whether the peer went away without closing properly (reset or broken pipe).
  public var isReset: Bool { code == ECONNRESET || code == EPIPE || code == ECONNABORTED }
}

/// The value of a shim call, or the `IOError` that its negative `errno` stands for.
package func check(_ value: Int32, _ operation: @autoclosure () -> String) throws(IOError) -> Int32
{
  if value < 0 { throw IOError(operation(), code: -value) }
  return value
}
