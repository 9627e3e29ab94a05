import CLinux

/// One end of a TLS connection: turns ciphertext into plaintext and back, and knows no socket.
///
/// Belongs to its stream, and is used on the stream's loop alone.
@safe package final class TLSEngine {
  // What `end` points to is made in `init`, used by one thread at a time, and freed in `release`,
  // which forgets it; no call below reaches it after that.
  private var end: OpaquePointer?
  let context: TLSContext
  /// Whom a client wants to reach; nil on a server.
  private let target: Target?

  /// Plaintext that was written and has to wait: for the handshake, or for the turn's end.
  var waiting = ByteQueue()
  /// Bytes of plaintext that were encrypted.
  package private(set) var sealed: UInt64 = 0
  /// Bytes of plaintext that were decrypted.
  package private(set) var opened: UInt64 = 0
  /// Bytes of ciphertext that were made.
  private(set) var produced: UInt64 = 0
  /// Whether the handshake is done.
  package private(set) var isSecured = false
  /// Whether the stream delivers already: a client's does before it has a handler.
  var isStarted = false
  /// Bytes that the stream had moved before.
  var preamble: (sent: UInt64, received: UInt64) = (0, 0)
  /// When the handshake was begun and done, on the loop's clock.
  private(set) var began: UInt64 = EventLoop.clock()
  private(set) var securedAt: UInt64 = 0
  /// Why it is over; known once.
  private(set) var failure: IOError?
  private var done: ((Result<Void, IOError>) -> Void)?

  /// A server, as a client knows it.
  package struct Target {
    /// A name or an address, as it stands in the certificate.
    package var host: String
    /// What sessions for resuming are kept under.
    package var place: String

    package init(host: String, place: String) {
      self.host = host
      self.place = place
    }
  }

  package enum Step {
    /// Bytes of plaintext that were made or taken.
    case moved(Int)
    /// The ciphertext given is used up.
    case wantsInput
    /// The ciphertext made has to be taken away first.
    case wantsRoom
    /// The peer says that it will send nothing more.
    case peerEnded
    case failed(IOError)
  }

  /// - Throws: `IOError` when there is no memory for it, or the host is no name.
  package init(
    _ context: TLSContext, target: Target? = nil,
    _ done: ((Result<Void, IOError>) -> Void)? = nil
  ) throws(IOError) {
    self.context = context
    self.target = target
    self.done = done
    let session = target.flatMap { context.sessions.session(for: $0.place) }
    unsafe end = tw_tls_new(
      context.pointer, target == nil ? 1 : 0, target?.host, context.verifiesPeer ? 1 : 0,
      session?.pointer)
    if unsafe end == nil {
      throw IOError("secure a connection", reason: "\(target?.host ?? "a peer") cannot be a peer")
    }
  }

  deinit { unsafe tw_tls_free(end) }

  /// Lets the connection's state go; what was counted stays.
  func release() {
    unsafe tw_tls_free(end)
    unsafe end = nil
    waiting.clear()
  }

  /// Says, once, how the handshake ended.
  func finish(_ result: Result<Void, IOError>) {
    if case .failure(let error) = result, failure == nil { failure = error }
    let done = done
    self.done = nil
    done?(result)
  }

  /// Whether plaintext can be encrypted now, in order.
  var takesBytes: Bool { isSecured && waiting.isEmpty }

  /// Lends the loop's buffers for the following steps.
  package func begin(_ buffers: TLSBuffers, input count: Int = 0) {
    guard let end = unsafe end else { return }
    unsafe tw_tls_give(end, buffers.input.baseAddress, count)
    unsafe tw_tls_room(end, buffers.output.baseAddress, buffers.output.count)
  }

  /// The bytes of ciphertext that the steps left in the buffer, which is empty again after this.
  package func takeProduced(_ buffers: TLSBuffers) -> Int {
    guard let end = unsafe end else { return 0 }
    let count = unsafe tw_tls_room(end, buffers.output.baseAddress, buffers.output.count)
    produced += UInt64(count)
    return count
  }

  /// Goes on with the handshake.
  package func shake() -> Step {
    guard let end = unsafe end else { return .peerEnded }
    return step(unsafe tw_tls_handshake(end))
  }

  /// Decrypts at most one record.
  package func open(into room: UnsafeMutableBufferPointer<UInt8>) -> Step {
    guard let end = unsafe end else { return .peerEnded }
    let step = step(unsafe tw_tls_read(end, room.baseAddress, room.count))
    if case .moved(let count) = step { opened += UInt64(count) }
    return step
  }

  /// Encrypts at most one record.
  package func seal(_ bytes: UnsafeBufferPointer<UInt8>) -> Step {
    guard let end = unsafe end else { return .peerEnded }
    let step = step(unsafe tw_tls_write(end, bytes.baseAddress, bytes.count))
    if case .moved(let count) = step { sealed += UInt64(count) }
    return step
  }

  /// Makes the alert that says that nothing more will come (RFC 8446 §6.1).
  package func sealEnd() {
    guard let end = unsafe end, failure == nil else { return }
    unsafe tw_tls_end(end)
  }

  private func step(_ status: Int) -> Step {
    switch status {
    case TW_TLS_WANTS_INPUT: return .wantsInput
    case TW_TLS_WANTS_ROOM: return .wantsRoom
    case TW_TLS_PEER_ENDED: return .peerEnded
    case TW_TLS_FAILED: return .failed(readFailure())
    default: return .moved(status)
    }
  }

  private func readFailure() -> IOError {
    guard let end = unsafe end else { return IOError("use TLS", tls: .closedEarly) }
    var raw = tw_tls_failure()
    unsafe tw_tls_read_failure(end, &raw)
    let error = TLSFailure.error(raw, reaching: target?.host, isSecured: isSecured)
    failure = error
    return error
  }

  /// Whether the handshake has just been completed.
  package func noteSecured() -> Bool {
    guard !isSecured, let end = unsafe end, unsafe tw_tls_is_open(end) == 1 else { return false }
    isSecured = true
    securedAt = EventLoop.clock()
    return true
  }

  /// Keeps a session that the server gave, for the next connection to it.
  package func keepSession() {
    guard let target, let end = unsafe end, let fresh = unsafe tw_tls_take_session(end) else {
      return
    }
    unsafe context.sessions.keep(TLSSession(owning: fresh), for: target.place)
  }

  /// What was agreed on; nil before that and after the end.
  package var agreement: TLSAgreement? {
    guard isSecured, let end = unsafe end else { return nil }
    return unsafe TLSAgreement(
      version: tw_tls_version(end) == TLSVersion.v1_3.rawValue ? .v1_3 : .v1_2,
      isResumed: tw_tls_was_resumed(end) == 1, peerSubject: peerSubject(end))
  }

  private func peerSubject(_ end: OpaquePointer) -> String? {
    var text = [CChar](repeating: 0, count: 1024)
    guard unsafe tw_tls_peer_subject(end, &text, text.count) == 1 else { return nil }
    return String(
      decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// What both ends of a TLS connection have agreed on.
package struct TLSAgreement: Sendable, Equatable {
  /// The version in use.
  package let version: TLSVersion
  /// Whether an earlier session was resumed, which spares certificates (RFC 8446 §2.2).
  package let isResumed: Bool
  /// The subject of the peer's certificate (RFC 2253 text); nil when it showed none.
  package let peerSubject: String?
}

/// Where the secured streams of a loop keep ciphertext during a call.
@safe package final class TLSBuffers {
  /// Room for the records of everything that the loop's output buffer holds.
  static let outputBytes = EventLoop.bufferBytes + 64 * 1024
  /// The largest record, with what surrounds it (RFC 8446 §5.2).
  static let recordBytes = 17 * 1024

  package let input: UnsafeMutableBufferPointer<UInt8>
  package let output: UnsafeMutableBufferPointer<UInt8>

  package init() {
    unsafe input = .allocate(capacity: EventLoop.bufferBytes)
    unsafe output = .allocate(capacity: Self.outputBytes)
  }

  deinit {
    unsafe input.deallocate()
    unsafe output.deallocate()
  }
}
