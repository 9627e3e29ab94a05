/// Finds the pieces of a body and its end, for requests and responses alike (RFC 9112 §6, §7).
struct BodyDecoder: Equatable {
  /// What it found.
  enum Piece: Equatable {
    case bytes(Range<Int>)
    case end(trailers: Headers?)
  }

  private enum State: Equatable {
    case length(remaining: Int)
    case untilClose
    case chunkHead(ChunkHeadDecoder)
    case chunkData(remaining: Int)
    case chunkEnd
    case chunkEndLineFeed
    case trailers(HeadScanner)
    case done
  }

  private var state: State
  private var received = 0
  private var extensionBytes = 0

  static let none = BodyDecoder(state: .length(remaining: 0))
  static let chunked = BodyDecoder(state: .chunkHead(ChunkHeadDecoder()))
  static let untilClose = BodyDecoder(state: .untilClose)

  static func length(_ count: Int) -> BodyDecoder { BodyDecoder(state: .length(remaining: count)) }

  private init(state: State) { self.state = state }

  /// Whether the end of the input is the end of the body.
  var endsWithInput: Bool { state == .untilClose }

  /// Whether no byte is missing before the end.
  var isComplete: Bool { state == .length(remaining: 0) || state == .done }

  /// The next piece, or nil if there is no byte left to make one of.
  mutating func next(
    in input: Span<UInt8>, at offset: inout Int, limits: HTTPLimits
  ) throws(HTTPViolation) -> Piece? {
    while true {
      switch state {
      case .length(remaining: 0):
        state = .done
        return .end(trailers: nil)
      case .length(let remaining):
        guard let piece = take(remaining, of: input, at: &offset) else { return nil }
        state = .length(remaining: remaining - piece.count)
        return .bytes(piece)
      case .untilClose:
        guard let piece = take(.max, of: input, at: &offset) else { return nil }
        try count(piece.count, limits)
        return .bytes(piece)
      case .chunkData(let remaining):
        guard let piece = take(remaining, of: input, at: &offset) else { return nil }
        let left = remaining - piece.count
        state = left == 0 ? .chunkEnd : .chunkData(remaining: left)
        return .bytes(piece)
      case .chunkHead, .chunkEnd, .chunkEndLineFeed:
        guard try stepBetweenChunks(input, at: &offset, limits) else { return nil }
      case .trailers(let scanner):
        return try trailers(scanner, input, at: &offset, limits)
      case .done:
        return nil
      }
    }
  }

  private func take(_ most: Int, of input: Span<UInt8>, at offset: inout Int) -> Range<Int>? {
    let count = min(most, input.count - offset)
    guard count > 0 else { return nil }
    offset += count
    return offset - count..<offset
  }

  private mutating func count(_ bytes: Int, _ limits: HTTPLimits) throws(HTTPViolation) {
    let (sum, overflow) = received.addingReportingOverflow(bytes)
    guard !overflow, sum <= limits.bodyBytes else {
      throw .bodyTooLarge(overflow ? .max : sum, limit: limits.bodyBytes)
    }
    received = sum
  }

  /// Goes on through the framing between chunks; false if more bytes are needed.
  private mutating func stepBetweenChunks(
    _ input: Span<UInt8>, at offset: inout Int, _ limits: HTTPLimits
  ) throws(HTTPViolation) -> Bool {
    switch state {
    case .chunkHead(var head):
      let size = try head.next(
        in: input, at: &offset, extensionBytes: &extensionBytes, limits: limits)
      guard let size else {
        state = .chunkHead(head)
        return false
      }
      try count(size, limits)
      state = size == 0 ? .trailers(HeadScanner()) : .chunkData(remaining: size)
    case .chunkEnd:
      guard offset < input.count else { return false }
      try expect(Byte.cr, input, at: &offset)
      state = .chunkEndLineFeed
    case .chunkEndLineFeed:
      guard offset < input.count else { return false }
      try expect(Byte.lf, input, at: &offset)
      state = .chunkHead(ChunkHeadDecoder())
    case .length, .untilClose, .chunkData, .trailers, .done:
      break
    }
    return true
  }

  private func expect(
    _ byte: UInt8, _ input: Span<UInt8>, at offset: inout Int
  ) throws(HTTPViolation) {
    // RFC 9112 §7.1: chunk-data is followed by CRLF, or the size was a lie.
    guard input[offset] == byte else { throw .badRequest("chunk data is not followed by CRLF") }
    offset += 1
  }

  private mutating func trailers(
    _ scanner: HeadScanner, _ input: Span<UInt8>, at offset: inout Int, _ limits: HTTPLimits
  ) throws(HTTPViolation) -> Piece? {
    var scanner = scanner
    let limit = limits.trailerBytes
    switch scanner.scan(input, from: offset, firstLineLimit: limit, limit: limit) {
    case .incomplete:
      state = .trailers(scanner)
      return nil
    case .firstLineTooLong, .tooLong:
      throw HTTPViolation(
        .headerFieldsTooLarge, "trailers are over \(limit) bytes: raise limits.trailerBytes")
    case .bareLineFeed:
      throw .badRequest("bare LF in the trailers")
    case .complete(let length, let lines):
      let section = offset..<offset + length - 2
      let trailers = try TrailerFields.parse(input, in: section, lines: lines, limits: limits)
      offset += length
      state = .done
      return .end(trailers: trailers)
    }
  }
}
