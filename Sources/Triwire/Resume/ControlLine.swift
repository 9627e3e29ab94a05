/// What the two ends of a resumable session tell each other beside messages.
///
/// One line of text: on a WebSocket a text message that begins with U+0000, on an event stream an
/// event of type `triwire`, in an answer to a poll or POST a `triwire-control` field.
enum ControlLine: Equatable {
  /// From the server, first on each connection.
  case hello(Hello)
  /// The sender has taken so many messages of the other side.
  case acknowledge(UInt64)
  /// From the client: the session shall use this connection; it has so many messages, and the first
  /// that it sends here has the offset after `start`.
  case use(received: UInt64, start: UInt64)
  /// Asks for an answer.
  case ping(UInt64)
  case pong(UInt64)
  /// From the server: it ends soon; come back to another at a moment of your own within so many
  /// milliseconds.
  case drain(milliseconds: UInt64)
  /// From the server: the session is on another connection now, and this one ends.
  case moved

  /// What a server says of a session on each new connection.
  struct Hello: Equatable {
    /// The session's life; another one than before means that the server knows nothing of it.
    var epoch: String
    /// The messages it has from the client.
    var received: UInt64
    /// The offset before the first message that follows.
    var start: UInt64
    /// Milliseconds of silence after which it asks for life, and those it waits for an answer.
    var heartbeat: UInt64
    var grace: UInt64
  }

  /// The type of the event that carries one.
  static let event = "triwire"
  /// The header field that carries one.
  static let field = "triwire-control"

  var text: String {
    switch self {
    case .hello(let hello):
      "hello \(hello.epoch) \(hello.received) \(hello.start) \(hello.heartbeat) \(hello.grace)"
    case .acknowledge(let count): "ack \(count)"
    case .use(let received, let start): "use \(received) \(start)"
    case .ping(let number): "ping \(number)"
    case .pong(let number): "pong \(number)"
    case .drain(let milliseconds): "drain \(milliseconds)"
    case .moved: "moved"
    }
  }

  /// Reads a line; nil when it is none that is known, which later versions may send.
  init?(_ text: String) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    let numbers = words.dropFirst().map { UInt64($0) }
    switch words.first {
    case "hello":
      guard words.count >= 6, words[1].utf8.count == 8, let received = numbers[1],
        let start = numbers[2], let heartbeat = numbers[3], let grace = numbers[4]
      else { return nil }
      self = .hello(
        Hello(
          epoch: String(words[1]), received: received, start: start, heartbeat: heartbeat,
          grace: grace))
    case "moved": self = .moved
    case "use":
      guard numbers.count == 2, let received = numbers[0], let start = numbers[1] else {
        return nil
      }
      self = .use(received: received, start: start)
    default:
      guard numbers.count == 1, let number = numbers[0] else { return nil }
      switch words.first {
      case "ack": self = .acknowledge(number)
      case "ping": self = .ping(number)
      case "pong": self = .pong(number)
      case "drain": self = .drain(milliseconds: number)
      default: return nil
      }
    }
  }
}
