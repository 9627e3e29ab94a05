/// A figure that reports show of each contender: less of it is better.
struct Metric: Sendable {
  /// What its figures count, and how they are written.
  enum Unit: Sendable, Equatable {
    /// Microseconds.
    case time
    /// Bytes.
    case bytes
    /// A part of something, as per cent in text.
    case part
    /// Things, with so many places after the point.
    case count(places: Int)

    /// The word that data carries.
    var symbol: String {
      switch self {
      case .time: "us"
      case .bytes: "B"
      case .part: "ratio"
      case .count: "1"
      }
    }

    /// A figure as people read it.
    func text(_ figure: Double?) -> String {
      switch self {
      case .time: Figures.duration(figure)
      case .bytes: Figures.bytes(figure)
      case .part: Figures.percent(figure)
      case .count(let places): Figures.number(figure, places: places)
      }
    }
  }

  /// What scenario files and data call it: `latency.p99`.
  let key: String
  /// What tables call it: `latency p99`.
  let name: String
  let unit: Unit
  /// What it is and how it is counted, in a sentence or more.
  let explanation: String
  /// Whether it says something about the transports, and not about the load generator.
  let isCompared: Bool
  /// The figure of some trials taken together; `nil` where it is not known.
  let value: @Sendable (Pool) -> Double?

  private init(
    _ key: String, _ name: String, _ unit: Unit, isCompared: Bool = true, _ explanation: String,
    _ value: @escaping @Sendable (Pool) -> Double?
  ) {
    self.key = key
    self.name = name
    self.unit = unit
    self.isCompared = isCompared
    self.explanation = explanation
    self.value = value
  }

  /// The metric with that key or that name; `nil` when there is none.
  static func named(_ word: String) -> Metric? { all.first { $0.key == word || $0.name == word } }

  /// All of them, in the order of the tables.
  static let all: [Metric] = latencies + bytes + work + openings + idling

  private static let latencies: [Metric] =
    Durations.percentiles.map { name, percent in
      let title = name == "p999" ? "p99.9" : name
      return Metric(
        "latency.\(title)", "latency \(title)", .time,
        "The latency that \(Figures.decimal(percent, places: name == "p999" ? 1 : 0)) % of the "
          + "messages did not exceed. Latency is from the moment a message was due by the plan, "
          + "sent late or not, to its arrival, or to the arrival of its echo. The histograms of "
          + "all repetitions are added, and the percentile is read from the sum; it is left out "
          + "with fewer than ten messages above it."
      ) { $0.latency.soundPercentile(percent).map { Double($0) / 1000 } }
    } + [
      Metric(
        "latency.max", "latency max", .time,
        "The longest latency of any message that was measured, exact to the nanosecond. A single "
          + "message decides it, so it says more about the worst moment than about the transport."
      ) { $0.latency.count > 0 ? Double($0.latency.maximum) / 1000 : nil },
      Metric(
        "sentLate.p99", "sent late, p99", .time, isCompared: false,
        "How much later than planned the load generator sent, for 99 % of the messages. It is a "
          + "part of latency that the generator itself adds; no transport is better for less of it."
      ) { $0.slip.soundPercentile(99).map { Double($0) / 1000 } },
    ]

  private static let perMessage = "per message that arrived, both directions together"

  private static let bytes: [Metric] = [
    Metric(
      "payloadBytesPerMessage", "payload/message", .bytes,
      "The applications' own bytes \(perMessage). An echo has its payload once in each direction."
    ) { $0.perMessage(\.payload) },
    Metric(
      "framingBytesPerMessage", "framing/message", .bytes,
      "What the transport puts around messages (WebSocket frame headers, event fields, chunk "
        + "sizes, JSON of poll batches, base64), \(perMessage)."
    ) { $0.perMessage(\.framing) },
    Metric(
      "savedBytesPerMessage", "saved/message", .bytes, isCompared: false,
      "What compression took off payload and framing, \(perMessage); left out where nothing was "
        + "compressed. More of it is less on the wire."
    ) { $0.savedPerMessage },
    Metric(
      "httpBytesPerMessage", "HTTP/message", .bytes,
      "Bytes of request and response heads while messages were measured, \(perMessage)."
    ) { $0.perMessage(\.http) },
    Metric(
      "tlsBytesPerMessage", "TLS/message", .bytes,
      "What TLS adds (record headers, tags, tickets, alerts), \(perMessage); left out without TLS."
    ) { $0.ifSecured($0.perMessage(\.tls)) },
    Metric(
      "tcpipBytesPerMessage", "TCP/IP/message", .bytes,
      "TCP and IP headers, \(perMessage): 52 bytes for each segment the kernel counted (IPv4 with "
        + "TCP timestamps), pure acknowledgements included."
    ) { $0.perMessage(\.tcpip) },
    Metric(
      "bytesPerMessage", "wire/message", .bytes,
      "Everything in IP packets, \(perMessage): payload, framing, control, HTTP, TLS, TCP/IP headers "
        + "and what was sent again, less what compression saved. The layers add up to the kernel's own count, or the trial fails."
    ) { $0.perMessage(\.wire) },
    Metric(
      "bytesUpPerMessage", "of it up", .bytes,
      "The part of wire/message from clients to server."
    ) { $0.perMessage(\.wire, \.up) },
    Metric(
      "bytesDownPerMessage", "of it down", .bytes,
      "The part of wire/message from server to clients."
    ) { $0.perMessage(\.wire, \.down) },
    Metric(
      "overhead", "overhead", .part,
      "What travels beyond the payload, as a part of the payload: wire/message divided by "
        + "payload/message, less one. In data and thresholds 0.5 is 50 %."
    ) { $0.overhead },
    Metric(
      "packetsPerMessage", "packets/message", .count(places: 2),
      "Segments sent by both sides, pure acknowledgements included, per message that arrived."
    ) { $0.perMessage(\.segments) },
  ]

