import FoundationEssentials

/// What the kernel tells about a process from outside, without disturbing it.
struct ProcessReading: Sendable {
  /// CPU time of all its threads, in nanoseconds.
  var ran: UInt64 = 0
  /// How long its threads were ready to run and had to wait for a core, in nanoseconds.
  var waited: UInt64 = 0

  /// Reads the scheduler's counts of a process (`/proc/PID/task/*/schedstat`).
  init(of process: Int32) {
    let tasks = "/proc/\(process)/task"
    for task in (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? [] {
      let fields = readText("\(tasks)/\(task)/schedstat").split(separator: " ")
      guard fields.count >= 2 else { continue }
      ran += UInt64(fields[0]) ?? 0
      waited += UInt64(fields[1]) ?? 0
    }
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
    return MemoryCost.Step(
      clients: clients, proportional: kilobytes(value("Pss:", in: rollup)),
      privateDirty: kilobytes(value("Private_Dirty:", in: rollup)),
      anonymous: kilobytes(value("Anonymous:", in: rollup)),
      descriptors: descriptors?.count ?? 0, cpuShare: cpuShare)
  }
}
