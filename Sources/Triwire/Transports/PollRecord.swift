import TriwireCodec

/// One message on its way to polls, encoded once however many sessions get it.
final class PollRecord: @unchecked Sendable {
  let message: Message
  /// As a record of a batch.
  let record: [UInt8]
  /// As an element of a JSON array, made when the first plain client wants it.
  private(set) lazy var element: [UInt8] = encodeElement()

  init(_ message: Message) {
    self.message = message
    let kind = PollBatch.Kind(message.kind)
    let size = PollBatch.headCount(message.bytes.count) + message.bytes.count
    record = [UInt8](capacity: size) {
      PollBatch.write(kind, message.bytes.span, into: &$0)
    }
  }

  private func encodeElement() -> [UInt8] {
    let kind = PollBatch.Kind(message.kind)
    let bytes = message.bytes
    return [UInt8](capacity: JSONBatchWriter.byteCount(kind, bytes.span)) {
      JSONBatchWriter.write(kind, bytes.span, isFirst: true, into: &$0)
    }
  }
}

extension PollBatch.Kind {
  init(_ kind: MessageKind) { self = kind == .text ? .text : .binary }
}

extension MessageKind {
  init(_ kind: PollBatch.Kind) { self = kind == .text ? .text : .binary }
}

/// Where a long-polling client is: its session, and the last message it has.
struct PollCursor {
  let session: String
  let position: UInt64

  init(session: String, position: UInt64) {
    self.session = session
    self.position = position
  }

  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, SessionDirectory.isName(String(parts[0])),
      parts[1].utf8.count <= 20, let position = UInt64(parts[1])
    else { return nil }
    self.init(session: String(parts[0]), position: position)
  }

  var text: String { "\(session).\(position)" }
}
