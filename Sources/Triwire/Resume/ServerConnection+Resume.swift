import TriwireCodec
import TriwireIO

// What a connection does with the requests of resumable sessions.
extension ServerConnection {
  /// Serves the present request if it names a resumable session.
  ///
  /// - Returns: Whether it did.
  func resume(_ exchange: Exchange, _ body: [UInt8]) -> Bool {
    do throws(HTTPViolation) {
      guard let token = try SessionToken.find(in: exchange.head) else { return false }
      resume(exchange, token, body)
    } catch {
      respond(Response(error.status, text: error.message))
    }
    return true
  }

  /// Serves a request of a resumable session, on the session's loop.
  private func resume(_ exchange: Exchange, _ token: SessionToken, _ body: [UInt8]) {
    let head = exchange.head
    let key = SessionDirectory.Key(path: head.path, name: token.name, peer: peerSubject)
    let found: ResumableSessions.Found?
    // A probe is about a session that is there: it opens none.
    if head.method == .get, !token.isProbe {
      found = home.directory.resumable.find(key) {
        ServerLink(key, token, home: home)
      }
    } else {
      found = home.directory.resumable.find(key)
    }
    switch found {
    case nil:
      respond(Response(.notFound, text: "no session of that name is open here: open it with GET"))
    case .ended(let end):
      respond(
        Response(.gone, text: "the session has ended", headers: [Wire.close: end.line]))
    case .live(let link):
      guard link.admits(token, head) else {
        return respond(
          Response(.forbidden, text: "this secret, or this origin, is not the session's"))
      }
      hand(to: link.loop) { $0.serve(exchange, token, body, link) }
    }
  }

  private func serve(
    _ exchange: Exchange, _ token: SessionToken, _ body: [UInt8], _ link: ServerLink
  ) {
    // It may have ended while the request was on its way to this loop.
    if link.isOver { return resume(exchange, token, body) }
    let head = exchange.head
    if token.isProbe, link.session == nil {
      return respond(Response(.notFound, text: "the session of this probe is not open"))
    }
    switch head.method {
    case .get where WebSocketHandshake.isRequested(by: head):
      openWebSocket(exchange, token, link)
    case .get where head.headers.accepts("text/event-stream"):
      openEventStream(exchange, token, link)
    case .get where WebSocketHandshake.isStripped(head):
      refuse(WebSocketHandshake.strippedRefusal)
      abandon(link)
    case .get: poll(exchange, token, link)
    case .post:
      link.receive(
        Post(connection: self, head: head, body: body, headBytes: exchange.headBytes), token)
    case .delete:
      let end = SessionEnd(closeRequest: head)
      respond(Response(.noContent))
      link.finish(end)
    default:
      respond(
        Response(
          .methodNotAllowed, text: "a session takes GET, POST and DELETE",
          headers: ["allow": "GET, POST, DELETE"]))
    }
  }

  /// Opens the session of a link that has none yet.
  ///
  /// - Returns: What runs when the first connection carries it; nil when it was open before.
  private func begin(
    _ link: ServerLink, _ carrier: any LinkCarrier, _ exchange: Exchange,
    subprotocol: String? = nil
  ) -> (() -> Void)? {
    guard link.session == nil, let (session, handler) = newSession(carrier, exchange) else {
      return nil
    }
    if subprotocol != SessionToken.subprotocol { session.setSubprotocol(subprotocol) }
    session.link(by: link)
    session.carry(by: nil)
    let home = home
    return { home.open(session, handler) }
  }

  private func openWebSocket(_ exchange: Exchange, _ token: SessionToken, _ link: ServerLink) {
    switch WebSocketHandshake.answer(exchange.head) {
    case .failure(let refusal):
      refuse(refusal)
      abandon(link)
    case .success(let answer):
      let values = exchange.head.headers.values(of: "sec-websocket-protocol")
      let offered = WebSocketHandshake.tokens(values)
      let own = offered.contains(SessionToken.subprotocol) ? SessionToken.subprotocol : nil
      let subprotocol = exchange.route?.options.subprotocols.choose(offered) ?? own
      guard let socket = makeWebSocket(exchange, answer, subprotocol) else {
        return abandon(link)
      }
      let open = begin(link, socket, exchange, subprotocol: subprotocol)
      link.open(socket, token, exchange.head)
      open?()
    }
  }

  private func openEventStream(_ exchange: Exchange, _ token: SessionToken, _ link: ServerLink) {
    let transport = EventStreamTransport(
      connection: self, key: nil, directory: home.directory,
      limits: limits(of: exchange.route).hastened(to: token.heartbeat))
    let open = begin(link, transport, exchange)
    guard let session = link.session else { return }
    let has = link.has(token)
    let start = link.start(has)
    rent(to: transport)
    if token.isProbe {
      // It shows that events reach the client, and leaves the session where it is.
      let holder = Session(
        carrier: transport, request: exchange.head, loop: home.loop, limits: session.limits)
      if transport.begin(holder, exchange) { transport.sendControl(link.hello(start, token)) }
      return
    }
    let position = EventPosition(epoch: link.epoch, offset: start)
    guard transport.begin(session, exchange, at: position) else {
      // The client is gone before the session was anybody's.
      if open != nil { link.finish(SessionEnd(code: .abnormal, reason: "it did not open")) }
      return
    }
    transport.sendControl(link.hello(start, token))
    link.use(transport, has: has)
    open?()
  }

  private func poll(_ exchange: Exchange, _ token: SessionToken, _ link: ServerLink) {
    let has = link.has(token)
    if let polls = link.polls, token.epoch == link.epoch {
      // Whoever does not wait asks where the session stands.
      let isOpening = exchange.head.queryItem("wait") == "0"
      let start = isOpening ? link.start(has) : has
      return polls.poll(
        self, exchange, start, hello: isOpening ? link.hello(start, token) : nil,
        heartbeat: token.heartbeat)
    }
    let transport = LongPollTransport(key: nil, home: home, limits: limits(of: exchange.route))
    let open = begin(link, transport, exchange)
    guard let session = link.session else { return }
    let start = link.start(has)
    if token.isProbe {
      // It shows that polls are answered, and ends as any session that is not polled.
      let holder = Session(
        carrier: transport, request: exchange.head, loop: home.loop, limits: session.limits)
      transport.begin(holder, after: start)
      return transport.poll(
        self, exchange, start, hello: link.hello(start, token), heartbeat: token.heartbeat)
    }
    transport.begin(session, after: start)
    let hello = link.hello(start, token)
    link.use(transport, has: has)
    open?()
    transport.poll(self, exchange, start, hello: hello, heartbeat: token.heartbeat)
  }

  /// Forgets a link that nothing came of.
  private func abandon(_ link: ServerLink) {
    if link.session == nil { link.ended(SessionEnd(code: .abnormal, reason: "it did not open")) }
  }
}
