public import Triwire

/// What to measure: who is connected, what they send, for how long, over which transports.
///
/// A scenario comes from a file (``ScenarioFile``) with all its defaults filled in, and encodes
/// to JSON in the same words, so that a result carries a scenario which can be run again.
public struct Scenario: Sendable, Equatable, Codable {
  /// A short name of lower-case letters, digits and dashes.
  public var name: String
  /// What the scenario stands for, in a sentence or two.
  public var description: String
  /// How many clients are connected while messages flow.
  public var clients: Int
  /// Into how many groups the clients are spread; a broadcast reaches one group.
  public var groups: Int
  /// How the clients connect in steps and idle, when that is what the scenario measures.
  public var idle: IdleSteps?
  /// Clients beside these who read too slowly; `nil` is none.
  public var slow: SlowReaders?
  /// Clients beside these who come and go; `nil` is none.
  public var visitors: Visitors?
  /// How large the first message is that each client gets when it joins; `nil` is a few bytes.
  public var snapshot: ByteCount?
  /// The flows of messages, all at the same time.
  public var traffic: [Flow]
  /// How long messages flow before anything is measured.
  public var warmUp: TimeSpan
  /// How long messages flow and are measured.
  public var duration: TimeSpan
  /// How long to wait at most for messages still on their way; what is not there then is lost.
  public var drain: TimeSpan
  /// How often each transport is measured, each time with a fresh server.
  public var repetitions: Int
  /// Where all that is random starts from.
  public var seed: UInt64
  /// The transports to compare.
  public var transports: [TransportKind]
  /// Whether and how connections are secured: everything is measured in each of these modes.
  public var tls: [TLSMode]
  /// How sessions are kept; resumable where there are faults.
  public var sessions: SessionKind
  /// What breaks meanwhile, if anything does.
  public var faults: [ScheduledFault]?
  /// How long clients wait before they come back; `nil` is what suits the faults of a trial.
  public var reconnect: ReconnectWaits?
  /// What lies between the clients and the server, if more than this machine.
  public var network: Network?
  /// Which header fields requests carry beyond those they need; `nil` is none.
  public var headers: HeaderProfile?
  /// Whether messages are compressed: everything is measured in each of these ways; `nil` is not.
  public var compression: [Compression]?
  /// What was published about the same thing, if anything.
  public var published: Published?
  /// What figures have to stay below, if anything.
  public var thresholds: Thresholds?
  /// The interval of a control that asks with plain GETs at an interval, if there is one.
  public var controlPoll: TimeSpan?
  /// What capacity to search for, if any.
  public var search: CapacitySearch?

  /// Whether a relay stands between the clients and the server.
  var isRelayed: Bool { faults != nil || network != nil }
}

/// How the connections of a trial are secured.
public enum TLSMode: String, Sendable, CaseIterable, Codable {
  /// Not at all.
  case off
  /// TLS 1.2, each connection with a handshake of its own.
  case v1_2 = "1.2"
  /// TLS 1.3, each connection with a handshake of its own.
  case v1_3 = "1.3"
  /// TLS 1.3, each connection resuming the session of one before the trial.
  case v1_3Resumed = "1.3-resumed"

  /// The version that is spoken, and no other; `nil` without TLS.
  var version: TLSVersion? {
    switch self {
    case .off: nil
    case .v1_2: .v1_2
    case .v1_3, .v1_3Resumed: .v1_3
    }
  }

  /// How often a client waits for the server until a connection is secured (RFC 5246 §7.3, RFC 8446
  /// §2).
  var roundTrips: Int {
    switch self {
    case .off: 0
    case .v1_2: 2
    case .v1_3, .v1_3Resumed: 1
    }
  }

  /// The mode in a word or two: `TLS 1.3`.
  var name: String { self == .off ? "no TLS" : "TLS \(rawValue)" }
}

/// Clients that connect in steps and then do nothing, to see what an idle one costs.
public struct IdleSteps: Sendable, Equatable, Codable {
  /// The numbers of connected clients to stop at, ascending; the last is ``Scenario/clients``.
  public var steps: [Int]
  /// How long to stay at each of them.
  public var hold: TimeSpan
}

