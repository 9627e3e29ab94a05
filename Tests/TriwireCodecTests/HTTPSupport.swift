import TriwireCodec

/// What a codec made of its input, whatever the cuts: pieces of a body are joined.
enum Observed: Equatable {
  case request(RequestHead, RequestFraming)
  case informational(ResponseHead)
  case response(ResponseHead, ClientResponseFraming)
  case body([UInt8])
  case end(trailers: Headers?)
  case violation(HTTPViolation)

  static func body(_ text: String) -> Observed { .body(Array(text.utf8)) }
}

extension [Observed] {
  mutating func append(body bytes: [UInt8]) {
    if case .body(let before)? = last {
      self[count - 1] = .body(before + bytes)
    } else {
      append(.body(bytes))
    }
  }
}

/// A server codec fed with arrivals, and all that came of it.
func requests(
  _ arrivals: [ArraySlice<UInt8>], limits: HTTPLimits = HTTPLimits(), ended: Bool = false
) -> (observed: [Observed], left: [UInt8]) {
  var codec = HTTPServerCodec(limits: limits)
  var observed: [Observed] = []
  var feed = Feed()
  do throws(HTTPViolation) {
    for arrival in arrivals {
      try feed.receive(arrival) { (input, offset) throws(HTTPViolation) in
        while let event = try codec.nextEvent(in: input, at: &offset) {
          switch event {
          case .head(let head, let framing): observed.append(.request(head, framing))
          case .body(let range): observed.append(body: range.map { input[$0] })
          case .end(let trailers): observed.append(.end(trailers: trailers))
          }
        }
      }
    }
    if ended { try codec.endOfInput() }
  } catch {
    observed.append(.violation(error))
  }
  return (observed, feed.kept)
}

/// A client codec that expects responses to `methods`, fed with arrivals.
func responses(
  _ arrivals: [ArraySlice<UInt8>], to methods: [HTTPMethod] = [.get], upgrade: Bool = false,
  limits: HTTPLimits = HTTPLimits(), ended: Bool = false
) -> (observed: [Observed], left: [UInt8]) {
  var codec = HTTPClientCodec(limits: limits)
  for method in methods { codec.requestSent(method, upgrade: upgrade) }
  var observed: [Observed] = []
  var feed = Feed()
  func observe(_ event: HTTPClientEvent, _ input: Span<UInt8>) {
    switch event {
    case .informational(let head): observed.append(.informational(head))
    case .head(let head, let framing): observed.append(.response(head, framing))
    case .body(let range): observed.append(body: range.map { input[$0] })
    case .end(let trailers): observed.append(.end(trailers: trailers))
    }
  }
  do throws(HTTPViolation) {
    for arrival in arrivals {
      try feed.receive(arrival) { (input, offset) throws(HTTPViolation) in
        while let event = try codec.nextEvent(in: input, at: &offset) { observe(event, input) }
      }
    }
    if ended, let event = try codec.endOfInput() { observe(event, feed.kept.span) }
  } catch {
    observed.append(.violation(error))
  }
  return (observed, feed.kept)
}

/// The one violation that a request ends in, with everything before it dropped.
func violation(_ request: String, limits: HTTPLimits = HTTPLimits()) -> HTTPViolation? {
  violation(Array(request.utf8), limits: limits)
}

func violation(_ request: [UInt8], limits: HTTPLimits = HTTPLimits()) -> HTTPViolation? {
  if case .violation(let violation)? = requests([request[...]], limits: limits).observed.last {
    return violation
  }
  return nil
}
