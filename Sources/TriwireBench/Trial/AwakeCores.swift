import FoundationEssentials
import Glibc
import Synchronization
import Triwire

/// Keeps the cores of server and clients from going idle while something is measured.
///
/// A core that goes idle between two messages takes a while to wake, and its caches and clock take a
/// while to be what they were; a virtual machine's is taken away meanwhile. How much of that a message
/// pays for is up to the host and the moment, and it is many times what transports differ by. A process of
/// the lowest priority (`SCHED_IDLE`) on each core, which gives way to whoever is ready, keeps that out.
/// Its time is its own: none of it counts as the server's or the clients'.
public final class AwakeCores {
  /// The word that starts the executable as one of these processes; the number of the core follows.
  public static let word = "keep-awake"

  /// How many such processes there are now.
  private static let awake = Atomic<Int>(0)
  /// Whether some process keeps a core awake.
  ///
  /// It is always ready to run, so that the kernel's count of tasks that wait for a core (PSI) says
  /// nothing.
  static var areAwake: Bool { awake.load(ordering: .relaxed) > 0 }

  private var processes: [(core: Int, process: ChildProcess)] = []

  /// Which cores they are, in words; empty where none is kept awake.
  public var text: String {
    let cores = processes.map { "\($0.core)" }
    return cores.isEmpty
      ? "" : "\(cores.count == 1 ? "core" : "cores") \(cores.joined(separator: " and "))"
  }

  /// Keeps the cores awake from now on, where there is one for each side, the time of this process is
  /// not limited, and the kernel agrees; else none.
  ///
  /// - Parameters:
  ///   - servesHere: Whether the servers of its trials run on this machine as well.
  ///   - executable: A program that calls ``run(core:)`` when started with the word ``word`` and the
  ///     number of a core; this program itself unless given.
  /// - Throws: `IOError` when it cannot be started.
  public init(servesHere: Bool, executable: String? = nil) throws {
    for core in AwakeCores.cores(servesHere) {
      let process = try ChildProcess(
        executable ?? ownExecutable, [AwakeCores.word, "\(core)"],
        input: .pipe, output: .pipe)
      AwakeCores.awake.add(1, ordering: .relaxed)
      processes.append((core, process))
      // It says when it has begun, or ends without a word.
      var word: UInt8 = 0
      let hasBegun = process.output.map { unsafe read($0, &word, 1) == 1 } ?? false
      if !hasBegun {
        stop()
        break
      }
    }
  }

  /// Lets them go idle again; they do as well when this program ends, however that comes about.
  public func stop() {
    for (_, process) in processes {
      kill(process.identifier, SIGKILL)
      process.waitUntilGone()
      for end in [process.input, process.output] { if let end { close(end) } }
      AwakeCores.awake.subtract(1, ordering: .relaxed)
    }
    processes = []
  }

  deinit { stop() }

  /// Keeps a core awake until standard input is closed, a day at most.
  ///
  /// - Returns: Whether that could be had.
  public static func run(core: Int) -> Bool {
    // Ctrl-C goes to the whole foreground group; the process that measures decides what it means.
    signal(SIGINT, SIG_IGN)
    return Process.keepCoreAwake(core, seconds: 86_400)
  }

  /// The cores that a run has for its sides, as far as they may be kept awake.
  static func cores(_ servesHere: Bool) -> [Int] {
    guard let server = Cores.server, let clients = Cores.clients, !isLimited else { return [] }
    return servesHere ? [server, clients] : [clients]
  }

  /// Whether the time that this process and its children may use is limited (`cpu.max` of its control
  /// groups): what keeps a core awake would take it from what is measured.
  static let isLimited: Bool = {
    let groups = readText("/proc/self/cgroup").split(separator: "\n").map {
      $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    }
    return groups.contains { fields in
      guard fields.count == 3 else { return false }
      let (controllers, path) = (fields[1], fields[2])
      if controllers.isEmpty {
        return ancestors(of: path).contains { isQuota(readText("/sys/fs/cgroup\($0)/cpu.max")) }
      }
      guard controllers.split(separator: ",").contains("cpu") else { return false }
      return ancestors(of: path).contains { ancestor in
        [controllers, "cpu"].contains {
          isQuota(readText("/sys/fs/cgroup/\($0)\(ancestor)/cpu.cfs_quota_us"))
        }
      }
    }
  }()

  /// Whether the content of such a file is a limit.
  static func isQuota(_ text: String) -> Bool {
    text.split(separator: " ").first.flatMap { Int($0) }.map { $0 > 0 } ?? false
  }

  /// A path of control groups and all above it, the root as an empty one.
  static func ancestors(of path: String) -> [String] {
    path.split(separator: "/").reduce(into: [""]) { $0.append("\($0.last ?? "")/\($1)") }
  }
}
