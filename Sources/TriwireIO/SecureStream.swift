import CLinux
import Glibc

// What a stream does while it has a TLS engine. Its socket carries ciphertext: `queue` holds such,
// and `moved` counts it. Its handler, `tail` and the loop's shared buffers deal in plaintext.
extension ByteStream {
  /// Speaks TLS as a server.
  ///
  /// Call it before `start`. The handler hears of the stream when the first plaintext comes, or
  /// when it fails, which it does when the handshake takes longer than the context allows.
  ///
  /// - Throws: `IOError` when there is no memory for it.
  package func secure(accepting context: TLSContext) throws(IOError) {
    tls = try TLSEngine(context)
    armTimer(after: context.handshakeNanoseconds)
  }

  /// Speaks TLS as a client: begins the handshake, and calls `done` on the loop when it is over.
  ///
  /// After success the stream waits for `start`; after a failure it is gone.
  ///
  /// - Parameters:
  ///   - host: Whom the certificate has to name.
  ///   - port: With the host, what a session for resuming is kept under.
  ///   - context: The settings, and the sessions that may be resumed.
  ///   - timeout: Nanoseconds the handshake may take.
  ///   - done: Called once.
  package func secure(
    reaching host: String, port: UInt16, _ context: TLSContext, within timeout: UInt64,
    _ done: @escaping (Result<Void, IOError>) -> Void
  ) {
    let name = context.serverName ?? host
    // One that is a tunnel may have ended by now.
    guard phase == .open, !inputHasEnded else {
      abort()
      return done(.failure(IOError("secure the connection to \(host)", tls: .closedEarly)))
    }
    do {
      let target = TLSEngine.Target(host: name, place: "\(name) \(host):\(port)")
      let engine = try TLSEngine(context, target: target, done)
      engine.preamble = preamble
      tls = engine
      armTimer(after: timeout)
      engine.isStarted = true
      if isAttached { resumeReading() } else { attach() }
      guard phase == .open else { return }
      engine.begin(tlsBuffers)
      handle(engine.shake(), engine)
    } catch {
      abort()
      done(.failure(error))
    }
  }

  /// The same as a call that returns when the handshake is over; from any thread.
  ///
  /// - Throws: `IOError` that says what went wrong; `CancellationError`.
  package func secured(
    reaching host: String, port: UInt16, _ context: TLSContext, within timeout: UInt64
  ) async throws {
    try await withTaskCancellationHandler {
      unsafe try await withUnsafeThrowingContinuation { continuation in
        loop.execute { [self] in
          secure(reaching: host, port: port, context, within: timeout) { result in
            unsafe continuation.resume(with: result.mapError { $0 as any Error })
          }
        }
      }
    } onCancel: {
      loop.post { [self] in
        guard let tls, !tls.isSecured else { return }
        tls.finish(.failure(IOError("secure a connection", code: ECANCELED)))
        abort()
      }
    }
    try Task.checkCancellation()
  }

  /// What both ends agreed on; nil on a plain stream, during the handshake, and after the end.
  package var agreement: TLSAgreement? { tls?.agreement }

  /// When the handshake was begun and done, on the monotonic clock; nil on a plain stream.
  package var securing: (began: UInt64, done: UInt64)? { tls.map { ($0.began, $0.securedAt) } }

  private var tlsBuffers: TLSBuffers {
    if let buffers = loop.tlsBuffers { return buffers }
    let buffers = TLSBuffers()
    loop.tlsBuffers = buffers
    return buffers
  }

  /// Receives ciphertext and delivers the plaintext of it.
  func receive(through tls: TLSEngine) {
    let buffers = tlsBuffers
    let kept = tail.count
    // Plaintext is never longer than the records it came in, of which one may be waiting in parts.
    let free = unsafe loop.input.count - kept - TLSBuffers.recordBytes
    guard free > 0 else {
      return fail(IOError("receive", reason: "the handler leaves \(kept) bytes unused"))
    }
    guard let base = unsafe buffers.input.baseAddress else { return }
    let count = unsafe receiveNow(base, min(free, buffers.input.count))
    if count > 0 {
      tls.begin(buffers, input: count)
      deliver(tls, kept)
    } else if count == 0 {
      endSocket(tls)
    } else if count != -Int(EAGAIN) {
      fail(IOError("receive", code: Int32(-count)))
    }
  }

