package import Synchronization

/// A value that one thread at a time can reach.
///
/// It is a `Mutex` that the thread sanitizer can follow. A thread that has to wait for a mutex gets
/// it inside the standard library, which is not instrumented, and what was written under the lock
/// then looks like a race. The two accesses beside it show how it was handed over; they are plain
/// moves on today's processors.
package struct Guarded<Value>: ~Copyable, Sendable {
  @usableFromInline let mutex: Mutex<Value>
  @usableFromInline let handover = Atomic<UInt8>(0)

  /// Guards a value that nobody else has.
  @inlinable
  package init(_ value: consuming sending Value) { mutex = Mutex(value) }

  /// Runs `body` while no other thread is in here.
  @inlinable @inline(__always)
  package borrowing func withLock<Result, Failure: Error>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try mutex.withLock { (value) throws(Failure) in
      _ = handover.load(ordering: .acquiring)
      defer { handover.store(0, ordering: .releasing) }
      return try body(&value)
    }
  }
}
