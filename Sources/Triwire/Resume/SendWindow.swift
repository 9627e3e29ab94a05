/// The messages that were sent and that the peer has not acknowledged, oldest first.
///
/// A message keeps its bytes in one place, whoever else holds it: the window costs a reference.
struct SendWindow {
  struct Entry {
    let message: Message
    let compression: MessageCompression
    /// Whether it is a request or a response, wrapped already.
    var isEnvelope = false
  }

  private var messages: [Entry] = []
  private var head = 0
  /// The bytes of all in it.
  private(set) var bytes = 0
  /// The offset of the last message that was acknowledged.
  private(set) var acknowledged: UInt64 = 0

  var count: Int { messages.count - head }
  var isEmpty: Bool { count == 0 }
  /// The offset of the newest message.
  var last: UInt64 { acknowledged + UInt64(count) }

  mutating func append(_ entry: Entry) {
    messages.append(entry)
    bytes += entry.message.bytes.count
  }

  /// Lets go of all up to an offset.
  ///
  /// - Returns: Whether anything was.
  mutating func acknowledge(_ offset: UInt64) -> Bool {
    guard offset > acknowledged else { return false }
    let dropped = Int(min(offset, last) - acknowledged)
    for index in head..<head + dropped { bytes -= messages[index].message.bytes.count }
    head += dropped
    acknowledged += UInt64(dropped)
    if head == messages.count {
      messages.removeAll(keepingCapacity: head < 64)
      head = 0
    } else if head > 256, head * 2 > messages.count {
      messages.removeFirst(head)
      head = 0
    }
    return dropped > 0
  }

  /// Gives the room back that messages took, if none waits.
  mutating func letGoOfRoom() {
    if isEmpty { (messages, head) = ([], 0) }
  }

  /// Those that wait, oldest first.
  var waiting: ArraySlice<Entry> { messages[head...] }

  /// Begins again at 0 without any.
  ///
  /// - Returns: How many were dropped.
  mutating func restart() -> Int {
    defer { self = SendWindow() }
    return count
  }
}
