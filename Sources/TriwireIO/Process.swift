import CLinux
import Glibc

/// Facts and settings of the running process.
public enum Process {
  /// CPU time of all threads so far, in nanoseconds.
  public static var cpuNanoseconds: UInt64 { tw_process_cpu_ns() }

  /// CPU time of the calling thread so far, in nanoseconds.
  public static var threadCPUNanoseconds: UInt64 { tw_thread_cpu_ns() }

  /// Cores this process may use.
  public static var coreCount: Int { Int(tw_cpu_count()) }

  /// Raises the soft limit of open descriptors to the hard limit, and returns it.
  @discardableResult
  public static func raiseDescriptorLimit() -> Int { Int(tw_raise_descriptor_limit()) }

  /// Pins the calling thread, and those it starts from now on, to one core.
  ///
  /// - Returns: Whether the kernel agreed.
  @discardableResult
  public static func pinThread(to cpu: Int) -> Bool { tw_pin_thread(Int32(cpu)) == 0 }

  /// Keeps a core from going idle with work of the lowest priority (`SCHED_IDLE`), until standard input
  /// is closed.
  ///
  /// For a process of its own, in the session of what it keeps the core awake for: the calling thread is pinned, and its priority stays what it became.
  ///
  /// - Parameters:
  ///   - cpu: The core.
  ///   - seconds: For how long at most.
  /// - Returns: Whether the kernel agreed.
  public static func keepCoreAwake(_ cpu: Int, seconds: Int) -> Bool {
    tw_keep_core_awake(Int32(clamping: cpu), Int32(clamping: seconds)) == 0
  }

  /// Lets the process keep freed memory for what it allocates next.
  ///
  /// For a program that moves long messages: by default the C library gives blocks of more than
  /// 128 KiB back when they are freed, and the kernel clears the pages of the next one again, which
  /// costs as much as sending it.
  ///
  /// - Parameter bytes: How much may stay free at the end of each heap, and how long a block may be
  ///   that comes from one; at most 32 MiB.
  public static func keepFreedMemory(_ bytes: Int) {
    tw_keep_freed_memory(min(max(0, bytes), 32 * 1024 * 1024))
  }

  /// Gives freed heap memory back to the system.
  public static func trimHeap() { tw_trim_heap() }
}
