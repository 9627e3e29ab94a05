/// A message found in a batch.
package struct PollBatchRecord: Equatable, Sendable {
  /// What the payload is; that text is valid UTF-8 is for the caller to check.
  package var kind: PollBatch.Kind
  /// The payload: a range of the input, good until the input is reused.
  package var payload: Range<Int>

  package init(kind: PollBatch.Kind, payload: Range<Int>) {
    self.kind = kind
    self.payload = payload
  }
}

/// Finds the messages in a batch.
///
/// A record is yielded whole, as a message is delivered whole: a caller whose body comes in pieces
/// keeps the bytes from `offset` on and presents them again with more behind them. Looking at the
/// head of an unfinished record again costs at most ten bytes, so nothing is remembered between
/// calls but a violation. Violations carry the status that answers a post.
package struct PollBatchParser: Sendable {
  /// The longest message; 1 MiB by default.
  package let messageBytes: Int
  private var violation: HTTPViolation?

  /// Creates a parser.
  package init(messageBytes: Int = 1 << 20) { self.messageBytes = messageBytes }

  /// The next record in `input` from `offset` on, or nil if more bytes are needed.
  ///
  /// A batch is whole if its end is reached with `offset == input.count`.
  /// - Throws: `HTTPViolation`, 400 or 413: the peer's fault. Every later call throws it again.
  package mutating func nextEvent(
    in input: Span<UInt8>, at offset: inout Int
  ) throws(HTTPViolation) -> PollBatchRecord? {
    if let violation { throw violation }
    do throws(HTTPViolation) {
      var index = offset
      guard let head = try readHead(input, at: &index) else { return nil }
      let record = try judge(head)
      guard record.length <= input.count - index else { return nil }
      offset = index + record.length
      return PollBatchRecord(kind: record.kind, payload: index..<offset)
    } catch {
      violation = error
      throw error
    }
  }

  private func readHead(
    _ input: Span<UInt8>, at index: inout Int
  ) throws(HTTPViolation) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while index < input.count {
      let byte = input[index]
      index += 1
      // Nine bytes hold 63 bits; the tenth may hold the last one.
      guard shift < 63 || byte <= 1 else {
        throw .badRequest("length of a batch record does not fit in 64 bits")
      }
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 {
        guard byte != 0 || shift == 0 else {
          throw .badRequest("length of a batch record is spelled with more bytes than it needs")
        }
        return value
      }
      shift += 7
    }
    return nil
  }

  private func judge(
    _ head: UInt64
  ) throws(HTTPViolation) -> (kind: PollBatch.Kind, length: Int) {
    guard let kind = PollBatch.Kind(rawValue: UInt8(head & 3)) else {
      throw .badRequest("batch record of the reserved kind \(head & 3)")
    }
    let length = Int(head >> 2)
    guard length <= messageBytes else {
      throw HTTPViolation(
        .contentTooLarge,
        "message is \(length) bytes, limit is \(messageBytes): raise limits.messageBytes")
    }
    return (kind, length)
  }
}
