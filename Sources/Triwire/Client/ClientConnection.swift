import TriwireCodec
import TriwireIO

/// What a client's HTTP connection tells whoever uses it; on the connection's loop.
protocol ClientConnectionUser: AnyObject {
  /// An answer begins. `bytes` is the size of its head.
  func answered(_ connection: ClientConnection, _ head: ResponseHead, bytes: Int)
  /// A piece of its body; `overhead` bytes around it were chunk framing.
  func bodyArrived(_ connection: ClientConnection, _ piece: Span<UInt8>, overhead: Int)
  /// The answer is whole; its end took `bytes`.
  func answerEnded(_ connection: ClientConnection, bytes: Int)
  /// The connection is over, in the middle of an answer or not.
  func connectionLost(_ connection: ClientConnection, _ reason: String)
  /// What waited to be sent was taken by the kernel.
  func connectionDrained(_ connection: ClientConnection)
}

/// One connection of a client to a server, with HTTP/1.1 on it.
///
/// Belongs to one loop.
final class ClientConnection: StreamHandler {
  let stream: ByteStream
  /// What opening the way to the server through a proxy took.
  let tunnel: (sent: UInt64, received: UInt64)
  weak var user: (any ClientConnectionUser)?
  private var codec: HTTPClientCodec
  private var isPaused = false
  /// What the kernel had counted when it was closed; empty before, and where nobody could ask.
  private(set) var kernelAtEnd: [KernelCounters] = []

  init(stream: ByteStream, limits: HTTPLimits) {
    self.stream = stream
    tunnel = stream.preamble
    codec = HTTPClientCodec(limits: limits)
  }

  /// Whether another request may be sent.
  var canSend: Bool { stream.isOpen && codec.canSend }

  /// Sends a request, whole.
  ///
  /// - Returns: The bytes of its head.
  /// - Throws: `HTTPHeadError` when a header field cannot be sent: the caller's mistake.
  func send(_ head: RequestHead, body: [UInt8] = []) throws(HTTPHeadError) -> Int {
    let before = stream.writtenBytes
    var failure: HTTPHeadError?
    let size = body.isEmpty ? HTTPBodySize.none : .bytes(body.count)
    stream.write(capacity: HTTPRequestWriter.capacity(head) + body.count) { output in
      do throws(HTTPHeadError) {
        try HTTPRequestWriter.write(head, body: size, into: &output)
        output.append(copying: body.span)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    codec.requestSent(head.method, upgrade: head.headers.contains("upgrade"))
    return Int(stream.writtenBytes - before) - body.count
  }

  /// Stops delivering, so that the server slows down.
  func pause() {
    isPaused = true
    stream.pauseReading()
  }

  /// Goes on delivering.
  func resume() {
    guard isPaused else { return }
    isPaused = false
    stream.resumeReading()
    stream.replaySoon()
  }

  /// Ends the connection; the user hears nothing more.
  func close() {
    user = nil
    if stream.isOpen { kernelAtEnd = stream.kernelCounters().map { [$0] } ?? [] }
    stream.close()
  }

  func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
    var offset = 0
    do {
      while !isPaused, stream.handler === self {
        let start = offset
        guard let event = try codec.nextEvent(in: input.span, at: &offset) else {
          // What ends a chunk is used up before anything follows it.
          if offset > start { user?.bodyArrived(self, Span(), overhead: offset - start) }
          break
        }
        handle(event, offset - start, input.span)
      }
    } catch {
      lose(error.message)
      return input.count
    }
    return offset
  }

  private func handle(_ event: HTTPClientEvent, _ used: Int, _ input: Span<UInt8>) {
    switch event {
    case .informational: break
    case .head(let head, _): user?.answered(self, head, bytes: used)
    case .body(let range):
      user?.bodyArrived(self, input.extracting(range), overhead: used - range.count)
    case .end: user?.answerEnded(self, bytes: used)
    }
  }

  func inputEnded(_ stream: ByteStream) {
    do {
      if case .end = try codec.endOfInput() { user?.answerEnded(self, bytes: 0) }
      lose("the server ended the connection")
    } catch {
      lose(error.message)
    }
  }

  func failed(_ stream: ByteStream, _ error: IOError) { lose(error.description) }

  func drained(_ stream: ByteStream) { user?.connectionDrained(self) }

  private func lose(_ reason: String) {
    let user = user
    close()
    user?.connectionLost(self, reason)
  }
}
