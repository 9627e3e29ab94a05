import FoundationEssentials
import Glibc

/// What the kernel tells about a process from outside, without disturbing it.
enum ProcessReading {
  /// The CPU time of a process so far, all threads, in nanoseconds: the clock that the process
  /// itself would read, without asking it.
  ///
  /// - Throws: ``TrialFailure`` when there is no such process.
  static func work(of process: Int32) throws -> UInt64 {
    var (clock, time) = (clockid_t(), timespec())
    guard unsafe clock_getcpuclockid(process, &clock) == 0,
      unsafe clock_gettime(clock, &time) == 0
    else { throw TrialFailure("the server's process has ended") }
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// How long the threads of a process were ready to run and had to wait for a core so far, in
  /// nanoseconds (`/proc/PID/task/*/schedstat`); threads that are gone do not count.
  static func waited(_ process: Int32) -> UInt64 {
    let tasks = "/proc/\(process)/task"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
    return names.reduce(0) { sum, task in
      let fields = readText("\(tasks)/\(task)/schedstat").split(separator: " ")
      return sum + (fields.count > 1 ? UInt64(fields[1]) ?? 0 : 0)
    }
  }

  /// How long some task of the machine was ready to run and had to wait for a core so far, in
  /// microseconds (`/proc/pressure/cpu`); `nil` where the kernel does not tell, and while
  /// ``AwakeCores`` are, one of which always waits.
  static var pressure: UInt64? {
    guard !AwakeCores.areAwake else { return nil }
    return readText("/proc/pressure/cpu").split(whereSeparator: \.isWhitespace)
      .first { $0.hasPrefix("total=") }.flatMap { UInt64($0.dropFirst(6)) }
  }

  /// The monotonic clock without what time servers adjust, in nanoseconds.
  static var rawClock: UInt64 {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_MONOTONIC_RAW, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// The memory and the descriptors of a process (`/proc/PID/smaps_rollup` and `fd`).
  ///
  /// - Parameters:
  ///   - process: Its number.
  ///   - clients: How many sessions it has now.
  ///   - cpuShare: How busy it was while it held them, as a part of one core.
  /// - Returns: What it holds.
  static func memory(of process: Int32, clients: Int, cpuShare: Double) -> MemoryCost.Step {
    let rollup = "/proc/\(process)/smaps_rollup"
    let descriptors = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")
    var step = MemoryCost.Step(
      clients: clients, proportional: kilobytes(value("Pss:", in: rollup)),
      privateDirty: kilobytes(value("Private_Dirty:", in: rollup)),
      anonymous: kilobytes(value("Anonymous:", in: rollup)),
      descriptors: descriptors?.count ?? 0, cpuShare: cpuShare)
    let slab = kilobytes(value("Slab:", in: "/proc/meminfo"))
    step.kernel = slab > 0 ? slab : nil
    return step
  }
}
