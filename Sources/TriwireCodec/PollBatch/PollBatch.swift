/// Messages in the body of a poll's response or of a post: `application/vnd.triwire.batch`.
///
/// A batch is a sequence of records, each a head and a payload. The head is the number
/// `length << 2 | kind` in unsigned LEB128: seven bits a byte, the lowest first, the top bit set
/// on all but the last byte, in as few bytes as it takes. Kind 0 is text, 1 binary; 2 and 3 are
/// reserved. A record is the same in every batch, so a broadcast is encoded once.
package enum PollBatch {
  /// The media type of a batch.
  package static let mediaType = "application/vnd.triwire.batch"

  /// What a payload is.
  package enum Kind: UInt8, Equatable, Sendable {
    /// UTF-8; whoever hands the message on checks it.
    case text = 0
    /// Any bytes.
    case binary = 1
  }

  /// The bytes of a record's head, exactly.
  package static func headCount(_ length: Int) -> Int {
    let bits = UInt64.bitWidth - (UInt64(length) << 2).leadingZeroBitCount
    return max(1, (bits + 6) / 7)
  }

  /// Writes the head of a record whose payload has `length` bytes: at most 10 bytes.
  package static func writeHead(
    _ kind: Kind, length: Int, into output: inout OutputSpan<UInt8>
  ) {
    var rest = UInt64(length) << 2 | UInt64(kind.rawValue)
    while rest >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Writes a whole record: `headCount` bytes and the payload.
  package static func write(
    _ kind: Kind, _ payload: Span<UInt8>, into output: inout OutputSpan<UInt8>
  ) {
    writeHead(kind, length: payload.count, into: &output)
    output.append(copying: payload)
  }
}
