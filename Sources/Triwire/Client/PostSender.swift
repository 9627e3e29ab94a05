import TriwireCodec
import TriwireIO

/// The way up of event streams and long polling on the client: messages leave as POSTs on a
/// kept-alive connection of their own, one after the other, and all that waits goes into one.
final class PostSender: ClientConnectionUser, TurnEnd, @unchecked Sendable {
  private let dialer: Dialer
  private let target: String
  private var connection: ClientConnection?
  private var queue: [(kind: MessageKind, bytes: [UInt8])] = []
  private var queueBytes = 0
  private var flightBytes = 0
  private var state = State.idle
  private var isScheduled = false
  private var closeRequest: RequestHead?
  /// In a resumable session: the offset of the first message that waits, and of the first and the
  /// number of those under way.
  private var nextOffset: UInt64 = 1
  private var flight: (first: UInt64, count: Int) = (0, 0)
  private var mustAcknowledge = false
  /// In a resumable session: when an answer is due, and then when the connection is given back.
  private lazy var deadline = Alarm(dialer.loop)
  private(set) var sent = Ledger()
  private(set) var received = Ledger()
  private var retired = StreamCounters()
  private var retiredKernel: [KernelCounters] = []
  private var answer: HTTPStatus?
  private var answerText: [UInt8] = []

  /// Called when less waits than before.
  var onDrain: (() -> Void)?
  /// Called when messages can no longer be sent, with the reason, and whether it is that the
  /// session has ended on the server's side.
  var onFailure: ((String, Bool) -> Void)?
  /// Called instead when the server refuses a message for good: no connection would change that.
  var onRefusal: ((SessionEnd) -> Void)?
  /// Called when the close request was answered, or could not be sent.
  var onClosed: (() -> Void)?

  private enum State {
    case idle
    case connecting
    case posting
    case closing
    case ended
  }

  private static let batchBytes = 256 * 1024
  private static let answerBytes = 1024

  init(dialer: Dialer, target: String) {
    self.dialer = dialer
    self.target = target
  }

  /// Bytes that the server has not acknowledged.
  var queuedBytes: Int { queueBytes + flightBytes }

  /// What the streams counted, that of today's connection last.
  var streams: [StreamCounters] {
    var all = retired == StreamCounters() ? [] : [retired]
    if let connection { all.append(connection.stream.counters) }
    return all
  }

  var kernel: [KernelCounters] {
    retiredKernel + (connection?.stream.kernelCounters().map { [$0] } ?? [])
  }

  func send(_ kind: MessageKind, _ payload: Span<UInt8>) {
    guard state != .ended else { return }
    queue.append((kind, Array(copying: payload)))
    queueBytes += payload.count
    schedule()
  }

  /// The next message has the offset after this one.
  func startSending(after offset: UInt64) { nextOffset = offset + 1 }

  /// Tells the server what came, even if there is nothing to send.
  func acknowledge() {
    guard state != .ended else { return }
    mustAcknowledge = true
    schedule()
  }

  /// Tells the server that the session ends, after what waits.
  func close(_ end: SessionEnd) {
    // A server that knows no sessions is not told that one ends.
    guard dialer.configuration.foreign == nil else { return onClosed?() ?? () }
    let reason = end.reason.utf8.map(Self.escape).joined()
    let item =
      (target.contains("?") ? "&" : "?") + "code=\(end.code)"
      + (reason.isEmpty ? "" : "&reason=\(reason)")
    closeRequest = dialer.request(.delete, target + item)
    schedule()
  }

  private static func escape(_ byte: UInt8) -> String {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
      return String(UnicodeScalar(byte))
    default:
      let digits = Array("0123456789ABCDEF")
      return "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }
  }

  func end() {
    state = .ended
    if dialer.link != nil { deadline.cancel() }
    queue = []
    retire()
    onDrain = nil
    onFailure = nil
    onRefusal = nil
    onClosed = nil
  }

  private func retire() {
    guard let connection else { return }
    retired = retired + connection.stream.counters
    self.connection = nil
    connection.close()
    if dialer.configuration.keepsKernelCounters { retiredKernel += connection.kernelAtEnd }
  }

  private func schedule() {
    guard !isScheduled, state == .idle else { return }
    isScheduled = true
    dialer.loop.atEndOfTurn(self)
  }

  func turnEnded() {
    isScheduled = false
    guard state == .idle, hasWork else { return }
    if let connection, connection.canSend { return sendNext(on: connection) }
    retire()
    state = .connecting
    dialer.open { [self] result in connected(result) }
  }

  private var hasWork: Bool { !queue.isEmpty || closeRequest != nil || mustAcknowledge }

  private func connected(_ result: Result<ByteStream, any Error>) {
    guard case .connecting = state else {
      if case .success(let stream) = result { stream.abort() }
      return
    }
    switch result {
    case .failure(let error): fail("\(error)")
    case .success(let stream):
      let connection = ClientConnection(stream: stream, limits: dialer.configuration.http)
      connection.user = self
      self.connection = connection
      sent.http += connection.tunnel.sent
      received.http += connection.tunnel.received
      stream.start(connection)
      sendNext(on: connection)
    }
  }

