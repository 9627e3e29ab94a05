/// What a link keeps of one direction.
final class Lane {
  let direction: Directions
  /// What bytes go through before they are here, where the relay imitates a network.
  var wire: Wire?
  /// When the next of these is to be looked for.
  var alarm: UInt64?
  /// Bytes that were read and not looked at yet: an unfinished head, or what came while the lane
  /// could take nothing.
  var kept: [UInt8] = []
  /// Whether these can be read as soon as the lane can take them, without more behind them.
  var keptCanWait = false
  /// Whether a call works on the lane, and settles it when it is done.
  var isBusy = false
  /// Bytes that were looked at and have to wait for the other side; `outboxStart` are gone already.
  var outbox: [UInt8] = []
  var outboxStart = 0
  /// Bytes of an answer that a buffer holds back.
  var held: [UInt8] = []
  /// Bytes that were to be passed on so far, those that wait with them.
  var entered: UInt64 = 0
  /// Bytes of these that were passed on or lost.
  var position: UInt64 = 0
  private(set) var marks: [Mark] = []

  /// How many faults hold the lane in each of these ways.
  var mutes = 0
  var stalls = 0
  var trickles = 0
  /// Whether bytes or the end of the direction were lost to a mute.
  var hasLost = false
  /// Whether the receiving side has taken all it wants for now.
  var isBlocked = false
  /// Whether nobody is there to receive any more.
  var isDeaf = false
  /// Whether the sending side has ended.
  var sourceHasEnded = false
  /// Whether the end was passed on.
  var isFinished = false
  var isPumpPlanned = false

  /// A place in the direction where a fault strikes.
  struct Mark {
    let position: UInt64
    let fault: ArmedFault
  }

  init(_ direction: Directions) { self.direction = direction }

  var isStalled: Bool { stalls > 0 }
  /// Whether what comes is thrown away.
  var dropsAll: Bool { mutes > 0 || isDeaf }
  var waitsInOutbox: Int { outbox.count - outboxStart }

  /// How many bytes may pass before a fault strikes.
  var bytesToMark: Int {
    let nearest = marks.reduce(UInt64.max) { min($0, $1.position) }
    return nearest == .max ? .max : Int(nearest - position)
  }

  func add(_ mark: Mark) { marks.append(mark) }

  func removeMarks(of fault: ArmedFault) { marks.removeAll { $0.fault === fault } }

  /// A fault whose place was reached; it is no mark any more.
  func takeReached() -> ArmedFault? {
    guard let index = marks.firstIndex(where: { $0.position <= position }) else { return nil }
    return marks.remove(at: index).fault
  }
}
