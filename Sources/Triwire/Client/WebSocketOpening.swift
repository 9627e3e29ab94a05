import TriwireCodec
import TriwireIO

/// The client's side of a WebSocket's opening: request, answer, hand-over to the transport.
final class WebSocketOpening: ClientConnectionUser {
  private let dialer: Dialer
  private let key = WebSocketHandshake.newKey()
  private var connection: ClientConnection?
  private var request = RequestHead(target: "/")
  private var sent = Ledger()
  private var opening: Opening
  private var done: ((Result<Session, OpenFailure>) -> Void)?
  private var refusedEnd: SessionEnd?
  /// The answer is none that opens: why, and its status.
  private var refusal: (reason: String, status: HTTPStatus)?
  private var words = RefusalText()

  init(dialer: Dialer, opening: Opening) {
    self.dialer = dialer
    self.opening = opening
  }

  func open(_ stream: ByteStream, _ done: @escaping (Result<Session, OpenFailure>) -> Void) {
    self.done = done
    let connection = ClientConnection(stream: stream, limits: dialer.configuration.http)
    self.connection = connection
    connection.user = self
    stream.start(connection)
    var headers: Headers = [
      "connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
      "sec-websocket-key": key,
    ]
    let configuration = dialer.configuration
    if !configuration.subprotocols.isEmpty {
      headers.append(
        "sec-websocket-protocol", configuration.subprotocols.joined(separator: ", "))
    }
    if let deflate = configuration.deflate {
      headers.append("sec-websocket-extensions", DeflateAgreement.offer(deflate))
    }
    request = dialer.request(.get, dialer.url.target, headers)
    do {
      sent.http = connection.tunnel.sent + UInt64(try connection.send(request))
      opening.requested = EventLoop.clock()
    } catch {
      finish(.failure(OpenFailure(reason: error.description)))
    }
  }

  func answered(_ connection: ClientConnection, _ head: ResponseHead, bytes: Int) {
    opening.answered = EventLoop.clock()
    if let flaw = WebSocketHandshake.flaw(in: head, key: key) {
      refusedEnd = SessionEnd(goneIn: head)
      refusal = (flaw, head.status)
      if head.status == .switchingProtocols { finish(.failure(OpenFailure(reason: flaw))) }
      if let redirect = Redirect(head) {
        finish(.failure(OpenFailure(flaw, head.status, redirect: redirect)))
      }
      return
    }
    do {
      try begin(connection, head, bytes)
    } catch {
      finish(.failure(error))
    }
  }

  private func begin(
    _ connection: ClientConnection, _ head: ResponseHead, _ bytes: Int
  ) throws(OpenFailure) {
    let subprotocol = try WebSocketHandshake.subprotocol(
      in: head, offered: dialer.configuration.subprotocols)
    let deflate = try agreeOnDeflate(head)
    var received = Ledger()
    received.http = connection.tunnel.received + UInt64(bytes)
    let transport = WebSocketTransport(
      stream: connection.stream, role: .client, limits: dialer.sessionLimits, deflate: deflate,
      sent: sent, received: received)
    let session = Session(
      carrier: transport, request: request, hasParameter: false, loop: dialer.loop,
      shared: dialer.sessionLimits)
    session.setSubprotocol(subprotocol)
    opening.opened = EventLoop.clock()
    session.setOpening(opening)
    transport.begin(session)
    // The bytes behind the head are the transport's.
    connection.stream.handler = transport
    finish(.success(session))
  }

  private func agreeOnDeflate(_ head: ResponseHead) throws(OpenFailure) -> DeflateSession? {
    let answers = head.headers.values(of: "sec-websocket-extensions")
    guard let options = dialer.configuration.deflate else {
      if answers.isEmpty { return nil }
      throw OpenFailure(reason: "the server uses an extension that was not offered")
    }
    do throws(ExtensionViolation) {
      guard let agreement = try DeflateAgreement.accepted(answers, options) else { return nil }
      return unsafe DeflateSession(agreement, options, role: .client, pool: dialer.deflatePool)
    } catch {
      throw OpenFailure(reason: error.message)
    }
  }

  func bodyArrived(_ connection: ClientConnection, _ piece: Span<UInt8>, overhead: Int) {
    words.append(piece)
    if words.isComplete { refuse() }
  }

  func answerEnded(_ connection: ClientConnection, bytes: Int) { refuse() }

  func connectionLost(_ connection: ClientConnection, _ reason: String) {
    if refusal != nil { return refuse() }
    finish(.failure(OpenFailure(reason: reason)))
  }

  func connectionDrained(_ connection: ClientConnection) {}

  private func refuse() {
    guard let refusal else { return }
    finish(.failure(OpenFailure(refusal.reason, refusal.status, words, end: refusedEnd)))
  }

  func giveUp() {
    // One who does not end the body has answered nevertheless.
    refuse()
    finish(.failure(OpenFailure(reason: "the server did not answer the handshake in time")))
  }

  private func finish(_ result: Result<Session, OpenFailure>) {
    guard let done else { return }
    self.done = nil
    if case .failure = result { connection?.close() }
    connection?.user = nil
    connection = nil
    done(result)
  }
}
