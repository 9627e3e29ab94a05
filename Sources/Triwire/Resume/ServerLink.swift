import Synchronization
import TriwireCodec
import TriwireIO

/// The server's end of a resumable session: lets the client's connections carry it, one at a time.
final class ServerLink: SessionLink, @unchecked Sendable {
  private let key: SessionDirectory.Key
  private let home: ServerLoop
  /// What is kept instead of the secret that proves that a request is the client's.
  private let proof: SIMD32<UInt8>
  /// The same of the first origin that a request came from, with the secret; 0 before there was one.
  private let origin = Atomic<UInt64>(0)
  /// Messages that come up with requests of their own; nil while none did for a while.
  private var posts: PostReceiver?
  private var isAway = false
  /// Whether its session has ended, and its place in the directory is free.
  private(set) var isOver = false

  init(_ key: SessionDirectory.Key, _ token: SessionToken, home: ServerLoop) {
    self.key = key
    self.home = home
    proof = SIMD32(Digest.sha256(Array(token.secret.utf8)))
    super.init(
      epoch: SessionToken.newEpoch(), options: home.resumeOptions, loop: home.loop)
  }

  /// Whether a request comes from whoever opened the session; on any loop.
  ///
  /// The session belongs to the first origin that it hears of (RFC 6454 §7). That may be later than its
  /// opening: a browser names the origin with a POST and a WebSocket, and with a GET only where
  /// that is another one than the server's own (Fetch §3.2).
  func admits(_ token: SessionToken, _ head: RequestHead) -> Bool {
    // All of it is compared, however early it differs.
    guard (proof ^ SIMD32(Digest.sha256(Array(token.secret.utf8)))).max() == 0 else { return false }
    guard let name = head.headers["origin"] else { return true }
    let digest = Digest.sha256(Array((token.secret + "\n" + name).utf8))
    let named = max(1, digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    let (isFirst, known) = origin.compareExchange(
      expected: 0, desired: named, ordering: .relaxed)
    return isFirst || known == named
  }

  /// The messages that the client has, as far as they belong to this life.
  func has(_ token: SessionToken) -> UInt64 {
    token.epoch == epoch ? min(token.received, window.last) : 0
  }

  /// Where a connection begins whose client has so many messages.
  ///
  /// Never before what was acknowledged: a request may have been under way since.
  func start(_ has: UInt64) -> UInt64 { max(has, window.acknowledged) }

  /// What a connection begins with whose client said `token`.
  func hello(_ start: UInt64, _ token: SessionToken) -> ControlLine {
    let limits = session?.limits ?? SessionLimits()
    return .hello(
      ControlLine.Hello(
        epoch: epoch, received: received, start: start,
        heartbeat: limits.heartbeatMilliseconds(wished: token.heartbeat),
        grace: limits.heartbeatGraceSeconds.nanoseconds / 1_000_000))
  }

  // MARK: Connections

  /// A connection carries the session from now on.
  func use(_ carrier: any LinkCarrier, has: UInt64, start: UInt64? = nil) {
    noteBack()
    attach(carrier, has: has, start: start ?? received)
  }

  override func control(_ line: ControlLine) {
    guard case .use(_, let start) = line else { return super.control(line) }
    // What came on another way meanwhile is not sent again on this one.
    if leavesNoHole(start) { arriving = start }
  }

  /// Whether a connection whose first message follows `start` leaves none out; ends the session if
  /// not, as the client has thrown away what was never acknowledged.
  private func leavesNoHole(_ start: UInt64) -> Bool {
    if start <= received { return true }
    let reason = "goes on after message \(start), but only \(received) came"
    finish(SessionEnd(code: .protocolError, reason: reason, isLocal: true))
    return false
  }

  private func noteBack() {
    guard isAway else { return }
    isAway = false
    home.directory.resumable.comeBack()
    if !isClosing { setTimer(nil) }
  }

  /// Takes a WebSocket that has just been opened.
  ///
  /// A probe waits for the client's word, also when the session has no connection: the client may
  /// not know that yet, and what came before its word would be for nobody.
  func open(_ socket: WebSocketTransport, _ token: SessionToken, _ head: RequestHead) {
    guard let session else { return socket.stream.abort() }
    socket.hasten(to: token.heartbeat)
    let has = has(token)
    let isProbe = token.isProbe
    let holder =
      isProbe
      ? Session(carrier: socket, request: head, loop: loop, limits: session.limits) : session
    if isProbe {
      holder.onControl { [weak self, weak socket] line in
        guard let self, let socket, self.session != nil else { return }
        switch line {
        case .use(let received, let start):
          guard leavesNoHole(start) else { return socket.stream.abort() }
          socket.move(to: session)
          use(socket, has: min(received, window.last), start: start)
        case .ping(let number): socket.sendControl(.pong(number))
        default: break
        }
      }
    }
    socket.begin(holder)
    socket.sendControl(hello(start(has), token))
    if !isProbe { use(socket, has: has) }
  }

  /// The connection that carries polls, if one does.
  var polls: LongPollTransport? { carrier as? LongPollTransport }

  // MARK: Requests beside the connection

  /// Takes messages that came in a POST.
  func receive(_ post: ServerConnection.Post, _ token: SessionToken) {
    let posts = posts ?? PostReceiver(limits: session?.shared ?? home.sessionLimits)
    self.posts = posts
    if token.epoch == epoch { acknowledged(token.received) }
    guard let text = post.head.headers[Self.offsetField] ?? post.head.queryItem(Self.offsetField)
    else { return posts.receive(post, for: session, at: received + 1) }
    guard let offset = UInt64(text), offset > 0 else {
      return post.connection.respond(
        Response(.badRequest, text: "\(Self.offsetField) is the offset of the first message: 1 …"))
    }
    posts.receive(post, for: session, at: offset)
  }

  /// The header field of a POST that says which messages it carries.
  static let offsetField = "triwire-offset"

  override func senderWaits() {
    // On an event stream the client's word of what came is in its next POST.
    if carrier?.kind == .serverSentEvents { posts?.hasten() }
  }

  override func resumeDelivery() {
    super.resumeDelivery()
    posts?.resume()
  }

  /// Lets go of what an idle session does not need, and has `other` count what it counted.
  func tidy(into other: PostReceiver?) {
    window.letGoOfRoom()
    guard let posts else { return }
    posts.letGoOfClosed()
    guard posts.isIdle, let other else { return }
    other.absorb(posts)
    self.posts = nil
  }

  override var beside: (sent: Ledger, received: Ledger) {
    guard let posts else { return super.beside }
    return (super.beside.sent + posts.sent, super.beside.received + posts.received)
  }

  // MARK: The end

  override var mustTell: Bool { false }

  override func lost(_ end: SessionEnd, _ carrier: (any LinkCarrier)?) {
    guard home.directory.resumable.leave(limit: options.awaySessions) else {
      return finish(
        SessionEnd(code: .abnormal, reason: "too many sessions wait: raise resume.awaySessions"))
    }
    isAway = true
    if !isClosing { setTimer(loop.now + options.awaySeconds.nanoseconds) }
  }

  override func timeIsUp() {
    guard isAway else { return }
    finish(
      SessionEnd(
        code: .abnormal, reason: "the client did not come back for \(options.awaySeconds) s"))
  }

  override func ended(_ end: SessionEnd) {
    if isAway { home.directory.resumable.comeBack() }
    isAway = false
    isOver = true
    home.directory.resumable.remove(key, self, end)
    posts?.end()
    super.ended(end)
  }
}
