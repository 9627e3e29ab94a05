import CLinux
import Synchronization

/// Loops that share the work, usually one per core.
public final class EventLoopGroup: Sendable {
  /// The loops, numbered from 0.
  public let loops: [EventLoop]
  private let turn = Atomic<Int>(0)

  /// Starts loops, each on a thread of its own.
  ///
  /// - Parameters:
  ///   - count: How many; one per core this process may use when nil.
  ///   - cpus: Cores to pin the loops to, in turn; empty leaves the choice to the kernel.
  /// - Throws: `IOError` when the process is out of descriptors.
  public init(count: Int? = nil, cpus: [Int] = []) throws(IOError) {
    var loops: [EventLoop] = []
    for index in 0..<max(1, count ?? Int(tw_cpu_count())) {
      loops.append(
        try EventLoop(index: index, cpu: cpus.isEmpty ? nil : cpus[index % cpus.count]))
    }
    self.loops = loops
  }

  /// The next loop in turn, so that what is given out one by one is spread evenly.
  public func next() -> EventLoop {
    loops[turn.wrappingAdd(1, ordering: .relaxed).oldValue % loops.count]
  }

  /// Ends the threads.
  ///
  /// What the loops carried must be closed before.
  public func stop() async {
    for loop in loops {
      unsafe await withUnsafeContinuation { continuation in
        loop.stop { unsafe continuation.resume() }
      }
    }
  }
}
