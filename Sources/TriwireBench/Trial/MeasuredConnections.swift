import Triwire

/// What all connections that are measured have in common, on both sides.
enum MeasuredConnections {
  /// The largest segment: as on an Ethernet, not as on loopback, so that the kernel's count of
  /// segments means something.
  static let maximumSegment = 1460
  /// The congestion control; any unprivileged process may choose it.
  static let congestionControl = "reno"

  /// Seconds for which a connection may be idle that a trial may still use.
  static let longestSeconds = 7200.0

  /// The settings of a server, on one loop.
  static var server: TriwireServer.Configuration {
    var configuration = TriwireServer.Configuration()
    configuration.loops = 1
    configuration.cpus = Cores.server.map { [$0] } ?? []
    configuration.session = session
    configuration.maximumSegment = maximumSegment
    configuration.congestionControl = congestionControl
    return configuration
  }

  /// The settings of clients, on the loop of a group.
  static func clients(on group: EventLoopGroup) -> TriwireClient.Configuration {
    var configuration = TriwireClient.Configuration()
    // What is compared is the transports themselves.
    configuration.resume = nil
    configuration.group = group
    // A server or a proxy may end connections, whose bytes were moved nevertheless.
    configuration.keepsKernelCounters = true
    // What is measured is this program, not what the environment puts in between.
    configuration.proxy = .none
    configuration.session = session
    configuration.maximumSegment = maximumSegment
    configuration.congestionControl = congestionControl
    return configuration
  }

  /// One loop for all clients.
  static func loopOfClients() throws -> EventLoopGroup {
    try EventLoopGroup(count: 1, cpus: Cores.clients.map { [$0] } ?? [])
  }

  /// The limits of sessions: as usual, but a queue is not cut off, since what is too slow has to
  /// show as latency and not as a lost session.
  static var session: SessionLimits {
    var limits = SessionLimits()
    limits.queuedBytesHard = 1 << 30
    return limits
  }
}

// Sessions that survive what a scenario breaks.
extension MeasuredConnections {
  /// How soon clients hear that a connection is dead and try another.
  ///
  /// Within seconds where the defaults take a minute, so that a trial sees many faults;
  /// ``ReconnectWaits`` are besides.
  static let resumed: FallbackOptions = {
    var options = FallbackOptions()
    options.attemptSeconds = 1.5
    options.staggerSeconds = 0.5
    options.trustSeconds = 0.5
    options.postSeconds = 1
    options.rememberSeconds = 1
    options.betterSeconds = 0.5
    options.healthySeconds = 1
    return options
  }()

  /// What waits for a session that is away is kept, as in `session`: what is too slow has to show.
  static var window: ResumeOptions {
    var options = ResumeOptions()
    options.windowBytesHard = 1 << 28
    options.windowMessages = 1 << 20
    return options
  }

  /// Limits with heartbeats that find a dead connection in about a second.
  static func hurried(_ limits: SessionLimits) -> SessionLimits {
    var limits = limits
    limits.heartbeatSeconds = 0.5
    limits.heartbeatGraceSeconds = 0.5
    limits.pollHoldSeconds = 0.5
    return limits
  }
}

/// Which cores the two processes of a measurement run on.
enum Cores {
  /// The cores this process may use, ascending.
  static let allowed = numbers(in: value("Cpus_allowed_list", in: "/proc/self/status"))
  /// The server's core, where there are enough.
  static var server: Int? { allowed.count >= 2 ? allowed[0] : nil }
  /// The clients' core, where there are enough.
  static var clients: Int? { allowed.count >= 2 ? allowed[1] : nil }

  /// Which side runs where, in words; `nil` when the kernel decides.
  static var pinning: String? {
    guard let server, let clients else { return nil }
    return "server on core \(server), clients on core \(clients)"
  }

  /// The numbers of a list such as `0-3,8`.
  static func numbers(in list: String) -> [Int] {
    list.split(separator: ",").flatMap { range -> [Int] in
      let bounds = range.split(separator: "-").compactMap { Int($0) }
      guard let first = bounds.first, let last = bounds.last, first <= last else { return [] }
      return Array(first...last)
    }
  }
}
