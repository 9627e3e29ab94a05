public import Triwire

/// The numbers of one trial.
public struct Measurement: Sendable, Equatable, Codable {
  /// The name of the scenario.
  public var scenario: String
  /// The transport that carried the sessions.
  public var transport: TransportKind
  /// How their connections were secured.
  public var tls: TLSMode
  /// Whether messages were compressed; `nil` is not.
  public var compression: Compression?
  /// The interval of the polls where it is the control that polls at one; `nil` is a transport.
  public var poll: TimeSpan?
  /// Which repetition it was, from 1.
  public var repetition: Int
  /// Whether it is the second one of its contender in the repetition, and counts as a control alone;
  /// `nil` is not.
  public var isControl: Bool?
  /// The seed of its send plan.
  public var seed: UInt64
  /// When it started, in UTC (ISO 8601).
  public var startedAt: String
  /// Why the trial failed, as sentences; empty when it did not.
  public var failures: [String]
  /// What became of all messages, those of the warm-up included.
  public var delivery: Delivery
  /// From the intended time of sending to arrival; the warm-up is left out.
  ///
  /// A message that was lost counts with the time until waiting for it ended, which is less than
  /// the truth.
  public var latencyMicroseconds: Durations
  /// From the actual time of sending to arrival: hides what the sender's own delay adds.
  public var serviceMicroseconds: Durations
  /// How much later than intended messages were sent; what the load generator itself adds.
  public var slipMicroseconds: Durations
  /// How latency went over the time that was measured.
  public var timeline: Timeline
  /// What became of each flow of the scenario.
  public var flows: [FlowMeasurement]
  /// What the measured messages cost on the wire; `nil` is not measured, since sessions that change
  /// their connections cannot be reconciled.
  public var bytes: ByteLedger?
  /// What the interface carried, where that was compared; `nil` is not.
  public var interface: InterfaceCheck?
  /// What it cost to open the connections; `nil` is not measured, for the same reason.
  public var connection: ConnectionCost?
  /// What keeping a session alive costs, where clients idle; `nil` is not measured.
  public var heartbeat: HeartbeatMeasurement?
  /// What faults did, where the scenario has some.
  public var faults: FaultMeasurement?
  /// How well the network was imitated, where the scenario has one.
  public var network: NetworkMeasurement?
  /// What slowed the server down on purpose; `nil` is nothing.
  public var slowdown: Slowdown?
  /// What a search found, where the scenario asks for one: all else here is then the figure of the
  /// most that held.
  public var capacity: CapacityMeasurement?
  /// What became of clients that read too slowly, where the scenario has some.
  public var slow: SlowMeasurement?
  /// What visits cost, where the scenario has visitors.
  public var visits: VisitMeasurement?
  /// What has to be said of figures of a server elsewhere; `nil` of one that was started for the
  /// trial.
  public var target: TargetMeasurement?
  /// What is not measured in such a trial, by its names here; `nil` where all is.
  public var unmeasured: [String]?
  /// The work of both processes while messages were measured.
  public var cpu: CPUCost
  /// What the server's memory and descriptors grew by with each connection.
  public var memory: MemoryCost
  /// Whether the figures are those of what was measured.
  public var validity: Validity

  /// A measurement of a trial that has not seen anything yet.
  public init(_ trial: Trial, startedAt: String, on target: Target? = nil) {
    scenario = trial.scenario.name
    transport = trial.transport
    tls = trial.contender.tls
    compression = trial.contender.compression == .on ? .on : nil
    poll = trial.contender.poll
    repetition = trial.repetition
    isControl = trial.isControl ? true : nil
    seed = trial.seed
    self.startedAt = startedAt
    failures = []
    delivery = Delivery()
    latencyMicroseconds = Durations()
    serviceMicroseconds = Durations()
    slipMicroseconds = Durations()
    timeline = Timeline([], secondsPerPoint: 1)
    flows = []
    let missing =
      (trial.scenario.sessions == .plain ? [] : ["bytes", "connection"])
      + (target?.unmeasured ?? [])
    unmeasured = missing.isEmpty ? nil : missing
    cpu = CPUCost()
    memory = MemoryCost(steps: [])
    validity = Validity()
  }
}

extension Measurement {
  /// What was measured.
  var contender: Contender {
    Contender(
      transport: transport, tls: tls, compression: compression ?? .off, poll: poll)
  }
}

/// What one flow of a scenario did in a trial.
public struct FlowMeasurement: Sendable, Equatable, Codable {
  /// The name of the flow.
  public var name: String
  /// What became of its messages.
  public var delivery: Delivery
  /// From the intended time of sending to arrival.
  public var latencyMicroseconds: Durations
}

/// What messages cost on the wire, in each direction, while they were measured.
public struct ByteLedger: Sendable, Equatable, Codable {
  /// How many messages arrived in that time, a broadcast counted once for each receiver.
  public var messages: UInt64 = 0
  /// From clients to server.
  public var up = ByteLayers()
  /// From server to clients.
  public var down = ByteLayers()
}

