/// What the client's codec finds in its input.
package enum HTTPClientEvent: Equatable, Sendable {
  /// An interim response (1xx other than 101); the final one is still to come.
  case informational(ResponseHead)
  /// The final response to the oldest outstanding request begins.
  case head(ResponseHead, ClientResponseFraming)
  /// A piece of its body: a range of the input, good until the input is reused.
  case body(Range<Int>)
  /// The response is whole; what follows in the input is the next one.
  case end(trailers: Headers?)
}

/// What a response head says about the bytes that follow it.
package struct ClientResponseFraming: Equatable, Sendable {
  /// How the end of a body is told.
  package enum Body: Equatable, Sendable {
    /// There is none.
    case none
    /// It has this many bytes, at least one.
    case length(Int)
    /// It comes in chunks.
    case chunked
    /// It goes on until the server closes.
    case untilClose
    /// The bytes that follow belong to another protocol, or to a tunnel.
    case handedOver
  }

  /// The body.
  package var body: Body
  /// Whether another exchange may follow on the connection (RFC 9112 §9.3).
  package var keepAlive: Bool

  package init(body: Body, keepAlive: Bool = true) {
    self.body = body
    self.keepAlive = keepAlive
  }
}

/// Turns the bytes a server sends into responses (RFC 9112), one connection's worth.
///
/// Tell it of each request with `requestSent`, in order; requests may be pipelined. Call
/// `nextEvent` until it gives nil, keep the bytes from `offset` on, and present them again with
/// more bytes behind them. After a head whose body is `handedOver` it consumes nothing more. After
/// a violation every call throws it again.
package struct HTTPClientCodec: Sendable {
  /// What the end of a response depends on.
  private struct Request: Sendable {
    var isHead: Bool
    var isConnect: Bool
    var mayUpgrade: Bool
  }

  private enum State: Sendable {
    case head
    case body(BodyDecoder)
    case handedOver
    /// The server said, or showed, that nothing follows.
    case closed
    case failed(HTTPViolation)
  }

  /// The limits in force; a change counts from the next decision on.
  package var limits: HTTPLimits
  private var state = State.head
  private var scanner = HeadScanner()
  private var requests: [Request] = []
  private var interimResponses = 0
  private var keepAlive = true

  /// Creates a codec at the start of a connection.
  package init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

  /// The number of requests whose response is not whole yet.
  package var outstanding: Int { requests.count }

  /// Whether the connection can carry another request.
  package var canSend: Bool {
    switch state {
    case .head, .body: keepAlive
    case .handedOver, .closed, .failed: false
    }
  }

  /// Notes that a request was sent.
  ///
  /// A HEAD has no body in its response and a CONNECT makes a tunnel; only a request that asked
  /// for another protocol may be answered with 101.
  package mutating func requestSent(_ method: HTTPMethod, upgrade: Bool = false) {
    requests.append(
      Request(isHead: method == .head, isConnect: method == .connect, mayUpgrade: upgrade))
  }

  /// The next event in `input` from `offset` on, or nil if more bytes are needed.
  ///
  /// Moves `offset` past what was consumed and no further.
  /// - Throws: `HTTPViolation` with status 502: the server's fault.
  package mutating func nextEvent(
    in input: Span<UInt8>, at offset: inout Int
  ) throws(HTTPViolation) -> HTTPClientEvent? {
    do throws(HTTPViolation) {
      switch state {
      case .head:
        return try nextHead(in: input, at: &offset)
      case .body(var decoder):
        let piece = try decoder.next(in: input, at: &offset, limits: limits)
        state = .body(decoder)
        return event(of: piece)
      case .handedOver:
        return nil
      case .closed:
        guard offset == input.count else { throw .badRequest("bytes after the last response") }
        return nil
      case .failed(let violation):
        throw violation
      }
    } catch {
      // RFC 9110 §15.6.3: 502 is what a gateway says of an invalid response.
      let violation = HTTPViolation(.badGateway, error.message)
      state = .failed(violation)
      throw violation
    }
  }

  /// Tells the codec that no more bytes will come; gives the end of a body that lasts until then.
  ///
  /// Nil is a clean end; `outstanding` requests then have no response, and idempotent ones may be
  /// sent again on another connection (RFC 9112 §9.3.1).
  /// - Throws: `HTTPViolation` if that cuts a response off (RFC 9112 §8).
  package mutating func endOfInput() throws(HTTPViolation) -> HTTPClientEvent? {
    switch state {
    case .head:
      guard scanner.isFresh else {
        throw HTTPViolation(.badGateway, "input ends in the middle of a response head")
      }
      state = .closed
    case .body(let decoder) where decoder.endsWithInput:
      return event(of: .end(trailers: nil))
    case .body(let decoder):
      guard decoder.isComplete else {
        throw HTTPViolation(.badGateway, "input ends in the middle of a response body")
      }
    case .handedOver, .closed: break
    case .failed(let violation): throw violation
    }
    return nil
  }

  private mutating func event(of piece: BodyDecoder.Piece?) -> HTTPClientEvent? {
    switch piece {
    case .bytes(let range): return .body(range)
    case .end(let trailers):
      requests.removeFirst()
      state = keepAlive ? .head : .closed
      return .end(trailers: trailers)
    case nil: return nil
    }
  }

  private mutating func nextHead(
    in input: Span<UInt8>, at offset: inout Int
  ) throws(HTTPViolation) -> HTTPClientEvent? {
    guard offset < input.count else { return nil }
    guard let request = requests.first else { throw .badRequest("response to no request") }
    switch scanner.scan(
      input, from: offset, firstLineLimit: limits.requestLineBytes, limit: limits.headBytes)
    {
    case .incomplete: return nil
    case .firstLineTooLong:
      throw .badRequest(
        "status line is over \(limits.requestLineBytes) bytes: raise limits.requestLineBytes")
    case .tooLong: throw .headTooLarge(limits.headBytes)
    case .bareLineFeed: throw .badRequest("bare LF in the response head")
    case .complete(let length, let lines):
      var fields = FramingFields()
      let head = try parse(
        input, in: offset..<offset + length, lines: lines, framing: &fields)
      offset += length
      return try judge(head, fields, request)
    }
  }

  private func parse(
    _ input: Span<UInt8>, in range: Range<Int>, lines: Int, framing: inout FramingFields
  ) throws(HTTPViolation) -> ResponseHead {
    guard let lineFeed = input.firstIndex(of: Byte.lf, from: range.lowerBound), lines > 0 else {
      throw .badRequest("response begins with an empty line")
    }
    let line = try StartLine.response(input, in: range.lowerBound..<lineFeed - 1)
    let headers = try FieldParser.parse(
      input, in: lineFeed + 1..<range.upperBound - 2, lines: lines - 1, limits: limits,
      framing: &framing)
    return ResponseHead(status: line.status, version: line.version, headers: headers)
  }

  private mutating func judge(
    _ head: ResponseHead, _ fields: FramingFields, _ request: Request
  ) throws(HTTPViolation) -> HTTPClientEvent {
    let code = head.status.code
    if code < 200, code != 101 {
      interimResponses += 1
      guard interimResponses <= limits.interimResponses else {
        throw .badRequest(
          "more than \(limits.interimResponses) interim responses: raise limits.interimResponses")
      }
      return .informational(head)
    }
    interimResponses = 0
    // RFC 9110 §15.2.2: 101 answers an Upgrade, and nothing else.
    if code == 101, !request.mayUpgrade { throw .badRequest("101 for a request without upgrade") }
    let body = try body(head, fields, request)
    if body == .handedOver {
      requests.removeAll()
      state = .handedOver
      return .head(head, ClientResponseFraming(body: body, keepAlive: false))
    }
    keepAlive =
      body != .untilClose && FramingFields.keepAlive(fields.connection, version: head.version)
    state = .body(decoder(body))
    return .head(head, ClientResponseFraming(body: body, keepAlive: keepAlive))
  }

  /// RFC 9112 §6.3, in its order.
  private func body(
    _ head: ResponseHead, _ fields: FramingFields, _ request: Request
  ) throws(HTTPViolation) -> ClientResponseFraming.Body {
    let code = head.status.code
    if code == 101 { return .handedOver }
    if request.isHead || code == 204 || code == 304 { return .none }  // 1.
    if request.isConnect, code < 300 { return .handedOver }  // 2.
    if fields.transferCoding != .none {
      // 3. Both lengths together: somebody on the way saw another end than we would.
      if fields.contentLength != nil {
        throw .badRequest("content-length together with transfer-encoding")
      }
      if head.version == .http10 { throw .badRequest("transfer-encoding in HTTP/1.0") }
      guard fields.transferCoding == .chunked else {
        throw .badRequest("the only transfer-encoding known is chunked")
      }
      return .chunked
    }
    guard let length = fields.contentLength else { return .untilClose }  // 8.
    guard length <= limits.bodyBytes else {
      throw .bodyTooLarge(length, limit: limits.bodyBytes)
    }
    return length == 0 ? .none : .length(length)  // 6.
  }

  private func decoder(_ body: ClientResponseFraming.Body) -> BodyDecoder {
    switch body {
    case .none, .handedOver: .none
    case .length(let length): .length(length)
    case .chunked: .chunked
    case .untilClose: .untilClose
    }
  }
}
