import Glibc

/// Holds a thread until the test lets it go on.
package final class Gate: @unchecked Sendable {
  // A semaphore may be used from any thread, and must not be moved in memory.
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  package init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  /// Blocks the calling thread until `open` was called.
  package func wait() { while sem_wait(semaphore) != 0 {} }

  /// Lets one thread go on.
  package func open() { sem_post(semaphore) }
}
