import TriwireCodec
import TriwireIO

/// One client connection of a server: takes requests one after the other, finds what serves them,
/// and writes the answers.
///
/// Belongs to one loop at a time.
final class ServerConnection: StreamHandler, TimerOwner, @unchecked Sendable {
  let stream: ByteStream
  private(set) var home: ServerLoop
  var index = 0
  private var codec: HTTPServerCodec
  /// Whether it has carried a request of a session.
  private var servesSessions = false
  private var state = State.head
  private var exchange: Exchange?
  private var body: [UInt8] = []
  private var isParsing = false
  private var headBegan: UInt64 = 0
  private var timer: TimerID?

  private enum State {
    /// Between two requests, or in the head of one.
    case head
    case body
    /// The request is whole and its answer is not.
    case answering
    /// The same, and somebody wants to know when the connection ends or drains.
    case tenanted(any ConnectionTenant)
    case ended
  }

  /// The body of a POST that belongs to a session.
  struct Post {
    let connection: ServerConnection
    let head: RequestHead
    let body: [UInt8]
    let headBytes: Int
  }

  /// What a POST may carry beside one message: the records of a batch around it.
  static let postSlack = 64 * 1024
  /// Bytes of pipelined requests that may wait while one is answered.
  private static let pipelineBytes = 64 * 1024
  /// Bytes of answers that may wait for the client to read them before the next request is taken.
  private static let unreadBytes = 256 * 1024

  init(stream: ByteStream, on home: ServerLoop) {
    self.stream = stream
    self.home = home
    var limits = home.configuration.http
    // What a body may have depends on its route, which stands in the head.
    limits.bodyBytes = Int.max
    codec = HTTPServerCodec(limits: limits)
  }

  func start() {
    stream.start(self)
    armTimer()
  }

  private func armTimer() {
    timer = home.loop.wheel.arm(self, at: home.loop.now + home.configuration.checkNanoseconds)
  }

  private func disarmTimer() {
    if let timer { home.loop.wheel.cancel(timer) }
    timer = nil
  }

