import CLinux
import Glibc

/// A detached thread of the system.
package enum Thread {
  private final class Body {
    let name: String
    let work: @Sendable () -> Void
    init(name: String, work: @escaping @Sendable () -> Void) {
      self.name = name
      self.work = work
    }
  }

  /// Runs `work` on a new thread that takes no signals.
  package static func detach(named name: String, _ work: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let body = unsafe Unmanaged.passRetained(Body(name: name, work: work)).toOpaque()
    let status = unsafe pthread_create(&thread, nil, threadMain, body)
    precondition(status == 0, "cannot start a thread: errno \(status)")
    pthread_detach(thread)
  }

  // A file-scope entry, since a closure literal would carry the isolation of its surroundings.
  fileprivate static func run(_ body: UnsafeMutableRawPointer) {
    // The pointer is the retained box that `detach` made; it is taken back exactly once here.
    let body = unsafe Unmanaged<Body>.fromOpaque(body).takeRetainedValue()
    tw_block_signals()
    _ = unsafe tw_thread_name(body.name)
    body.work()
  }
}

private func threadMain(_ body: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let body = unsafe body { unsafe Thread.run(body) }
  return nil
}
