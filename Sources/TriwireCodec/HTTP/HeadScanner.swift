/// Finds the empty line that ends a head or a trailer section.
///
/// It remembers, as a number of bytes after the unconsumed start, how far it has looked, so that a
/// head that arrives byte by byte is looked through once. Nothing is parsed before the end is
/// found: what a peer is told does not depend on how its bytes were cut.
struct HeadScanner: Equatable {
  enum Finding: Equatable {
    case incomplete
    /// The section has this many bytes, its empty line included.
    case complete(length: Int, lines: Int)
    case firstLineTooLong
    case tooLong
    case bareLineFeed
  }

  private var scanned = 0
  private var lineStart = 0
  private var lines = 0

  /// Whether no byte of a section was seen.
  var isFresh: Bool { scanned == 0 }

  /// Looks on through the bytes that follow `start`, which stays where it is between calls.
  mutating func scan(
    _ input: Span<UInt8>, from start: Int, firstLineLimit: Int, limit: Int
  ) -> Finding {
    while let lineFeed = input.firstIndex(of: Byte.lf, from: start &+ scanned) {
      let end = lineFeed &- start &+ 1
      if let excess = excess(end, firstLineLimit, limit) { return excess }
      let length = end &- lineStart &- 2
      // RFC 9112 §2.2 lets a recipient take a bare LF as a line end; where two recipients differ
      // in it, one sees a request that the other does not.
      guard length >= 0, input[lineFeed &- 1] == Byte.cr else { return .bareLineFeed }
      if length == 0 {
        let found = lines
        self = HeadScanner()
        return .complete(length: end, lines: found)
      }
      scanned = end
      lineStart = end
      lines &+= 1
    }
    scanned = input.count &- start
    return excess(scanned &+ 1, firstLineLimit, limit) ?? .incomplete
  }

  /// What is too long, once a section is known to have at least `length` bytes.
  private func excess(_ length: Int, _ firstLineLimit: Int, _ limit: Int) -> Finding? {
    if lines == 0, firstLineLimit < limit &- 1, length &- 2 > firstLineLimit {
      return .firstLineTooLong
    }
    return length > limit ? .tooLong : nil
  }
}
