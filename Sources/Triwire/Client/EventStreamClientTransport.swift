import TriwireCodec
import TriwireIO

/// The client's end of a session over Server-Sent Events, with POST upwards.
final class EventStreamClientTransport: ClientTransport, ClientConnectionUser {
  private let dialer: Dialer
  /// The name of a plain session, as it stands in its requests; empty in a resumable one.
  private let addedQuery: String
  private let posts: PostSender
  private var connection: ClientConnection?
  private var request = RequestHead(target: "/")
  private var session: Session?
  private var opening: Opening
  private var done: ((Result<Session, OpenFailure>) -> Void)?
  private var parser: EventStreamParser
  private var sent = Ledger()
  private var received = Ledger()
  /// Bytes of the body that no event accounts for yet.
  private var pending = 0
  private var isAfterComment = false
  private var isPaused = false
  /// What came while it is paused, as it came.
  private var held: [UInt8] = []
  /// The rest of what was parsed when it was paused; decompressed, if there is a decompressor.
  private var unread: [UInt8] = []
  /// Decompresses the body; nil where it is not compressed.
  private var reader: GzipReader?
  private var proof: Proof?
  private var refusedEnd: SessionEnd?
  private var watch: SilenceWatch?
  /// The answer is none that opens: why, and its status.
  private var refusal: (reason: String, status: HTTPStatus)?
  private var words = RefusalText()
  private let closing: PostedClosing

  init(dialer: Dialer, opening: Opening) {
    self.dialer = dialer
    self.opening = opening
    // A resumable session is named in a header field of each request.
    let isNamed = dialer.link == nil && dialer.configuration.foreign == nil
    addedQuery = isNamed ? "session=\(SessionDirectory.newName())" : ""
    let target = dialer.configuration.foreign?.publish ?? dialer.url.target(adding: addedQuery)
    posts = PostSender(dialer: dialer, target: target)
    closing = PostedClosing(posts, dialer)
    // A binary message grows by a third in base64.
    let limit = dialer.configuration.session.messageBytes
    parser = EventStreamParser(eventBytes: limit / 3 * 4 + 1024)
  }

  var kind: TransportKind { .serverSentEvents }
  var queuedBytes: Int { posts.queuedBytes }

  var traffic: Traffic {
    var traffic = Traffic()
    traffic.sent = sent + posts.sent
    traffic.received = received + posts.received
    if let connection {
      traffic.streams = [connection.stream.counters]
      traffic.kernel = connection.stream.kernelCounters().map { [$0] } ?? []
    }
    traffic.streams += posts.streams
    traffic.kernel += posts.kernel
    return traffic
  }

  func open(_ stream: ByteStream, _ done: @escaping (Result<Session, OpenFailure>) -> Void) {
    self.done = done
    let connection = ClientConnection(stream: stream, limits: dialer.limits)
    self.connection = connection
    connection.user = self
    stream.start(connection)
    var headers = dialer.accepting("text/event-stream")
    if dialer.configuration.foreign == nil { headers.append(Wire.version, "1") }
    request = dialer.request(.get, dialer.url.target(adding: addedQuery), headers)
    do {
      sent.http = connection.tunnel.sent + UInt64(try connection.send(request))
      received.http = connection.tunnel.received
      opening.requested = EventLoop.clock()
    } catch {
      finishOpening(.failure(OpenFailure(reason: error.description)))
    }
  }

  func giveUp() {
    // One who does not end the body has answered nevertheless.
    refuse()
    finishOpening(.failure(OpenFailure(reason: "the server did not open the stream in time")))
  }

  private func finishOpening(_ result: Result<Session, OpenFailure>) {
    guard let done else { return }
    self.done = nil
    if case .failure = result {
      connection?.close()
      posts.end()
    }
    done(result)
  }

  func answered(_ connection: ClientConnection, _ head: ResponseHead, bytes: Int) {
    received.http += UInt64(bytes)
    opening.answered = EventLoop.clock()
    // WHATWG HTML §9.2.3: anything but 200 and text/event-stream fails the connection.
    guard head.status == .ok, head.headers.mediaType == "text/event-stream" else {
      refusedEnd = SessionEnd(goneIn: head)
      let type = head.headers.mediaType
      let reason =
        "the server answered \(head.status)\(type.isEmpty ? "" : " (\(type))") to the stream"
      refusal = (reason, head.status)
      if let redirect = Redirect(head, added: addedQuery) {
        finishOpening(.failure(OpenFailure(reason, head.status, redirect: redirect)))
      }
      return
    }
    let gzip = dialer.configuration.gzip
    if let flaw = head.headers.codingFlaw(asked: gzip) {
      return finishOpening(.failure(OpenFailure(reason: flaw)))
    }
    if let gzip, head.headers.isGzip { reader = GzipReader(ratio: gzip.maximumRatio) }
    let session = Session(
      carrier: self, request: request, hasParameter: false, loop: dialer.loop,
      shared: dialer.sessionLimits)
    self.session = session
    opening.opened = EventLoop.clock()
    session.setOpening(opening)
    posts.onDrain = { [unowned self] in self.session?.drained(posts.queuedBytes) }
    posts.onRefusal = { [unowned self] in self.end($0) }
    posts.onFailure = { [unowned self] in postsFailed($0, sessionIsOver: $1) }
    if let link = dialer.link {
      watch = SilenceWatch(connection.stream, link) { [weak self] in
        self?.end(SessionEnd(code: .abnormal, reason: "the server is silent", isLocal: true))
      }
    }
    finishOpening(.success(session))
  }

