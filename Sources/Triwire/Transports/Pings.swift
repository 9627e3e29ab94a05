import TriwireCodec
import TriwireIO

/// The pings of a WebSocket that wait for their pongs (RFC 6455 §5.5.2), and what they measured.
final class Pings {
  /// The payload of the peer's last ping, when its answer has to wait.
  var unanswered: [UInt8]?
  /// The same of the control lines of a resumable session: the last pong and acknowledgement.
  private var lines: [ControlLine] = []
  /// When a silent peer was last asked for a sign of life.
  var asked: UInt64 = 0
  /// The last round trip, in nanoseconds.
  private(set) var roundTrip: UInt64?
  private var waiting: [(number: UInt64, sent: UInt64, done: ((UInt64?) -> Void)?)] = []
  private var last: UInt64 = 0

  /// Pings that may wait for an answer; the oldest is given up for another.
  private static let limit = 64

  /// Keeps a line until there is room for it, instead of the one that it overtakes.
  func keep(_ line: ControlLine) {
    lines.removeAll { $0.isPong == line.isPong }
    lines.append(line)
  }

  /// The lines that were kept, which are so no longer.
  func takeLines() -> [ControlLine] {
    defer { lines = [] }
    return lines
  }

  /// The payload of the next ping.
  func next(_ done: ((UInt64?) -> Void)?) -> [UInt8] {
    if waiting.count == Self.limit { waiting.removeFirst().done?(nil) }
    last += 1
    waiting.append((last, EventLoop.clock(), done))
    return unsafe withUnsafeBytes(of: last.bigEndian) { unsafe Array($0) }
  }

  /// A pong came.
  ///
  /// It answers the ping with its payload and, as §5.5.3 lets a peer answer only the last of
  /// several, those before it; an unsolicited one answers nothing.
  func answered(_ payload: Span<UInt8>) {
    guard payload.count == 8 else { return }
    var number: UInt64 = 0
    for index in 0..<8 { number = number << 8 | UInt64(payload[index]) }
    guard let index = waiting.firstIndex(where: { $0.number == number }) else { return }
    let now = EventLoop.clock()
    roundTrip = now - waiting[index].sent
    let answered = waiting[...index]
    waiting.removeFirst(index + 1)
    for ping in answered { ping.done?(now - ping.sent) }
  }

  /// The session has ended.
  func end() {
    let unanswered = waiting
    waiting = []
    for ping in unanswered { ping.done?(nil) }
  }
}

extension ControlLine {
  fileprivate var isPong: Bool { if case .pong = self { true } else { false } }

  /// Whether a later one of its kind says all that it says.
  var isOvertaken: Bool {
    switch self {
    case .pong, .acknowledge: true
    case .hello, .use, .ping, .drain, .moved: false
    }
  }
}