  func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
    var offset = 0
    isParsing = true
    defer { isParsing = false }
    do {
      parsing: while true {
        switch state {
        case .head where stream.queuedBytes > Self.unreadBytes && codec.isIdle:
          stream.pauseReading()
          break parsing
        case .head, .body:
          let start = offset
          switch try codec.nextEvent(in: input.span, at: &offset) {
          case .head(let head, let framing)?: try begin(head, framing, offset - start)
          case .body(let range)?: body.append(copying: input.span.extracting(range))
          case .end?: complete()
          case nil: break parsing
          }
        case .answering, .tenanted:
          // The next request waits for its turn; one that sends many has to wait too.
          if input.count - offset > Self.pipelineBytes { stream.pauseReading() }
          break parsing
        case .ended: return input.count
        }
        // An upgrade: what follows belongs to the other protocol, and is presented to it next.
        if stream.handler !== self { return offset }
      }
    } catch {
      refuse(error)
      return input.count
    }
    // What is left over is the beginning of a head, or waits for the client to read.
    if case .head = state, offset < input.count, !codec.isIdle, headBegan == 0 {
      headBegan = home.loop.now
    }
    return offset
  }

  private func begin(
    _ head: consuming RequestHead, _ framing: RequestFraming, _ headBytes: Int
  ) throws(HTTPViolation) {
    headBegan = 0
    let found = home.find(head)
    let exchange = Exchange(
      head: head, framing: framing, route: found?.route, parameter: found?.parameter ?? "",
      headBytes: headBytes)
    self.exchange = exchange
    state = .body
    guard framing.body != .none else { return }
    let limit = bodyLimit(exchange.head, found?.route)
    codec.limits.bodyBytes = limit
    if case .length(let length) = framing.body, length > limit {
      throw HTTPViolation(
        .contentTooLarge, "body is \(length) bytes, limit is \(limit): raise limits.bodyBytes")
    }
    // RFC 9110 §10.1.1: a final answer instead of 100 spares the client the body.
    if framing.expectsContinue {
      guard found != nil else { throw HTTPViolation(.notFound, "nothing is served at this path") }
      stream.write(capacity: 32) { HTTPResponseWriter.writeContinue(into: &$0) }
      stream.flush()
    }
  }

  private func bodyLimit(_ head: RequestHead, _ route: Routes.Route?) -> Int {
    let limit = home.configuration.http.bodyBytes
    guard route?.session != nil, head.queryItem("session") != nil else { return limit }
    return max(limit, limits(of: route).value.messageBytes + Self.postSlack)
  }

  private func complete() {
    state = .answering
    guard let exchange else { return }
    var body: [UInt8] = []
    if exchange.framing.body != .none {
      swap(&body, &self.body)
      codec.limits.bodyBytes = Int.max
    }
    guard let route = exchange.route else {
      return respond(Response(.notFound, text: "nothing is served at this path"))
    }
    if route.session != nil {
      servesSessions = true
      if openOrFeedSession(exchange, body) { return }
    }
    let request = Request(exchange: exchange, body: body, peerCertificateSubject: peerSubject)
    switch route.handler(of: exchange.head.method) {
    case .synchronous(let handle): respond(handle(request))
    case .async(let handle): respondLater(request, handle)
    case nil: respondNotAllowed(exchange, route)
    }
  }

  /// Whom the client's certificate names; nil when clients are not asked for one.
  var peerSubject: String? {
    guard let tls = home.configuration.tls, tls.clientCertificates != .none else { return nil }
    return stream.agreement?.peerSubject
  }

  private func respondNotAllowed(_ exchange: Exchange, _ route: Routes.Route) {
    let allowed: Headers = ["allow": route.allowed]
    if exchange.head.method == .options { return respond(Response(.noContent, headers: allowed)) }
    var text = "\(exchange.head.method) is not served at this path"
    if route.session != nil, exchange.head.method == .post {
      text = "POST feeds a session that is open: name it with ?session=NAME"
      return respond(Response(.badRequest, text: text))
    }
    respond(Response(.methodNotAllowed, text: text, headers: allowed))
  }

  private func respondLater(_ request: Request, _ handle: @escaping Routes.AsyncRequest) {
    Task(executorPreference: home.loop) { [self] in
      let response: Response
      do {
        response = try await handle(request)
      } catch {
        response = Response(.internalServerError, text: "the handler failed")
      }
      home.loop.execute { [self] in respond(response) }
    }
  }

  /// Writes the answer to the present request, whole.
  func respond(_ response: borrowing Response) {
    let size = HTTPBodySize.bytes(response.body.count)
    guard let keepAlive = writeHead(response.head, size, response.body) else { return }
    finishExchange(keepAlive: keepAlive)
  }

  /// Writes the head of an answer, with its body if it is known.
  ///
  /// - Returns: Whether the connection can be used again; nil when there is none any more.
  func writeHead(
    _ head: borrowing ResponseHead, _ size: HTTPBodySize, _ body: borrowing [UInt8] = []
  ) -> Bool? {
    guard let exchange, stream.isOpen else { return nil }
    let persists = exchange.keepAlive && (!home.isDraining || servesSessions)
    do {
      let framing = try ResponseFraming(
        head, body: size, to: exchange.head.method, version: exchange.head.version,
        keepAlive: persists)
      try write(head, framing, body)
      return framing.keepAlive
    } catch {
      // The mistake of a handler, which the client cannot mend.
      let text = "the handler made an answer that cannot be sent: \(error)\n"
      let body = Array(text.utf8)
      return writeHead(ResponseHead(status: .internalServerError), .bytes(body.count), body)
    }
  }

  private func write(
    _ head: borrowing ResponseHead, _ framing: ResponseFraming, _ body: borrowing [UInt8]
  ) throws(HTTPHeadError) {
    let carriesBody = if case .length = framing.coding { true } else { false }
    home.refreshDate()
    var failure: HTTPHeadError?
    stream.write(capacity: HTTPResponseWriter.capacity(head) + body.count) { output in
      do throws(HTTPHeadError) {
        try HTTPResponseWriter.write(head, framing: framing, date: home.dateLine, into: &output)
        if carriesBody { output.append(copying: body.span) }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  /// The answer is complete: the next request is next.
  func finishExchange(keepAlive: Bool) {
    exchange = nil
    guard keepAlive, stream.isOpen else { return end() }
    state = .head
    guard !isParsing else { return }
    stream.resumeReading()
    stream.replaySoon()
  }

  private func refuse(_ violation: HTTPViolation) {
    if exchange == nil {
      let framing = RequestFraming(body: .none, keepAlive: false)
      exchange = Exchange(
        head: RequestHead(target: "*"), framing: framing, route: nil, parameter: "", headBytes: 0)
    }
    let response = Response(
      violation.status, text: violation.message, headers: ["connection": "close"])
    respond(response)
    end()
  }

  /// The stream goes on without this connection.
  func leave() {
    state = .ended
    disarmTimer()
    home.remove(self)
  }

  /// Serves the present request on the loop of a session.
  ///
  /// A connection that serves a session of another loop moves there for good, so that it pays for
  /// the way once.
  func hand(to loop: EventLoop, _ serve: @escaping @Sendable (ServerConnection) -> Void) {
    if loop === home.loop { return serve(self) }
    guard let other = home.directory.home(of: loop) else { return }
    disarmTimer()
    home.remove(self)
    // Until it is there, what happens to the connection happens here.
    stream.move(to: loop) { [self] in
      home = other
      other.add(self)
      armTimer()
      serve(self)
    }
  }

  /// Says who wants to know of the connection's end while the present request is answered.
  func rent(to tenant: any ConnectionTenant) { state = .tenanted(tenant) }

  /// The present request is answered by nobody else any more.
  func unrent() { if case .tenanted = state { state = .answering } }

  func inputEnded(_ stream: ByteStream) {
    switch state {
    case .tenanted(let tenant):
      tenant.connectionEnded(self, "the client ended the connection")
      end()
    case .answering:
      // The client may still read this answer, and those to requests that wait behind it
      // (half-close): the stream says again that it has ended when nothing is left of them.
      break
    case .head, .body, .ended: end()
    }
  }

  func failed(_ stream: ByteStream, _ error: IOError) {
    if case .tenanted(let tenant) = state {
      tenant.connectionEnded(self, error.description)
    }
    end()
  }

  func drained(_ stream: ByteStream) {
    switch state {
    case .tenanted(let tenant): tenant.connectionDrained(self)
    case .head: stream.resumeReading()
    case .body, .answering, .ended: break
    }
  }

  private func end() {
    if case .ended = state { return }
    leave()
    stream.close()
  }

  /// The server shuts down: an idle connection ends now, a busy one after its answer.
  ///
  /// - Parameter keepsSessions: Whether those that polled are kept: a client between two polls learns
  ///   by its next one what was sent before the end, and the end.
  func endIfIdle(keepsSessions: Bool) {
    if case .head = state, codec.isIdle, !(keepsSessions && servesSessions) { end() }
  }

  func abort() {
    if case .tenanted(let tenant) = state {
      tenant.connectionEnded(self, "the server shuts down")
    }
    leave()
    stream.abort()
  }

  func timerFired(now: UInt64) -> UInt64 {
    let configuration = home.configuration
    let deadline: UInt64
    switch state {
    case .ended: return 0
    case .answering, .tenanted: deadline = .max
    case .body: deadline = stream.lastArrival + configuration.bodySeconds.nanoseconds
    case .head where headBegan > 0: deadline = headBegan + configuration.headSeconds.nanoseconds
    case .head: deadline = stream.lastArrival + configuration.keepAliveSeconds.nanoseconds
    }
    if now < deadline { return min(deadline, now + configuration.checkNanoseconds) }
    timer = nil
    if case .head = state, headBegan == 0 {
      end()
    } else {
      refuse(
        HTTPViolation(
          .requestTimeout,
          "the request took too long: raise configuration.headSeconds or bodySeconds"))
      stream.flush()
    }
    return 0
  }
}

/// Who answers the present request of a connection over a longer time.
protocol ConnectionTenant: AnyObject {
  /// The client is gone.
  func connectionEnded(_ connection: ServerConnection, _ reason: String)
  /// What waited to be sent was taken by the kernel.
  func connectionDrained(_ connection: ServerConnection)
}