  func send(_ kind: MessageKind, _ payload: Span<UInt8>, _ compression: MessageCompression) {
    posts.send(kind, payload)
  }

  func send(_ broadcast: Broadcast) {
    for item in broadcast.items { posts.send(item.message.kind, item.message.bytes.span) }
  }

  func bodyArrived(_ connection: ClientConnection, _ piece: Span<UInt8>, overhead: Int) {
    guard session != nil else {
      received.http += UInt64(piece.count + overhead)
      words.append(piece)
      if words.isComplete { refuse() }
      return
    }
    received.framing += UInt64(overhead)
    if isPaused {
      held.append(copying: piece)
      // So much does not come with a stream's end alone.
      if proof != nil, held.count > dialer.configuration.session.queuedBytes { proved() }
    } else {
      take(piece)
    }
  }

  /// Takes bytes as they came.
  private func take(_ piece: Span<UInt8>) {
    guard let reader else { return parse(piece) }
    var offset = 0
    do throws(GzipReader.Failure) {
      var isMore = true
      while isMore, session != nil, !isPaused {
        let start = offset
        isMore = try reader.next(piece, at: &offset) { plain in
          received.saved &+= UInt64(plain.count)
          parse(plain)
        }
        received.saved &-= UInt64(offset - start)
      }
    } catch {
      return end(SessionEnd(unreadable: error, dialer.configuration.gzip))
    }
    if isPaused { held.append(copying: piece.extracting(offset..<piece.count)) }
  }

  /// Goes on with what waits, and reads on when nothing of it is left.
  private func takeWaiting() {
    let plain = unread
    unread = []
    parse(plain.span)
    guard session != nil, !isPaused else { return }
    let bytes = held
    held = []
    take(bytes.span)
    if !isPaused { connection?.resume() }
  }

  private func parse(_ piece: Span<UInt8>) {
    var offset = 0
    do {
      while session != nil, !isPaused {
        let start = offset
        let event = try parser.nextEvent(in: piece, at: &offset)
        pending += offset - start
        guard let event else {
          settleComment()
          break
        }
        handle(event)
      }
    } catch {
      return end(SessionEnd(code: .messageTooBig, reason: error.description, isLocal: true))
    }
    if isPaused { unread.append(copying: piece.extracting(offset..<piece.count)) }
  }

  /// Counts the line feed that ended the paragraph of a comment, which is no event's.
  private func settleComment() {
    guard isAfterComment, pending > 0 else { return }
    isAfterComment = false
    received.control += 1
    pending -= 1
  }

  private func handle(_ event: EventStreamEvent) {
    switch event {
    case .comment:
      if session?.link != nil { dialer.link?.heartbeatCame() }
      received.control += UInt64(pending)
      isAfterComment = true
      pending = 0
    case .event(let event): handle(event)
    }
  }

  private func handle(_ event: ServerSentEvent) {
    settleComment()
    defer { pending = 0 }
    if let link = dialer.link, event.type != ControlLine.event, event.type != Wire.closeEvent,
      let position = EventPosition(event.id), position.offset != link.arriving + 1
    {
      // Some proxy has dropped what stood between.
      let reason = "event \(position.offset) came instead of \(link.arriving + 1)"
      return end(SessionEnd(code: .abnormal, reason: reason, isLocal: true))
    }
    switch event.type {
    case "message": deliver(.text, event.data.utf8.span)
    case Wire.binaryEvent: deliverDecoded(.binary, event.data)
    case Wire.exactTextEvent: deliverDecoded(.text, event.data)
    case ControlLine.event where dialer.link != nil:
      received.control += UInt64(pending)
      pending = 0
      if let line = ControlLine(event.data), !mustProve(line) { session?.control(line) }
    case Wire.closeEvent:
      received.control += UInt64(pending)
      if let said = SessionEnd(line: event.data) { end(said) }
    default:
      // Another type is none of ours: the standard lets servers have their own.
      received.framing += UInt64(pending)
    }
  }

