import TriwireCodec
import TriwireIO

/// Turns a stream to a proxy into one to a server: CONNECT and its answer (RFC 9110 §9.3.6).
///
/// Belongs to the stream's loop.
@safe final class ProxyTunnel: StreamHandler, TimerOwner, @unchecked Sendable {
  private let stream: ByteStream
  private let proxy: ProxyServer
  /// The server as `HOST:PORT`.
  private let target: String
  private let nanoseconds: UInt64
  private var codec: HTTPClientCodec
  private var refusal: ResponseHead?
  private var words = RefusalText()
  private var timer: TimerID?
  private var continuation: UnsafeContinuation<Void, any Error>?

  private init(
    _ stream: ByteStream, to target: String, through proxy: ProxyServer, _ limits: HTTPLimits,
    _ nanoseconds: UInt64
  ) {
    self.stream = stream
    self.target = target
    self.proxy = proxy
    self.nanoseconds = nanoseconds
    var limits = limits
    // The body of a refusal is not read to its end.
    limits.bodyBytes = Int.max
    codec = HTTPClientCodec(limits: limits)
  }

  /// Asks the proxy for the tunnel, and returns when it is open; from any thread.
  ///
  /// - Parameters:
  ///   - stream: A stream to the proxy that was not started. Afterwards it waits for `start` or
  ///     `secure`, as one to the server itself would.
  ///   - target: The server, `HOST:PORT`.
  ///   - proxy: The proxy.
  ///   - limits: The limits of its answer.
  ///   - nanoseconds: How long the answer may take.
  /// - Throws: `ProxyFailure`; `CancellationError`.
  static func open(
    _ stream: ByteStream, to target: String, through proxy: ProxyServer, limits: HTTPLimits,
    within nanoseconds: UInt64
  ) async throws {
    let tunnel = ProxyTunnel(stream, to: target, through: proxy, limits, nanoseconds)
    try await withTaskCancellationHandler {
      unsafe try await withUnsafeThrowingContinuation { continuation in
        stream.loop.execute { unsafe tunnel.begin(continuation) }
        // A task that was cancelled before this called the handler too early to end anything.
        if Task.isCancelled { tunnel.cancel() }
      }
    } onCancel: {
      tunnel.cancel()
    }
  }

  private func cancel() {
    stream.loop.post { [self] in finish(.failure(CancellationError())) }
  }

  private func begin(_ continuation: UnsafeContinuation<Void, any Error>) {
    unsafe self.continuation = unsafe continuation
    timer = stream.loop.wheel.arm(self, at: stream.loop.now + nanoseconds)
    stream.start(self)
    // The fields for the server are none of the proxy's business.
    var head = RequestHead(method: .connect, target: target, headers: ["host": target])
    if let authorization = proxy.authorization {
      head.headers.append("proxy-authorization", authorization)
    }
    var failure: HTTPHeadError?
    stream.write(capacity: HTTPRequestWriter.capacity(head)) { output in
      do throws(HTTPHeadError) {
        try HTTPRequestWriter.write(head, into: &output)
      } catch {
        failure = error
      }
    }
    if let failure { return fail("cannot be asked for \(target): \(failure)") }
    codec.requestSent(.connect)
  }

  func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
    var offset = 0
    do {
      while unsafe continuation != nil,
        let event = try codec.nextEvent(in: input.span, at: &offset)
      {
        handle(event, input.span, rest: input.count - offset)
      }
    } catch {
      refusal == nil ? fail("does not answer as a proxy does: \(error.message)") : refuse()
      return input.count
    }
    return offset
  }

  private func handle(_ event: HTTPClientEvent, _ input: Span<UInt8>, rest: Int) {
    switch event {
    case .informational: break
    case .head(let head, _) where 200..<300 ~= head.status.code:
      // RFC 9110 §9.3.6: the tunnel begins behind the head, and no server that is spoken to here
      // speaks before it is asked.
      guard rest == 0 else {
        return fail("sent \(rest) bytes behind its answer, before anything was asked of the server")
      }
      finish(.success(()))
    case .head(let head, _): refusal = head
    case .body(let range):
      words.append(input.extracting(range))
      if words.isComplete { refuse() }
    case .end: refuse()
    }
  }

  private func refuse() {
    guard let refusal else { return }
    let status = refusal.status
    let said = words.line.isEmpty ? "" : ": \(words.line)"
    finish(
      .failure(
        ProxyFailure(
          "the proxy \(proxy.description), not the server, refused a tunnel to \(target) with "
            + "\(status)\(said)\(advice(refusal))",
          refusal: ConnectError.Refusal(status: status, text: words.line, isByProxy: true))))
  }

  private func advice(_ refusal: ResponseHead) -> String {
    guard refusal.status.code == 407 else { return "" }
    // RFC 9110 §11.7.1: each challenge begins with its scheme.
    let schemes = refusal.headers.values(of: "proxy-authenticate").compactMap {
      $0.split(separator: " ").first.map(String.init)
    }
    if !schemes.isEmpty, !schemes.contains(where: { $0.lowercased() == "basic" }) {
      return "; it asks for \(schemes.joined(separator: ", ")), and only Basic is spoken"
    }
    if proxy.authorization != nil { return "; it does not accept the name and password of its URL" }
    return "; write name and password into its URL: http://NAME:PASSWORD@\(proxy.description)"
  }

  private func fail(_ what: String) {
    finish(.failure(ProxyFailure("the proxy \(proxy.description) \(what)")))
  }

  private func finish(_ result: Result<Void, any Error>) {
    guard let continuation = unsafe continuation else { return }
    unsafe self.continuation = nil
    if let timer { stream.loop.wheel.cancel(timer) }
    timer = nil
    if case .success = result { stream.park() } else { stream.close() }
    unsafe continuation.resume(with: result)
  }

  func inputEnded(_ stream: ByteStream) {
    refusal == nil ? fail("ended the connection without opening a tunnel") : refuse()
  }

  func failed(_ stream: ByteStream, _ error: IOError) {
    refusal == nil ? fail("opened no tunnel: \(error)") : refuse()
  }

  func drained(_ stream: ByteStream) {}

  func timerFired(now: UInt64) -> UInt64 {
    timer = nil
    refusal == nil ? fail("did not answer in time: raise connectSeconds") : refuse()
    return 0
  }
}
