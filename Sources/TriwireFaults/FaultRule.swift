/// A fault, and the occasions on which it strikes.
///
/// A rule without kinds is matched with each connection when it begins; a rule with kinds, with a
/// fault that concerns requests (`refuseUpgrade`, `stripUpgrade`, `fakeUpgrade`, `blackHole`,
/// `downgrade`, `buffer`) or with the moment `answer` is matched with each request when its head is
/// there. Every match is counted, and `pick` and `chance` decide for each count whether the fault
/// strikes: the same seed gives the same decisions, whatever happens beside.
///
/// Its `description` is its spec, which `init(parsing:)` reads:
///
/// ```swift
/// FaultRule(.mute(.down), on: [.webSocket], after: .bytes(4096, .down), chance: 0.1)
/// try FaultRule(parsing: "mute down on websocket after 4096 B down chance 0.1")
/// ```
public struct FaultRule: Sendable, Hashable {
  /// When a fault strikes what its rule has matched.
  ///
  /// Those faults that answer the head of a request or concern the beginning of a connection
  /// strike at once; `buffer` begins with the answer.
  public enum Moment: Sendable, Hashable {
    /// At once: before anything of the request is passed on.
    case start
    /// When the head of the answer and so many bytes of its body were passed on.
    case answer(bodyBytes: Int)
    /// When so many bytes were passed on in a direction since the match, and not one more; of both
    /// directions, in the one that comes there first.
    case bytes(Int, Directions)
    /// So long after the match.
    case time(Duration)
    /// When no byte came from either side for so long.
    case idle(Duration)
  }

  /// Which of the matches count, numbered from 1.
  public enum Pick: Sendable, Hashable {
    /// Each of them.
    case all
    /// This one.
    case nth(Int)
    /// So many of the first.
    case first(Int)
    /// The n-th, the 2n-th and so on.
    case every(Int)
  }

  /// What happens.
  public var fault: Fault
  /// The requests it concerns; nil is connections, or all requests.
  public var kinds: Set<RequestKind>?
  /// When it strikes.
  public var moment: Moment
  /// Which of the matches count.
  public var pick: Pick
  /// How likely it strikes then, from 0 to 1.
  public var chance: Double

  /// Makes a rule; without more than a fault it strikes everything at once.
  public init(
    _ fault: Fault, on kinds: Set<RequestKind>? = nil, after moment: Moment = .start,
    pick: Pick = .all, chance: Double = 1
  ) {
    self.fault = fault
    self.kinds = kinds
    self.moment = moment
    self.pick = pick
    self.chance = chance
  }

  /// Whether it is matched with requests rather than with connections.
  package var isOfRequests: Bool {
    if fault.isOfBeginning { return false }
    if case .answer = moment { return true }
    if case .buffer = fault { return true }
    return kinds != nil || fault.isOfHead
  }

  func concerns(_ kind: RequestKind) -> Bool {
    isOfRequests && fault.concerns(kind) && kinds?.contains(kind) ?? true
  }
}
