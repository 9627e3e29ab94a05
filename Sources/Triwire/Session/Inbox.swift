/// Messages that wait for their reader; no memory while at most one waits.
struct Inbox {
  private var first: Message?
  private var rest: [Message] = []
  private var head: UInt32 = 0
  /// The bytes of all that wait.
  private(set) var bytes: UInt32 = 0

  /// More messages or bytes than these, and the peer has to wait.
  static let messageLimit = 64
  static let byteLimit = 64 * 1024

  var count: Int { (first == nil ? 0 : 1) + rest.count - Int(head) }
  var isEmpty: Bool { first == nil }
  var isFull: Bool { count >= Self.messageLimit || bytes >= Self.byteLimit }

  mutating func append(_ message: Message) {
    bytes += UInt32(message.bytes.count)
    if first == nil {
      first = message
    } else {
      rest.append(message)
    }
  }

  mutating func popFirst() -> Message? {
    guard let message = first else { return nil }
    bytes -= UInt32(message.bytes.count)
    if head < rest.count {
      first = rest[Int(head)]
      head += 1
      // A reader who is always a little behind never empties it, and must not keep what it read.
      if head == rest.count || head >= Self.messageLimit {
        rest.removeFirst(Int(head))
        head = 0
      }
    } else {
      first = nil
    }
    return message
  }
}
