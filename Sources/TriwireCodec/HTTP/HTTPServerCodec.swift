/// What the server's codec finds in its input.
package enum HTTPServerEvent: Equatable, Sendable {
  /// A request begins.
  case head(RequestHead, RequestFraming)
  /// A piece of its body: a range of the input, good until the input is reused.
  case body(Range<Int>)
  /// The request is whole; what follows in the input is the next one.
  case end(trailers: Headers?)
}

/// Turns the bytes a client sends into requests (RFC 9112), one connection's worth.
///
/// Call `nextEvent` until it gives nil, keep the bytes from `offset` on, and present them again
/// with more bytes behind them. Requests may be pipelined: after `end` the next call goes on with
/// the next request, so a caller that is not ready for it does not call. For another protocol the
/// caller stops after `end` of the upgrade request; the bytes from `offset` on belong to it.
/// After a violation every call throws it again.
package struct HTTPServerCodec: Sendable {
  private enum State: Sendable {
    case head
    /// Behind a request without a body.
    case bodyless
    case body(BodyDecoder)
    case failed(HTTPViolation)
  }

  /// The limits in force; a change counts from the next decision on.
  package var limits: HTTPLimits
  private var state = State.head
  private var scanner = HeadScanner()
  private var emptyLines = 0
  /// The fields of the last head: most clients send the same ones with every request.
  private var repeated = Fields()

  private struct Fields: Sendable {
    var headers = Headers()
    var framing = FramingFields()
  }

  /// The bytes of fields that are kept for the next head, at most.
  private static let repeatedBytes = 2048

  /// Creates a codec at the start of a connection.
  package init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

  /// Whether it is between two requests and nothing of the next has been seen.
  package var isIdle: Bool {
    if case .head = state { return scanner.isFresh }
    return false
  }

  /// The next event in `input` from `offset` on, or nil if more bytes are needed.
  ///
  /// Moves `offset` past what was consumed and no further.
  /// - Throws: `HTTPViolation`, with the status that answers it: the client's fault.
  package mutating func nextEvent(
    in input: Span<UInt8>, at offset: inout Int
  ) throws(HTTPViolation) -> HTTPServerEvent? {
    do throws(HTTPViolation) {
      switch state {
      case .head:
        return try nextHead(in: input, at: &offset)
      case .bodyless:
        state = .head
        return .end(trailers: nil)
      case .body(var decoder):
        let piece = try decoder.next(in: input, at: &offset, limits: limits)
        state = .body(decoder)
        return nextEvent(piece)
      case .failed(let violation):
        throw violation
      }
    } catch {
      state = .failed(error)
      throw error
    }
  }

  /// Tells the codec that no more bytes will come.
  ///
  /// - Throws: `HTTPViolation` if that cuts a request off; at rest between requests it is clean.
  package func endOfInput() throws(HTTPViolation) {
    switch state {
    case .head:
      guard scanner.isFresh else { throw .badRequest("input ends in the middle of a head") }
    case .bodyless: break
    case .body(let decoder):
      guard decoder.isComplete else { throw .badRequest("input ends in the middle of a body") }
    case .failed(let violation):
      throw violation
    }
  }

  private mutating func nextEvent(_ piece: BodyDecoder.Piece?) -> HTTPServerEvent? {
    switch piece {
    case .bytes(let range): return .body(range)
    case .end(let trailers):
      state = .head
      return .end(trailers: trailers)
    case nil: return nil
    }
  }

  private mutating func nextHead(
    in input: Span<UInt8>, at offset: inout Int
  ) throws(HTTPViolation) -> HTTPServerEvent? {
    if scanner.isFresh {
      guard try skipEmptyLines(in: input, at: &offset) else { return nil }
      if let lineFeed = repetition(in: input, from: offset) {
        let end = lineFeed &+ repeated.headers.block.count &+ 3
        let line = try StartLine.request(input, in: offset..<lineFeed &- 1)
        let event = try begin(line, repeated.headers, repeated.framing)
        offset = end
        emptyLines = 0
        return event
      }
    }
    let finding = scanner.scan(
      input, from: offset, firstLineLimit: limits.requestLineBytes, limit: limits.headBytes)
    switch finding {
    case .incomplete: return nil
    case .firstLineTooLong:
      // RFC 9112 §3: a target longer than the server cares to parse is answered with 414.
      throw HTTPViolation(
        .uriTooLong,
        "request line is over \(limits.requestLineBytes) bytes: raise limits.requestLineBytes")
    case .tooLong: throw .headTooLarge(limits.headBytes)
    case .bareLineFeed: throw .badRequest("bare LF in the request head")
    case .complete(let length, let lines):
      let event = try parse(input, in: offset..<offset &+ length, lines: lines)
      offset &+= length
      emptyLines = 0
      return event
    }
  }

  /// Where the request line of a head ends whose fields are those of the last one, byte for byte;
  /// nil for any other head, and for one that is not good as a whole.
  private func repetition(in input: Span<UInt8>, from start: Int) -> Int? {
    let fields = repeated.headers.block.count
    guard fields > 0, let lineFeed = input.firstIndex(of: Byte.lf, from: start) else { return nil }
    let length = lineFeed &- start &+ fields &+ 3
    guard lineFeed > start, input[lineFeed &- 1] == Byte.cr, length <= input.count &- start,
      lineFeed &- start &- 1 <= limits.requestLineBytes, length <= limits.headBytes,
      repeated.headers.count <= limits.headerCount
    else { return nil }
    let end = start &+ length
    guard input[end &- 2] == Byte.cr, input[end &- 1] == Byte.lf,
      input.extracting(lineFeed &+ 1..<end &- 2).isIdentical(to: repeated.headers.block.span)
    else { return nil }
    return lineFeed
  }

  /// Goes past empty lines before a request; false if more bytes are needed to go on.
  private mutating func skipEmptyLines(
    in input: Span<UInt8>, at offset: inout Int
  ) throws(HTTPViolation) -> Bool {
    while offset < input.count, input[offset] == Byte.cr {
      guard offset + 1 < input.count else { return false }
      // RFC 9112 §2.2: a server ignores at least one empty line before a request line.
      guard input[offset + 1] == Byte.lf, emptyLines < limits.emptyLinesBeforeRequest else {
        throw .badRequest(
          "bare CR, or more than \(limits.emptyLinesBeforeRequest) empty lines before a request: "
            + "see limits.emptyLinesBeforeRequest")
      }
      emptyLines += 1
      offset += 2
    }
    guard offset < input.count else { return false }
    // A first byte that begins no method is refused at once: it may be TLS, and never end a line.
    guard ByteClass.isToken(input[offset]) else {
      throw .badRequest("request begins with byte \(input[offset]), which is not HTTP")
    }
    return true
  }

  private mutating func parse(
    _ input: Span<UInt8>, in range: Range<Int>, lines: Int
  ) throws(HTTPViolation) -> HTTPServerEvent {
    guard let lineFeed = input.firstIndex(of: Byte.lf, from: range.lowerBound), lines > 0 else {
      throw .badRequest("request has no request line")
    }
    let line = try StartLine.request(input, in: range.lowerBound..<lineFeed &- 1)
    var fields = FramingFields()
    let headers = try FieldParser.parse(
      input, in: lineFeed &+ 1..<range.upperBound &- 2, lines: lines &- 1, limits: limits,
      framing: &fields)
    repeated =
      range.upperBound &- lineFeed <= Self.repeatedBytes
      ? Fields(headers: headers, framing: fields) : Fields()
    return try begin(line, headers, fields)
  }

  private mutating func begin(
    _ line: StartLine.Request, _ headers: Headers, _ fields: FramingFields
  ) throws(HTTPViolation) -> HTTPServerEvent {
    let framing = try RequestFraming(fields, version: line.version, limits: limits)
    switch framing.body {
    case .none: state = .bodyless
    case .length(let length): state = .body(.length(length))
    case .chunked: state = .body(.chunked)
    }
    let head = RequestHead(
      method: line.method, target: line.target, version: line.version, headers: headers)
    return .head(head, framing)
  }
}
