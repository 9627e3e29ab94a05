import TriwireCodec
import TriwireIO

/// How a request opens a session, or belongs to one.
extension ServerConnection {
  /// - Returns: Whether the request was for a session.
  func openOrFeedSession(_ exchange: Exchange, _ body: [UInt8]) -> Bool {
    let head = exchange.head
    if resume(exchange, body) { return true }
    if head.method == .get {
      if WebSocketHandshake.isRequested(by: head) {
        upgrade(exchange)
      } else if head.headers.accepts("text/event-stream") {
        openEventStream(exchange)
      } else if WebSocketHandshake.isStripped(head) {
        refuse(WebSocketHandshake.strippedRefusal)
      } else {
        poll(exchange)
      }
      return true
    }
    guard head.method == .post || head.method == .delete,
      let name = head.queryItem("session")
    else { return false }
    feed(name, exchange, body)
    return true
  }

  func limits(of route: Routes.Route?) -> SharedLimits {
    route?.limits ?? home.sessionLimits
  }

  func newSession(
    _ carrier: any Transport, _ exchange: Exchange
  ) -> (session: Session, handler: Routes.SessionHandler)? {
    guard let handler = exchange.route?.session else { return nil }
    var request = exchange.head
    // It is a secret, and nothing to the handler.
    request.headers.remove(SessionToken.field)
    let session = Session(
      carrier: carrier, request: request, hasParameter: !exchange.parameter.isEmpty,
      loop: home.loop,
      shared: limits(of: exchange.route))
    session.setPeerCertificateSubject(peerSubject)
    return (session, handler)
  }

  private func upgrade(_ exchange: Exchange) {
    switch WebSocketHandshake.answer(exchange.head) {
    case .failure(let refusal): refuse(refusal)
    case .success(let head): upgrade(exchange, head)
    }
  }

  func refuse(_ refusal: WebSocketHandshake.Refusal) {
    respond(Response(refusal.status, text: refusal.message, headers: refusal.headers))
  }

  private func upgrade(_ exchange: Exchange, _ answer: ResponseHead) {
    let options = exchange.route?.options ?? RouteOptions()
    let values = exchange.head.headers.values(of: "sec-websocket-protocol")
    let subprotocol = options.subprotocols.choose(WebSocketHandshake.tokens(values))
    guard let transport = makeWebSocket(exchange, answer, subprotocol),
      let (session, handler) = newSession(transport, exchange)
    else { return }
    session.setSubprotocol(subprotocol)
    transport.begin(session)
    home.open(session, handler)
  }

  /// Answers a handshake, and hands the stream to a transport; nil when it is gone.
  func makeWebSocket(
    _ exchange: Exchange, _ answer: ResponseHead, _ subprotocol: String?
  ) -> WebSocketTransport? {
    var head = answer
    let options = exchange.route?.options ?? RouteOptions()
    if let subprotocol { head.headers.append("sec-websocket-protocol", subprotocol) }
    let deflate = agreeOnDeflate(options, exchange.head.headers, &head)
    let before = stream.writtenBytes
    guard writeHead(head, .none) != nil else { return nil }
    var sent = Ledger()
    sent.http = stream.writtenBytes - before
    var received = Ledger()
    received.http = UInt64(exchange.headBytes)
    let transport = WebSocketTransport(
      stream: stream, role: .server, limits: limits(of: exchange.route), deflate: deflate,
      sent: sent, received: received)
    leave()
    stream.handler = transport
    return transport
  }

  func agreeOnDeflate(
    _ options: RouteOptions, _ headers: Headers, _ answer: inout ResponseHead
  ) -> DeflateSession? {
    let wanted: DeflateOptions?
    switch options.deflate {
    case .off: wanted = nil
    case .on(let options): wanted = options
    case nil: wanted = home.configuration.deflate
    }
    guard let wanted,
      let (agreement, value) = DeflateAgreement.answer(
        headers.values(of: "sec-websocket-extensions"), wanted)
    else { return nil }
    answer.headers.append("sec-websocket-extensions", value)
    return DeflateSession(agreement, wanted, role: .server, pool: home.deflatePool)
  }

  private func openEventStream(_ exchange: Exchange) {
    guard let name = sessionName(exchange) else { return }
    let transport = EventStreamTransport(
      connection: self, key: key(name, exchange), directory: home.directory,
      limits: limits(of: exchange.route))
    guard let (session, handler) = newSession(transport, exchange) else { return }
    rent(to: transport)
    guard transport.begin(session, exchange) else { return }
    home.open(session, handler)
  }

  private func key(_ name: String, _ exchange: Exchange) -> SessionDirectory.Key {
    SessionDirectory.Key(path: exchange.head.path, name: name, peer: peerSubject)
  }

  /// The name the client wants for its session, or a new one; nil when it was refused.
  private func sessionName(_ exchange: Exchange) -> String? {
    guard let wanted = exchange.head.queryItem("session") else {
      return SessionDirectory.newName()
    }
    guard SessionDirectory.isName(wanted) else {
      respond(
        Response(
          .badRequest, text: "a session's name is 8 to 64 letters, digits, \"-\" or \"_\""))
      return nil
    }
    return wanted
  }

  private func poll(_ exchange: Exchange) {
    let cursor: PollCursor?
    if let text = exchange.head.queryItem("cursor") {
      guard let parsed = PollCursor(text) else {
        return respond(
          Response(.badRequest, text: "a cursor is SESSION.NUMBER, as the last answer gave it"))
      }
      cursor = parsed
    } else {
      cursor = nil
    }
    guard let name = cursor?.session ?? sessionName(exchange) else { return }
    if let entry = home.directory[key(name, exchange)] {
      return hand(to: entry.loop) { connection in
        guard let transport = entry.carrier as? LongPollTransport else {
          return connection.respond(
            Response(.conflict, text: "the session of that name is no long-polling session"))
        }
        transport.poll(connection, exchange, cursor?.position)
      }
    }
    guard cursor == nil else {
      return respond(
        Response(
          .notFound,
          text: "no session of this cursor is open here: poll without a cursor to open one"))
    }
    let transport = LongPollTransport(
      key: key(name, exchange), home: home, limits: limits(of: exchange.route))
    guard let (session, handler) = newSession(transport, exchange) else { return }
    transport.begin(session)
    home.open(session, handler)
    transport.poll(self, exchange, nil)
  }

  private func feed(_ name: String, _ exchange: Exchange, _ body: [UInt8]) {
    guard let entry = home.directory[key(name, exchange)] else {
      return respond(
        Response(.notFound, text: "no session of that name is open here: open it with GET first"))
    }
    let head = exchange.head
    hand(to: entry.loop) { connection in
      if head.method == .delete {
        entry.carrier.closedByPeer(SessionEnd(closeRequest: head))
        return connection.respond(Response(.noContent))
      }
      entry.carrier.receive(
        Post(connection: connection, head: head, body: body, headBytes: exchange.headBytes))
    }
  }
}
