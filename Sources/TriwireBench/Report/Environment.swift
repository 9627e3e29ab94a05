import FoundationEssentials

/// The machine and the settings a report was made with, as far as they change its figures.
public struct Environment: Sendable, Equatable, Codable {
  /// The version of Triwire.
  public var triwireVersion: String
  /// The compiler it was built with, and whether with optimisation.
  public var compiler: String
  /// The command line.
  public var commandLine: [String]
  /// When the run started, in UTC (ISO 8601).
  public var startedAt: String
  /// When it went on after it had been stopped, each time, in UTC (ISO 8601); `nil` where never.
  public var resumedAt: [String]?
  /// Name and release of the kernel, and the architecture.
  public var kernel: String
  /// The model of the processor.
  public var processor: String
  /// How many cores this process may use.
  public var cores: Int
  /// On which cores server and clients run, or nothing when the kernel decides.
  public var pinning: String
  /// Which cores are kept from going idle while trials run (``AwakeCores/text``), or nothing where they
  /// may.
  public var keptAwake: String
  /// Memory of the machine, in bytes.
  public var memoryBytes: UInt64
  /// What the kernel takes the time from.
  public var clockSource: String
  /// How the processor's frequency is governed, where the machine tells.
  public var governor: String
  /// The congestion control of the measured connections.
  public var congestionControl: String
  /// The largest TCP segment of the measured connections, in bytes (`TCP_MAXSEG`).
  public var maximumSegment: Int
  /// The settings of TCP that change what small messages cost.
  public var tcpSettings: [String: String]
  /// Descriptors a process may open: the soft and the hard limit.
  public var descriptorLimits: [UInt64]
  /// How busy the machine was before the first and after the last trial.
  public var load: [MachineLoad]
}

/// How busy a machine is.
public struct MachineLoad: Sendable, Equatable, Codable {
  /// Load averages over 1, 5 and 15 minutes.
  public var averages: [Double]
  /// Part of the last ten seconds in which some task waited for a core, in per cent (PSI); `nil` where
  /// the kernel does not tell, and while cores are kept awake, for which some task always does.
  public var cpuPressure: Double?
  /// Time that other guests took from this virtual machine since it started, in ticks.
  public var stolenTicks: UInt64

  /// How busy this machine is now.
  public static var current: MachineLoad {
    let averages = readText("/proc/loadavg").split(separator: " ").prefix(3)
    let pressure = readText("/proc/pressure/cpu").split(separator: " ")
      .first { $0.hasPrefix("avg10=") }
    let ticks = readText("/proc/stat").prefix { $0 != "\n" }.split(separator: " ")
    return MachineLoad(
      averages: averages.compactMap { Double($0) },
      cpuPressure: AwakeCores.areAwake ? nil : pressure.flatMap { Double($0.dropFirst(6)) },
      stolenTicks: ticks.count > 8 ? UInt64(ticks[8]) ?? 0 : 0)
  }
}

extension Environment {
  /// The version of Triwire.
  public static let version = "0.1.0"

  /// This machine, and a run with this command line.
  ///
  /// - Parameters:
  ///   - commandLine: The words of the command.
  ///   - startedAt: When the run started, in UTC (ISO 8601).
  ///   - servesHere: Whether the servers of its trials run on this machine, started by it.
  /// - Returns: What could be read; an empty text where the machine does not tell.
  public static func current(
    commandLine: [String], startedAt: String, servesHere: Bool = true
  ) -> Environment {
    let limits = readText("/proc/self/limits").split(separator: "\n")
      .first { $0.hasPrefix("Max open files") }?.split(separator: " ").compactMap { UInt64($0) }
    return Environment(
      triwireVersion: Environment.version, compiler: compiler, commandLine: commandLine,
      startedAt: startedAt, resumedAt: nil,
      kernel: kernel, processor: value("model name", in: "/proc/cpuinfo"),
      cores: Cores.allowed.count,
      pinning: (servesHere ? Cores.pinning : Cores.clients.map { "clients on core \($0)" }) ?? "",
      keptAwake: "",
      memoryBytes: kilobytes(value("MemTotal", in: "/proc/meminfo")),
      clockSource: readText("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
      governor: readText("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
      congestionControl: MeasuredConnections.congestionControl,
      maximumSegment: MeasuredConnections.maximumSegment,
      tcpSettings: Dictionary(uniqueKeysWithValues: settings.map { ($0, setting($0)) }),
      descriptorLimits: limits ?? [], load: [.current])
  }

  /// What differs in another environment and changes figures, as phrases with both values.
  func differences(from other: Environment) -> [String] {
    let fields: [(String, KeyPath<Environment, String>)] = [
      ("Triwire", \.triwireVersion), ("the compiler", \.compiler), ("the kernel", \.kernel),
      ("the processor", \.processor), ("the pinning", \.pinning),
      ("what is kept from going idle", \.keptAwake),
      ("the clock source", \.clockSource), ("the governor", \.governor),
      ("the congestion control", \.congestionControl),
    ]
    let texts = fields.compactMap { name, field -> String? in
      let (one, another) = (self[keyPath: field], other[keyPath: field])
      return one == another ? nil : "\(name) was \(one) and is \(another)"
    }
    let numbers = [
      ("the number of cores", cores, other.cores),
      ("the largest segment", maximumSegment, other.maximumSegment),
    ].compactMap { name, one, another in
      one == another ? nil : "\(name) was \(one) and is \(another)"
    }
    let settings = tcpSettings.keys.sorted().compactMap { name -> String? in
      let (one, another) = (tcpSettings[name] ?? "", other.tcpSettings[name] ?? "")
      return one == another ? nil : "\(name) was \(one) and is \(another)"
    }
    return texts + numbers + settings
  }

  private static let settings = [
    "tcp_autocorking", "tcp_congestion_control", "tcp_slow_start_after_idle", "tcp_timestamps",
    "tcp_tw_reuse",
  ]

  private static func setting(_ name: String) -> String { readText("/proc/sys/net/ipv4/\(name)") }

  private static var kernel: String {
    let release = readText("/proc/sys/kernel/osrelease")
    let name = readText("/proc/sys/kernel/ostype")
    return "\(name) \(release) \(architecture)"
  }

  private static var architecture: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "aarch64"
    #else
      "another architecture"
    #endif
  }

  private static var compiler: String {
    #if DEBUG
      let mode = "without optimisation"
    #else
      let mode = "optimised"
    #endif
    #if compiler(>=6.4)
      return "Swift 6.4 or later, \(mode)"
    #elseif compiler(>=6.3)
      return "Swift 6.3, \(mode)"
    #else
      return "Swift 6.2, \(mode)"
    #endif
  }
}

/// The whole text of a small file such as those of `/proc`, without the line end; empty when it
/// cannot be read.
func readText(_ path: String) -> String {
  guard let data = FileManager.default.contents(atPath: path) else { return "" }
  return String(decoding: data, as: UTF8.self).trimmed
}

/// What stands after the colon of the first line that starts with a key.
func value(_ key: String, in path: String) -> String {
  let line = readText(path).split(separator: "\n").first { $0.hasPrefix(key) } ?? ""
  return String(line.drop { $0 != ":" }.dropFirst()).trimmed
}

/// The bytes of a text like `1024 kB`.
func kilobytes(_ text: String) -> UInt64 {
  (text.split(separator: " ").first.flatMap { UInt64($0) } ?? 0) * 1024
}
