import TriwireCodec

/// Messages on their way to many sessions, and their encodings, each made once.
///
/// All that was published to a topic within one turn of a loop is one broadcast there.
/// Belongs to one loop.
public final class Broadcast {
  /// One message and its position in its topic.
  public struct Item: Sendable {
    /// The message.
    public let message: Message
    /// Its place in the topic; the first of each life of the topic has the number 1.
    public let position: TopicPosition
    /// The `Session.id` that does not get it; 0 is nobody's.
    let exception: UInt64
    /// What the message is the newest state of, as the publisher said.
    public let key: String?
  }

  /// The messages, in order.
  public let items: [Item]
  /// The sum of the messages' lengths.
  public let payloadBytes: Int

  init(_ items: [Item]) {
    self.items = items
    payloadBytes = items.reduce(0) { $0 + $1.message.bytes.count }
  }

  /// As WebSocket frames of a server.
  private(set) lazy var frames: [UInt8] = encodeFrames()
  /// As chunks of an event stream, one event each.
  private(set) lazy var chunks = EventEncoding(items, chunked: true, exact: false)
  /// The same, with text that event streams would alter kept exact.
  private(set) lazy var exactChunks = EventEncoding(items, chunked: true, exact: true)
  /// As events for a client that cannot read chunks (HTTP/1.0).
  private(set) lazy var plainEvents = EventEncoding(items, chunked: false, exact: false)
  /// The same, kept exact; what a compressed event stream is made of.
  private(set) lazy var exactEvents = EventEncoding(items, chunked: false, exact: true)
  /// As records of a poll's batch.
  private(set) lazy var records: [PollRecord] = items.map { PollRecord($0.message) }

  /// As compressed WebSocket frames of a server, for sessions that keep no context.
  struct DeflatedFrames {
    let bytes: [UInt8]
    /// Of them, what is not frame heads.
    let bodyBytes: Int
  }

  private var deflated: [(options: DeflateOptions, windowBits: Int, frames: DeflatedFrames)] = []

  /// Compressed once for all sessions that share window and options.
  func deflatedFrames(_ deflate: DeflateSession) -> DeflatedFrames {
    let windowBits = deflate.sharedWindowBits ?? 15
    if let made = deflated.first(where: {
      $0.windowBits == windowBits && $0.options == deflate.options
    }) {
      return made.frames
    }
    let bodies = items.map { deflate.compress($0.message.bytes.span, .automatic) }
    let capacity = payloadBytes + items.count * WebSocketWriter.maximumHead
    var bodyBytes = 0
    let bytes = [UInt8](capacity: capacity) { output in
      for (item, body) in zip(items, bodies) {
        let payload = body ?? item.message.bytes
        bodyBytes += payload.count
        WebSocketWriter.append(
          WebSocketWriter.Opcode(item.message.kind), payload.span, mask: nil,
          isDeflated: body != nil, to: &output)
      }
    }
    let frames = DeflatedFrames(bytes: bytes, bodyBytes: bodyBytes)
    deflated.append((deflate.options, windowBits, frames))
    return frames
  }

  private func encodeFrames() -> [UInt8] {
    let capacity = payloadBytes + items.count * WebSocketWriter.maximumHead
    return [UInt8](capacity: capacity) { output in
      for item in items {
        let opcode = WebSocketWriter.Opcode(item.message.kind)
        WebSocketWriter.append(opcode, item.message.bytes.span, mask: nil, to: &output)
      }
    }
  }
}