  private func deliver(_ tls: TLSEngine, _ kept: Int) {
    var count = 0
    var last = TLSEngine.Step.moved(0)
    while case .moved(let one) = last {
      count += one
      last = unsafe tls.open(
        into: UnsafeMutableBufferPointer(rebasing: loop.input[(kept + count)...]))
      if case .wantsRoom = last {
        sendProduced(tls)
        last = .moved(0)
      }
    }
    handle(last, tls, kept, count)
  }

  /// Goes on after a step that moved nothing, when `count` bytes lie behind `kept` ones.
  private func handle(_ step: TLSEngine.Step, _ tls: TLSEngine, _ kept: Int = 0, _ count: Int = 0) {
    sendProduced(tls)
    if tls.noteSecured() { becomeSecured(tls) }
    tls.keepSession()
    if count > 0, phase == .open {
      if kept > 0 { _ = takeTail() }
      process(kept + count)
    }
    guard phase == .open else { return }
    switch step {
    case .moved, .wantsInput, .wantsRoom: break
    case .peerEnded: if !inputHasEnded { endInput() }
    case .failed(let error):
      if error.tls == .plainHTTP { answerPlainly(tls) }
      failGently(error)
    }
  }

  private func becomeSecured(_ tls: TLSEngine) {
    disarmTimer()
    // A client's stream waits for the handler that `start` brings.
    if handler == nil { pauseReading() }
    tls.finish(.success(()))
    sealWaiting(tls)
  }

  /// The socket's end without a word in TLS may be anybody's doing (RFC 8446 §6.1).
  ///
  /// A server lets its clients go like that, a client takes nothing for complete (RFC 9112 §9.8).
  private func endSocket(_ tls: TLSEngine) {
    if tls.isSecured, handler == nil || tls.context.isServer { return endInput() }
    fail(IOError(tls.isSecured ? "receive" : "secure a connection", tls: .closedEarly))
  }

  /// Tells a peer that speaks HTTP that it should not, in its own words.
  private func answerPlainly(_ tls: TLSEngine) {
    unsafe tls.context.plainAnswer.withUnsafeBufferPointer { unsafe transmit($0) }
  }

  /// Hands over the ciphertext that the last steps have made.
  private func sendProduced(_ tls: TLSEngine) {
    let buffers = tlsBuffers
    let count = tls.takeProduced(buffers)
    guard count > 0 else { return }
    unsafe transmit(UnsafeBufferPointer(rebasing: buffers.output[..<count]))
  }

  /// Encrypts bytes and sends them, in records as large as they may be (RFC 8446 §5.1).
  func seal(_ bytes: UnsafeBufferPointer<UInt8>, _ tls: TLSEngine) {
    tls.begin(tlsBuffers)
    var offset = 0
    while offset < bytes.count, phase == .open || phase == .closing {
      switch unsafe tls.seal(UnsafeBufferPointer(rebasing: bytes[offset...])) {
      case .moved(let count): offset += count
      case .wantsRoom: sendProduced(tls)
      case .failed(let error): return failSoon(error)
      case .wantsInput, .peerEnded: return failSoon(IOError("send", tls: .closedEarly))
      }
    }
    sendProduced(tls)
  }

  /// Encrypts bytes that go to many streams, unless something waits before them.
  func sealThrough(_ bytes: UnsafeBufferPointer<UInt8>, _ tls: TLSEngine) {
    if tls.takesBytes { unsafe seal(bytes, tls) } else { unsafe append(bytes) }
  }

  /// Encrypts the plaintext that waits.
  func sealWaiting(_ tls: TLSEngine) {
    guard tls.isSecured, !tls.waiting.isEmpty else { return }
    // Taken out first: a failure on the way clears what waits.
    var waiting = ByteQueue()
    swap(&waiting, &tls.waiting)
    unsafe seal(waiting.bytes, tls)
  }

  func flushDirty(_ tls: TLSEngine) {
    sealWaiting(tls)
    guard phase == .open, queue.isEmpty, tls.takesBytes else { return }
    handler?.drained(self)
  }

  /// Encrypts what waits and says that it was all.
  func sealEnd(_ tls: TLSEngine) {
    sealWaiting(tls)
    tls.begin(tlsBuffers)
    tls.sealEnd()
    sendProduced(tls)
  }
}
