/// Which way bytes go through a relay.
public struct Directions: OptionSet, Sendable, Hashable {
  /// The bits of the set.
  public let rawValue: UInt8

  /// Creates a set from its bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// From the client to the server.
  public static let up = Directions(rawValue: 1)
  /// From the server to the client.
  public static let down = Directions(rawValue: 2)
  /// Both ways.
  public static let both: Directions = [.up, .down]
}

/// What a relay can do to the connections that go through it.
///
/// A fault that lasts (`mute`, `stall`, `trickle`, `buffer`) ends when its rule is taken out. A
/// connection that lost bytes by then is reset, since no TCP connection goes on with a hole.
public enum Fault: Sendable, Hashable {
  /// The ways to end a connection.
  public enum Ending: Sendable, Hashable {
    /// With FIN, after what was passed on already.
    case finish
    /// With RST; what the kernel has not delivered yet is lost.
    case reset
  }

  /// Resets a connection as soon as it is accepted.
  case refuse
  /// Takes the listening socket away, so that the kernel refuses who connects.
  ///
  /// The port stays the relay's own, and it listens again when no such rule is there. It concerns
  /// all connections: kinds, moment, pick and chance of its rule do not count.
  case closePort
  /// Accepts a connection and leaves it alone for a while.
  case delayAccept(Duration)
  /// Answers an upgrade request with a status of its own, such as 403, and closes.
  case refuseUpgrade(status: Int)
  /// Passes an upgrade request on as a plain request, without its `Upgrade` and `Connection` fields.
  case stripUpgrade
  /// Answers an upgrade request with a right 101 that no server knows of, and is mute from then on.
  case fakeUpgrade
  /// Takes a request, and all that comes behind it, and never answers.
  case blackHole
  /// Passes a request on as HTTP/1.0, as an old proxy does: no upgrade, no chunks in the answer.
  ///
  /// A request with a chunked body is passed on as it is.
  case downgrade
  /// Holds the body of an answer back until so many bytes of it wait, again and again, as a
  /// buffering proxy does; nil is until the answer ends.
  ///
  /// `holdsHead` holds its head back as well. No more is held than
  /// `FaultRelay.Configuration.bufferBytes`: beyond that the relay stops reading from the server.
  case buffer(until: Int?, holdsHead: Bool)
  /// Ends a connection on both sides.
  case cut(Ending)
  /// Takes bytes and throws them away, and the end of the connection too.
  case mute(Directions)
  /// Passes nothing on for a while, and then all of it; nil is for as long as the rule is there.
  ///
  /// Meanwhile nothing is read, so whoever sends learns of it by back-pressure.
  case stall(Directions, for: Duration?)
  /// Passes bytes on one by one, each in a segment of its own.
  case trickle(Directions)
  /// Ends a direction with FIN and throws away what still comes in it, while the other goes on.
  case halfClose(Directions)
}

extension Fault {
  /// Whether it strikes nothing that is there already, but connections or requests to come.
  package var isOfWhatComes: Bool { isOfBeginning || isOfHead }

  /// Whether it can only strike a connection that begins.
  var isOfBeginning: Bool {
    switch self {
    case .refuse, .closePort, .delayAccept: true
    default: false
    }
  }

  /// Whether it is an answer to the head of a request, and so cannot strike at another moment.
  var isOfHead: Bool {
    switch self {
    case .refuseUpgrade, .stripUpgrade, .fakeUpgrade, .blackHole, .downgrade: true
    default: false
    }
  }

  /// Whether it means something for a request of a kind.
  func concerns(_ kind: RequestKind) -> Bool {
    switch self {
    case .refuseUpgrade, .stripUpgrade, .fakeUpgrade: kind == .webSocket
    case .refuse, .closePort, .delayAccept: false
    default: true
    }
  }
}