/// The bytes of one direction, by what they were for.
///
/// Payload, framing, control, HTTP and TLS were counted where they were made; their sum, less what
/// compression saved, equals `socket`, which was counted where bytes were handed to the kernel, and that equals what the
/// kernel says it sent. A trial in which they differ fails.
public struct ByteLayers: Sendable, Equatable, Codable {
  /// The applications' own bytes.
  public var payload: UInt64 = 0
  /// What the transport puts around a message: WebSocket headers, event fields, chunk sizes.
  public var framing: UInt64 = 0
  /// What keeps sessions alive and ends them: pings, comments, close frames.
  public var control: UInt64 = 0
  /// Request and response heads.
  public var http: UInt64 = 0
  /// What TLS adds: handshakes, the surroundings of records, tickets and alerts.
  public var tls: UInt64 = 0
  /// What compression took off payload, framing and control together; less than nothing where it
  /// added some, and `nil` where nothing was compressed.
  public var saved: Int64?
  /// All bytes handed to the kernel.
  public var socket: UInt64 = 0
  /// TCP and IP headers: 52 bytes per segment, which is IPv4 with TCP timestamps.
  public var tcpip: UInt64 = 0
  /// Bytes the kernel had to send again; `nil` is not known, since only who sends them knows.
  public var retransmitted: UInt64? = 0
  /// Segments sent, pure acknowledgements included.
  public var segments: UInt64 = 0
  /// Segments that carried nothing but an acknowledgement.
  public var acknowledgements: UInt64 = 0

  /// Bytes without those of TLS, TCP and IP: what developer tools show at best.
  var application: UInt64 { socket - tls }

  /// ``retransmitted`` as far as it is known.
  var sentAgain: UInt64 { retransmitted ?? 0 }

  /// Bytes of IP packets: all of the above.
  public var wire: UInt64 { socket + tcpip + sentAgain }

  /// What payload, framing and control became where they were compressed; 0 where they were not.
  var compressed: UInt64 {
    guard let saved else { return 0 }
    return UInt64(max(0, Int64(payload + framing + control) - saved))
  }
  /// `payload` where it went as it is.
  var plainPayload: UInt64 { saved == nil ? payload : 0 }
  /// `framing` where it went as it is.
  var plainFraming: UInt64 { saved == nil ? framing : 0 }
  /// `control` where it went as it is.
  var plainControl: UInt64 { saved == nil ? control : 0 }

  /// Adds the figures of other layers.
  public static func += (sum: inout ByteLayers, other: ByteLayers) {
    sum.payload += other.payload
    sum.framing += other.framing
    sum.control += other.control
    sum.http += other.http
    sum.tls += other.tls
    if let saved = other.saved { sum.saved = (sum.saved ?? 0) + saved }
    sum.socket += other.socket
    sum.tcpip += other.tcpip
    sum.retransmitted = other.retransmitted.flatMap { again in sum.retransmitted.map { $0 + again }
    }
    sum.segments += other.segments
    sum.acknowledgements += other.acknowledgements
  }
}

/// What it costs to open a connection, until a session can carry messages.
public struct ConnectionCost: Sendable, Equatable, Codable {
  /// How many sessions were opened.
  public var opened: UInt64 = 0
  /// From the start of connecting to the TCP connection.
  public var connectMicroseconds = Durations()
  /// From the TCP connection to the end of the TLS handshake; empty without TLS.
  public var secureMicroseconds = Durations()
  /// From the start of connecting to the open session.
  public var openMicroseconds = Durations()
  /// From the start of connecting to the first message received, where the client received one.
  public var firstMessageMicroseconds = Durations()
  /// Round trips from the start of connecting until a first message can arrive.
  public var roundTrips = 0.0
  /// Bytes of IP packets from client to server, per connection.
  public var wireBytesUp = 0.0
  /// Bytes of IP packets from server to client, per connection.
  public var wireBytesDown = 0.0
  /// Bytes of HTTP from client to server (and of a proxy's tunnel), per connection.
  public var httpBytesUp = 0.0
  /// Bytes of HTTP from server to client, per connection.
  public var httpBytesDown = 0.0
  /// What of them TLS adds, per connection.
  public var tlsBytesUp = 0.0
  /// What of them TLS adds, per connection.
  public var tlsBytesDown = 0.0
  /// System calls of the client, per connection.
  public var clientSystemCalls = 0.0
  /// System calls of the server, per connection; `nil` is not measured.
  public var serverSystemCalls: Double?
  /// CPU time of the server, per connection; `nil` is not measured.
  public var serverCPUMicroseconds: Double?
}

/// The work of both processes while messages were measured.
public struct CPUCost: Sendable, Equatable, Codable {
  /// How long that was.
  public var wallMicroseconds = 0.0
  /// CPU time of the server, all threads; `nil` is not measured.
  public var serverMicroseconds: Double?
  /// CPU time of the clients' process, all threads; a relay that breaks things is one of them.
  public var clientMicroseconds = 0.0
  /// How long the server's threads were ready to run and had to wait for a core; `nil` is not
  /// measured.
  public var serverWaitMicroseconds: Double?
  /// How long the clients' threads were ready to run and had to wait for a core.
  public var clientWaitMicroseconds = 0.0
  /// CPU time of the server, per message that arrived.
  public var serverMicrosecondsPerMessage: Double?
  /// CPU time of the clients' process, per message that arrived.
  public var clientMicrosecondsPerMessage: Double?
}