  private func deliverDecoded(_ kind: MessageKind, _ data: String) {
    guard let bytes = Base64.decode(data.utf8.span) else {
      return end(
        SessionEnd(code: .protocolError, reason: "an event is not base64", isLocal: true))
    }
    deliver(kind, bytes.span)
  }

  private func deliver(_ kind: MessageKind, _ payload: Span<UInt8>) {
    received.messages += 1
    received.payload += UInt64(payload.count)
    received.framing += UInt64(pending - payload.count)
    let limit = dialer.configuration.session.messageBytes
    guard payload.count <= limit else {
      let reason =
        "message is \(payload.count) bytes, limit is \(limit): raise limits.messageBytes"
      return end(SessionEnd(code: .messageTooBig, reason: reason, isLocal: true))
    }
    guard let session, !session.deliver(kind, payload) else { return }
    isPaused = true
    connection?.pause()
  }

  /// The hello of a stream that something may hold back.
  private final class Proof {
    let hello: ControlLine
    let alarm: Alarm

    init(_ hello: ControlLine, _ alarm: Alarm) {
      self.hello = hello
      self.alarm = alarm
    }
  }

  /// How long a stream whose hello was late has to stay open.
  private static let proofNanoseconds: UInt64 = 250_000_000

  /// Whether the hello does not count yet: it came so late that another transport was tried beside.
  ///
  /// That ends this stream, and a proxy that waits for an answer's end lets go of all it holds then:
  /// what comes with the end, came with it only.
  private func mustProve(_ line: ControlLine) -> Bool {
    guard case .hello = line, proof == nil, let link = dialer.link, link.carrier !== self,
      let newest = link.attempts.last, newest.transport != kind
    else { return false }
    let alarm = Alarm(dialer.loop)
    proof = Proof(line, alarm)
    // What follows is kept, so that the hello stays the first.
    isPaused = true
    alarm.set(after: Self.proofNanoseconds) { [weak self] in self?.proved() }
    return true
  }

  private func proved() {
    guard let proof else { return }
    proof.alarm.cancel()
    isPaused = false
    session?.control(proof.hello)
    self.proof = nil
    guard session != nil, !isPaused else { return }
    takeWaiting()
  }

  func resumeDelivery() {
    guard isPaused, proof == nil else { return }
    isPaused = false
    takeWaiting()
  }

  func connectionDrained(_ connection: ClientConnection) {}

  func answerEnded(_ connection: ClientConnection, bytes: Int) {
    received.http += UInt64(bytes)
    if refusal != nil { return refuse() }
    let reason =
      proof == nil
      ? "the stream ended without a close event" : "its first words come late, with its end"
    end(SessionEnd(code: .abnormal, reason: reason))
  }

  func connectionLost(_ connection: ClientConnection, _ reason: String) {
    refuse()
    if done != nil { return finishOpening(.failure(OpenFailure(reason: reason))) }
    end(SessionEnd(code: .abnormal, reason: reason))
  }

  private func refuse() {
    guard let refusal else { return }
    finishOpening(.failure(OpenFailure(refusal.reason, refusal.status, words, end: refusedEnd)))
  }

  private func postsFailed(_ reason: String, sessionIsOver: Bool) {
    let end = SessionEnd(code: .abnormal, reason: reason)
    guard sessionIsOver, dialer.link == nil else { return self.end(end) }
    // How it ended is on its way down, unless that is broken too.
    closing.presume(end) { [self] in self.end($0) }
  }

  func close(_ code: CloseCode, _ reason: String) {
    closing.begin(code, reason) { [self] in end($0) }
  }

  func abort() {
    connection?.stream.abort()
    end(SessionEnd(code: .abnormal, reason: "aborted", isLocal: true))
  }

  private func end(_ end: SessionEnd) {
    guard let session else { return }
    self.session = nil
    session.ended(closing.told(end))
    release()
  }

  private func release() {
    watch?.cancel()
    watch = nil
    proof?.alarm.cancel()
    proof = nil
    closing.stop()
    connection?.close()
    posts.end()
  }
}

extension EventStreamClientTransport: LinkCarrier {
  func sendControl(_ line: ControlLine) {
    // Each request says what came; there is nothing else to say on the way up.
    if case .acknowledge = line { posts.acknowledge() }
  }

  func startSending(after offset: UInt64) { posts.startSending(after: offset) }

  func move(to session: Session) { self.session = session }

  var lastArrival: UInt64? { connection?.stream.lastArrival }

  func letGo() {
    guard session != nil else { return }
    session = nil
    release()
  }
}
