public import Triwire

/// One cell of the floor benchmark: what carries messages, and how many are under way.
public struct FloorTrial: Sendable, Hashable {
  /// What carries the messages.
  public enum Carrier: Sendable, Hashable {
    /// Bytes over TCP on the same event loop: the floor itself.
    case bareTCP
    /// Sessions whose server side is a synchronous handler, called within the loop.
    case synchronous(TransportKind)
    /// Sessions whose server side is an asynchronous handler, a task for each.
    case asynchronous(TransportKind)
    /// Plain HTTP requests, answered within the loop.
    case httpGet
  }

  /// How the messages go.
  public enum Load: Sendable, Hashable {
    /// Each connection gets its own messages back, and keeps so many under way.
    case echo(inFlight: Int)
    /// One message goes to all connections, the next when all have it.
    case broadcast
  }

  /// What carries the messages.
  public var carrier: Carrier
  /// How they go.
  public var load: Load

  /// All cells, those of a load together and the floor of each load first.
  public static let all: [FloorTrial] = loads.flatMap { load in
    (load == .broadcast ? broadcastCarriers : echoCarriers).map {
      FloorTrial(carrier: $0, load: load)
    }
  }

  static let loads: [Load] = [.echo(inFlight: 1), .echo(inFlight: 16), .broadcast]

  private static let echoCarriers: [Carrier] =
    [.bareTCP, .httpGet]
    + TransportKind.allCases.flatMap { [.synchronous($0), .asynchronous($0)] }

  private static let broadcastCarriers: [Carrier] =
    [.bareTCP] + TransportKind.allCases.map { .synchronous($0) }
}

extension FloorTrial {
  /// What carries the messages, as tables name it.
  package var name: String {
    switch carrier {
    case .bareTCP: "bare TCP"
    case .httpGet: "HTTP GET"
    case .synchronous(let transport) where load == .broadcast: transport.rawValue
    case .synchronous(let transport): "\(FloorTrial.twoWay(transport)), sync"
    case .asynchronous(let transport): "\(FloorTrial.twoWay(transport)), async"
    }
  }

  private static func twoWay(_ transport: TransportKind) -> String {
    switch transport {
    case .webSocket: transport.rawValue
    case .serverSentEvents, .longPolling: "\(transport.rawValue) + POST"
    }
  }
}

extension FloorTrial.Load {
  /// The name in progress lines.
  package var name: String {
    switch self {
    case .echo(let count): "echo, \(count) in flight"
    case .broadcast: "broadcast"
    }
  }
}

/// How large a floor benchmark is.
public struct FloorPlan: Sendable, Equatable {
  /// How often each cell is measured.
  public var rounds = 3
  /// Connections of each echo cell.
  public var connections = 50
  /// Connections of each broadcast cell.
  public var subscribers = 1000
  /// The size of each message.
  public var payload = ByteCount(125)
  /// How long each cell is measured, after a third of that for warming up.
  public var window = TimeSpan.milliseconds(600)

  /// The usual size: about a minute.
  public init() {}

  /// The cells in the order a round measures them, counted from 0: every other round backwards,
  /// so that what drifts meanwhile falls on all alike.
  func trials(of round: Int) -> [FloorTrial] {
    round.isMultiple(of: 2) ? FloorTrial.all : FloorTrial.all.reversed()
  }
}
