import TriwireCodec
import TriwireIO

/// The server's end of a session over Server-Sent Events (WHATWG HTML §9.2), with POST upwards.
final class EventStreamTransport: NamedTransport, LinkCarrier, ConnectionTenant, TimerOwner,
  @unchecked Sendable
{
  private let connection: ServerConnection
  /// What other requests find the session by; nil when it is resumable and found otherwise.
  private let key: SessionDirectory.Key?
  private let directory: SessionDirectory
  private let limits: SharedLimits
  private var session: Session?
  private let posts: PostReceiver
  private var sent = Ledger()
  private var received = Ledger()
  private var timer: TimerID?
  private var isChunked = true
  private var isExact = false
  private var keepAlive = true
  private var lastWrite: UInt64 = 0
  /// What compresses the body; nil where it is not compressed.
  private var coder: GzipWriter?
  /// In a resumable session: where it is, so that each event says what it is.
  private var position: EventPosition?

  private var stream: ByteStream { connection.stream }

  init(
    connection: ServerConnection, key: SessionDirectory.Key?, directory: SessionDirectory,
    limits: SharedLimits
  ) {
    self.connection = connection
    self.key = key
    self.directory = directory
    self.limits = limits
    posts = PostReceiver(limits: limits)
  }

  var kind: TransportKind { .serverSentEvents }
  var queuedBytes: Int { stream.queuedBytes }

  var traffic: Traffic {
    var traffic = Traffic()
    traffic.sent = sent + posts.sent
    traffic.received = received + posts.received
    traffic.streams = posts.streams
    traffic.kernel = posts.kernel
    return traffic
  }

  /// Writes the head and the first bytes.
  ///
  /// - Returns: Whether the stream is open.
  func begin(
    _ session: Session, _ exchange: Exchange, at position: EventPosition? = nil
  ) -> Bool {
    self.position = position
    isChunked = exchange.head.version == .http11
    isExact = position != nil || exchange.head.headers.contains(Wire.version)
    received.http = UInt64(exchange.headBytes)
    posts.note(connection)
    // `no-transform` and `X-Accel-Buffering` keep proxies from holding events back.
    var headers: Headers = [
      "content-type": "text/event-stream", "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    ]
    if let options = connection.home.configuration.gzip {
      headers.append("vary", "accept-encoding")
      if exchange.head.headers.acceptsGzip {
        headers.append("content-encoding", "gzip")
        coder = GzipWriter(options)
      }
    }
    let before = stream.writtenBytes
    guard let keepAlive = connection.writeHead(ResponseHead(headers: headers), .unknown) else {
      return false
    }
    self.keepAlive = keepAlive
    sent.http = stream.writtenBytes - before
    self.session = session
    if let key {
      let entry = SessionDirectory.Entry(loop: stream.loop, carrier: self)
      if let older = directory.set(key, entry) { older.replace() }
    }
    timer = stream.loop.wheel.arm(
      self, at: stream.loop.now + limits.value.heartbeatSeconds.nanoseconds)
    // Some clients and proxies say that the stream is open only when its first bytes come; in a
    // resumable session they say where it is.
    if position == nil { writeControl(EventEncoding.comment(chunked: framesEvents)) }
    lastWrite = stream.loop.now
    return true
  }

  func send(_ kind: MessageKind, _ payload: Span<UInt8>, _ compression: MessageCompression) {
    position?.offset += 1
    let bytes = EventEncoding.encode(
      kind, payload, id: position?.text, chunked: framesEvents, exact: isExact)
    let around = write(bytes, compression)
    count(messages: 1, payload: payload.count, total: bytes.count + around)
  }

  func send(_ broadcast: Broadcast) {
    if coder != nil {
      let events = isExact ? broadcast.exactEvents : broadcast.plainEvents
      let around = write(events.bytes)
      return count(
        messages: broadcast.items.count, payload: broadcast.payloadBytes,
        total: events.bytes.count + around)
    }
    let encoding =
      !isChunked ? broadcast.plainEvents : isExact ? broadcast.exactChunks : broadcast.chunks
    stream.writeThrough(encoding.bytes.span)
    count(
      messages: broadcast.items.count, payload: broadcast.payloadBytes,
      total: encoding.bytes.count)
  }

  private func count(messages: Int, payload: Int, total: Int) {
    sent.messages &+= UInt64(messages)
    sent.payload &+= UInt64(payload)
    sent.framing &+= UInt64(total) &- UInt64(payload)
    lastWrite = stream.loop.now
  }

  /// Whether an event is a chunk of the body; what is compressed is cut into chunks afterwards.
  private var framesEvents: Bool { isChunked && coder == nil }

  /// Writes a piece of the body, compressed where the client asked for it.
  ///
  /// - Returns: Bytes of framing around what it became.
  private func write(_ bytes: [UInt8], _ compression: MessageCompression = .automatic) -> Int {
    guard let coder else {
      stream.write(bytes.span)
      return 0
    }
    let coded = coder.write(bytes.span, GzipWriter.Relation(compression))
    sent.saved &+= UInt64(bytes.count) &- UInt64(coded.count)
    return write(coded: coded)
  }

  private func write(coded: [UInt8]) -> Int {
    guard isChunked else {
      stream.write(coded.span)
      return 0
    }
    stream.write(capacity: coded.count + HTTPChunk.overhead) { output in
      HTTPChunk.write(coded.span, into: &output)
    }
    return HTTPChunk.overhead(coded.count)
  }

  private func writeControl(_ bytes: [UInt8]) {
    sent.control &+= UInt64(bytes.count + write(bytes))
    lastWrite = stream.loop.now
  }

  func sendControl(_ line: ControlLine) {
    writeControl(
      EventEncoding.frame(
        line.text.utf8.span, type: ControlLine.event, id: nil, chunked: framesEvents))
  }

  /// Says that messages of a topic are missing before a position; who comes back after it has heard.
  func sendGap(in topic: String, at start: TopicPosition) {
    writeControl(
      EventEncoding.frame(
        topic.utf8.span, type: Wire.gapEvent, id: start.description, chunked: framesEvents))
  }

  func move(to session: Session) { self.session = session }

  func letGo() {
    guard session != nil else { return }
    session = nil
    sendControl(.moved)
    finish(nil)
  }

  func receive(_ post: ServerConnection.Post) { posts.receive(post, for: session) }

  func resumeDelivery() { posts.resume() }

  func close(_ code: CloseCode, _ reason: String) {
    // A request of another loop may come when the session has ended and the connection serves on.
    guard session != nil else { return }
    let end = SessionEnd(code: code, reason: reason, isLocal: true)
    writeControl(
      EventEncoding.frame(
        end.line.utf8.span, type: Wire.closeEvent, id: nil, chunked: framesEvents))
    finish(end)
  }

  func closedByPeer(_ end: SessionEnd) { if session != nil { finish(end) } }

  /// Ends the body of the response; the connection can serve another request.
  private func finish(_ end: SessionEnd?) {
    if let coder {
      let tail = coder.finish([UInt8]().span)
      sent.http += UInt64(tail.count + write(coded: tail))
    }
    if isChunked {
      stream.write(capacity: 5) { output in try? HTTPChunk.writeLast(into: &output) }
      sent.http += 5
    }
    let connection = connection
    release(end)
    connection.unrent()
    connection.finishExchange(keepAlive: keepAlive && isChunked)
  }

  func abort() {
    release(SessionEnd(code: .abnormal, reason: "aborted", isLocal: true))
    connection.abort()
  }

  func connectionEnded(_ connection: ServerConnection, _ reason: String) {
    // Whoever cannot resume means to go.
    release(SessionEnd(code: position == nil ? .goingAway : .abnormal, reason: reason))
  }

  func connectionDrained(_ connection: ServerConnection) {
    session?.drained(stream.queuedBytes)
  }

  private func release(_ end: SessionEnd?) {
    if let timer { stream.loop.wheel.cancel(timer) }
    timer = nil
    if let key { directory.remove(key, self) }
    let session = session
    self.session = nil
    if let end { session?.ended(end) }
    posts.end()
  }

  func timerFired(now: UInt64) -> UInt64 {
    let interval = limits.value.heartbeatSeconds.nanoseconds
    // A client counts on it that no silence lasts longer.
    if now < lastWrite + interval { return lastWrite + interval }
    writeControl(EventEncoding.comment(chunked: framesEvents))
    stream.flush()
    (session?.link as? ServerLink)?.tidy(into: posts)
    return now + interval
  }
}

extension GzipWriter.Relation {
  init(_ compression: MessageCompression) {
    self =
      switch compression {
      case .automatic: .free
      case .never: .stored
      case .noContextTakeover: .alone
      }
  }
}

extension SessionDirectory.Entry {
  /// A newer session took the name.
  func replace() {
    let carrier = carrier
    loop.post { carrier.close(.goingAway, "a newer session took the name") }
  }
}