  private static let work: [Metric] = [
    Metric(
      "serverCPUPerMessage", "server CPU/message", .time,
      "CPU time of the server's process, all its threads and the kernel's work for it, while "
        + "messages were measured, per message that arrived. The server is a process of its own. "
        + "It is not measured of servers that nobody here wrote."
    ) { $0.serverPerMessage },
    Metric(
      "clientCPUPerMessage", "client CPU/message", .time,
      "CPU time of the process with all clients, per message that arrived; the load generator's own "
        + "work is in it."
    ) { $0.clientPerMessage },
  ]

  private static let openings: [Metric] = [
    Metric(
      "tlsHandshake.p50", "TLS handshake p50", .time,
      "The median time from the TCP connection to the end of the TLS handshake; left out without "
        + "TLS, or with fewer than 20 openings."
    ) { $0.opening(\.secureMicroseconds) },
    Metric(
      "tlsBytesPerOpen", "TLS bytes/open", .bytes,
      "What TLS adds to the bytes of opening a session, both directions; left out without TLS."
    ) { pool in
      pool.ifSecured(
        pool.mean(\.tlsBytesUp).flatMap { up in pool.mean(\.tlsBytesDown).map { up + $0 } })
    },
    Metric(
      "open.p50", "open p50", .time,
      "The median time from the start of connecting to the open session, DNS not included; left out "
        + "with fewer than 20 openings."
    ) { $0.opening(\.openMicroseconds) },
    Metric(
      "firstMessage.p50", "first message p50", .time,
      "The median time from the start of connecting to the first message a client received; left "
        + "out where fewer than 20 clients received one."
    ) { $0.opening(\.firstMessageMicroseconds) },
    Metric(
      "roundTripsPerOpen", "round trips to open", .count(places: 1),
      "How often a client waits for the server from the start of connecting until a first message "
        + "can arrive. On a real network each of them takes a round trip's time."
    ) { $0.mean(\.roundTrips) },
    Metric(
      "bytesPerOpen", "wire bytes/open", .bytes,
      "Bytes of IP packets, both directions, from the start of connecting to the open session."
    ) { $0.openBytes },
    Metric(
      "serverCPUPerOpen", "server CPU/open", .time,
      "CPU time of the server while sessions opened, per session; the mean over repetitions."
    ) { $0.mean(\.serverCPUMicroseconds) },
    Metric(
      "systemCallsPerOpen", "system calls/open", .count(places: 1),
      "System calls on the server's sockets while sessions opened, per session."
    ) { $0.mean(\.serverSystemCalls) },
  ]

  private static let idling: [Metric] = [
    Metric(
      "memoryPerConnection", "memory/connection", .bytes,
      "What the server's private memory (Private_Dirty) grows by with each idle connection: the "
        + "slope of a straight line through several numbers of connections, the mean over "
        + "repetitions. Left out where a slope does not stand clearly above chance (twice its "
        + "standard error). The kernel's own memory is not in it. It is not measured of a target, "
        + "whose process is not a fresh one for each trial."
    ) { $0.growth(\.privateDirtyPerConnection) },
    Metric(
      "descriptorsPerConnection", "descriptors/connection", .count(places: 2),
      "What the server's open descriptors grow by with each idle connection, as a slope."
    ) { $0.growth(\.descriptorsPerConnection) },
    Metric(
      "heartbeatBytesPerHour", "heartbeats/hour", .bytes,
      "Bytes of IP packets, both directions, that keep an idle session alive for an hour. Computed: "
        + "what a heartbeat takes was measured on one session at a short interval, and an hour has "
        + "one each 25 s. Only where clients idle."
    ) { $0.heartbeatsPerHour { $0.wireBytesUp + $0.wireBytesDown } },
    Metric(
      "heartbeatPacketsPerHour", "heartbeat packets/hour", .count(places: 0),
      "Packets of both sides that keep an idle session alive for an hour, computed in the same way."
    ) { $0.heartbeatsPerHour(\.packets) },
  ]
}

extension Metric {
  /// What ``Measurement/unmeasured`` has to name for a metric not to be measured; others never are.
  private static let sources = [
    "serverCPUPerMessage": "cpu.serverMicroseconds",
    "serverCPUPerOpen": "connection.serverCPUMicroseconds",
    "systemCallsPerOpen": "connection.serverSystemCalls",
    "memoryPerConnection": "memory", "descriptorsPerConnection": "memory",
  ]

  /// Whether it is not measured in some trials, as opposed to not known.
  func isUnmeasured(in pool: Pool) -> Bool {
    guard let source = Metric.sources[key] else { return false }
    return pool.trials.contains { $0.unmeasured?.contains(source) ?? false }
  }

  /// The line of this metric in a table, or `nil` when no contender has the figure.
  func line(for pools: [Pool]) -> Comparison.Line? {
    let values = pools.map(value)
    let known = values.compactMap { $0 }
    guard !known.isEmpty else {
      let isMissing = !pools.isEmpty && pools.allSatisfy(isUnmeasured)
      return isMissing
        ? Comparison.Line(metric: name, cells: pools.map { _ in "not measured" }) : nil
    }
    let best = known.min() ?? 0
    let cells = values.map { value in
      guard isCompared, let value, best > 0, value / best >= 1.005 else { return unit.text(value) }
      return "\(unit.text(value)) (\(Figures.ratio(value / best)))"
    }
    return Comparison.Line(metric: name, cells: cells)
  }
}
