/// What a relay counted since it started.
public struct RelayCounters: Sendable, Equatable {
  /// Connections accepted, refused ones with them.
  public var connections = 0
  /// Connections that are open.
  public var open = 0
  /// Connections that were reset since the server could not be reached.
  public var unreachable = 0
  /// Requests by kind.
  public var requests: [RequestKind: Int] = [:]
  /// Bytes passed on to the server.
  public var bytesUp: UInt64 = 0
  /// Bytes passed on to clients.
  public var bytesDown: UInt64 = 0
  /// Bytes from clients that were thrown away.
  public var lostUp: UInt64 = 0
  /// Bytes from the server that were thrown away.
  public var lostDown: UInt64 = 0
  /// Bytes that the relay holds: those that wait for a receiver, a stall or a buffer to end.
  public var waiting = 0
  /// Segments that went onto the lines of the network that is imitated.
  public var segments: UInt64 = 0
  /// Segments of these that were lost at first.
  public var lostSegments: UInt64 = 0
  /// Faults that struck, by the first word of their specs.
  public var faults: [String: Int] = [:]

  /// Counts nothing yet.
  public init() {}

  /// Faults that struck.
  public var faultsInAll: Int { faults.values.reduce(0, +) }
}

/// One fault that struck one connection.
public struct FaultRecord: Sendable, Hashable, CustomStringConvertible {
  /// The connection, numbered from 1 in the order they were accepted; 0 for the port.
  public var connection: Int
  /// The latest request on the connection; nil when there was none.
  public var kind: RequestKind?
  /// The path of that request; nil when there was none.
  public var path: String?
  /// How long the connection was there already; nil for the port.
  public var age: Duration?
  /// What struck it, and why.
  public var rule: FaultRule
  /// Since the relay started.
  public var time: Duration

  /// A line for a log: "3.214 s  connection 12 (websocket): mute down".
  public var description: String {
    let milliseconds = time.nanoseconds / 1_000_000
    let fraction = String(milliseconds % 1000 + 1000).dropFirst()
    let who = connection == 0 ? "port" : "connection \(connection)"
    let what = kind.map { " (\($0.rawValue))" } ?? ""
    return "\(milliseconds / 1000).\(fraction) s  \(who)\(what): \(rule)"
  }
}