  private func sendNext(on connection: ClientConnection) {
    answer = nil
    answerText = []
    do {
      if !queue.isEmpty || mustAcknowledge && closeRequest == nil {
        state = .posting
        try post(on: connection)
      } else if let closeRequest {
        state = .closing
        sent.http += UInt64(try connection.send(closeRequest))
      }
    } catch {
      fail(error.description)
    }
  }

  private func post(on connection: ClientConnection) throws(HTTPHeadError) {
    mustAcknowledge = false
    var count = min(1, queue.count)
    var size = queue.first?.bytes.count ?? 0
    let isBatch = dialer.configuration.foreign == nil
    while isBatch, count < queue.count, size + queue[count].bytes.count <= Self.batchBytes {
      size += queue[count].bytes.count
      count += 1
    }
    var (headers, body) = encode(count, size)
    if let link = dialer.link {
      if count > 0 { headers.append(ServerLink.offsetField, String(nextOffset)) }
      flight = (nextOffset, count)
      nextOffset += UInt64(count)
      deadline.set(after: link.postNanoseconds) { [weak self] in
        self?.fail("no answer to a POST: the way up is blocked")
      }
    }
    queue.removeFirst(count)
    queueBytes -= size
    flightBytes = size
    sent.http += UInt64(try connection.send(dialer.request(.post, target, headers), body: body))
    sent.messages += UInt64(count)
    sent.payload += UInt64(size)
    sent.framing += UInt64(body.count - size)
  }

  /// A single message is the body itself; several are a batch.
  private func encode(_ count: Int, _ size: Int) -> (Headers, [UInt8]) {
    if dialer.configuration.foreign != nil, let first = queue.first {
      return (["content-type": "text/plain; charset=utf-8"], first.bytes)
    }
    if count == 1, !queue[0].bytes.isEmpty {
      let first = queue[0]
      let headers: Headers =
        first.kind == .binary ? ["content-type": "application/octet-stream"] : [:]
      return (headers, first.bytes)
    }
    let items = queue[..<count]
    let body = [UInt8](capacity: size + 10 * count) { output in
      for item in items {
        PollBatch.write(PollBatch.Kind(item.kind), item.bytes.span, into: &output)
      }
    }
    return (["content-type": PollBatch.mediaType], body)
  }

  func answered(_ connection: ClientConnection, _ head: ResponseHead, bytes: Int) {
    received.http += UInt64(bytes)
    answer = head.status
  }

  func bodyArrived(_ connection: ClientConnection, _ piece: Span<UInt8>, overhead: Int) {
    received.http += UInt64(piece.count + overhead)
    guard answerText.count < Self.answerBytes else { return }
    answerText.append(copying: piece.extracting(first: Self.answerBytes - answerText.count))
  }

  func answerEnded(_ connection: ClientConnection, bytes: Int) {
    received.http += UInt64(bytes)
    let status = answer ?? .badGateway
    if case .closing = state {
      state = .ended
      onClosed?()
      return
    }
    if dialer.link != nil { deadline.cancel() }
    guard 200..<300 ~= status.code else {
      let text = String(decoding: answerText, as: UTF8.self).split(whereSeparator: \.isNewline)
      let words = text.first.map { String($0) } ?? ""
      let isFinal = status == .contentTooLarge || status == .badRequest
      if dialer.link != nil, closeRequest == nil, isFinal {
        let code: CloseCode = status == .badRequest ? .policyViolation : .messageTooBig
        state = .ended
        onRefusal?(SessionEnd(code: code, reason: words, isLocal: true))
        return
      }
      return fail(
        "the server answered \(status) to a POST: \(text.first ?? "")",
        sessionIsOver: status == .gone || status == .notFound)
    }
    flightBytes = 0
    state = .idle
    if let link = dialer.link, flight.count > 0 {
      link.acknowledged(flight.first + UInt64(flight.count) - 1)
    }
    onDrain?()
    if hasWork { schedule() } else if let link = dialer.link { giveBackSoon(link) }
  }

  private func giveBackSoon(_ link: ClientLink) {
    guard case .idle = state else { return }
    deadline.set(after: link.postIdleNanoseconds) { [weak self] in
      guard let self, case .idle = state, !isScheduled else { return }
      retire()
    }
  }

  func connectionLost(_ connection: ClientConnection, _ reason: String) {
    switch state {
    case .idle, .ended, .connecting: retire()
    case .posting: fail("\(reason) during a POST")
    case .closing:
      state = .ended
      onClosed?()
    }
  }

  func connectionDrained(_ connection: ClientConnection) {}

  private func fail(_ reason: String, sessionIsOver: Bool = false) {
    let wasClosing = closeRequest != nil
    state = .ended
    if wasClosing { onClosed?() } else { onFailure?(reason, sessionIsOver) }
  }
}