/// Messages of one kind that flow all through a trial.
public struct Flow: Sendable, Equatable, Codable {
  /// Where messages come from and go to.
  public enum Direction: String, Sendable, CaseIterable, Codable {
    /// From each client to the server.
    case up
    /// From the server to each client, a message of its own each time.
    case down
    /// From each client to the server and back to the same client.
    case echo
    /// To every client of a group, the same message; from the server, or from one of the clients
    /// to the others.
    case broadcast
  }

  /// Who starts a broadcast.
  public enum Origin: String, Sendable, CaseIterable, Codable {
    /// The server publishes to the group.
    case server
    /// A client sends, and the server passes it on to all others of its group.
    case clients
  }

  /// When messages follow each other.
  public enum Arrivals: String, Sendable, CaseIterable, Codable {
    /// In equal steps, each sender starting at a random moment within the first.
    case periodic
    /// At random, independent of each other; what many independent sources add up to.
    case poisson
  }

  /// What a message carries.
  public enum Kind: String, Sendable, CaseIterable, Codable {
    /// UTF-8 text.
    case text
    /// Any bytes.
    case binary
  }

  /// A name that tells the flows of a scenario apart.
  public var name: String
  /// Where the messages go.
  public var direction: Direction
  /// Who starts them; only a broadcast has a choice.
  public var from: Origin
  /// How often.
  public var rate: Rate
  /// In which rhythm.
  public var arrivals: Arrivals
  /// Short times of a higher rate, if any.
  public var burst: Burst?
  /// How large each message is.
  public var payload: PayloadSize
  /// Text or binary.
  public var kind: Kind
  /// What fills messages behind the stamp; `nil` is the same letters or bytes over and over.
  public var content: Content?

  /// What fills messages, for compression to work on: another part of it in each message.
  public enum Content: String, Sendable, CaseIterable, Codable {
    /// Quotes of a price feed as JSON, which shrinks to about a fifth.
    case json
    /// Letters or bytes at random, which nothing can shrink (letters to three quarters, as they have
    /// only 6 bits each).
    case random
  }
}

/// A higher rate for a short time, again and again; the first comes half a period in.
public struct Burst: Sendable, Equatable, Codable {
  /// By how much the rate is multiplied.
  public var factor: Double
  /// For how long.
  public var length: TimeSpan
  /// From the start of one burst to the start of the next.
  public var every: TimeSpan
  /// Whether each sender has its bursts at times of its own; `nil` is all at the same time.
  public var apart: Bool?
}

/// How large messages are, all alike or drawn from a distribution, or what they carry instead.
public enum PayloadSize: Sendable, Equatable {
  /// Each message has this size.
  case fixed(ByteCount)
  /// Each size from the first to the second is equally likely.
  case uniform(ByteCount, ByteCount)
  /// Sizes whose logarithm is normal: 95 % lie between the two, the rest is cut off to them.
  case lognormal(ByteCount, ByteCount)
  /// Each message is the same record in this format.
  case record(RecordFormat)

  /// The smallest possible size.
  public var smallest: ByteCount {
    switch self {
    case .fixed(let size), .uniform(let size, _), .lognormal(let size, _): size
    case .record(let format): format.size
    }
  }

  /// The largest possible size.
  public var largest: ByteCount {
    switch self {
    case .fixed(let size), .uniform(_, let size), .lognormal(_, let size): size
    case .record(let format): format.size
    }
  }
}

extension PayloadSize: Codable {
  private struct Range: Codable {
    var uniform: [ByteCount]?
    var lognormal: [ByteCount]?
    var record: RecordFormat?
  }

  /// Writes a size as text, a distribution as an object with its two bounds, a record with its format.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .fixed(let size): try container.encode(size)
    case .uniform(let low, let high): try container.encode(Range(uniform: [low, high]))
    case .lognormal(let low, let high): try container.encode(Range(lognormal: [low, high]))
    case .record(let format): try container.encode(Range(record: format))
    }
  }

  /// Reads what ``encode(to:)`` wrote.
  ///
  /// - Throws: `DecodingError` when it is neither a size nor a known distribution.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let size = try? container.decode(ByteCount.self) {
      self = .fixed(size)
      return
    }
    let range = try container.decode(Range.self)
    if let bounds = range.uniform, bounds.count == 2 {
      self = .uniform(bounds[0], bounds[1])
    } else if let bounds = range.lognormal, bounds.count == 2 {
      self = .lognormal(bounds[0], bounds[1])
    } else if let format = range.record {
      self = .record(format)
    } else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "a payload is a size, uniform or lognormal bounds, or a record")
    }
  }
}
