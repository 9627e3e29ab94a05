import TriwireCodec
import TriwireIO

/// What comes over a WebSocket: frames into messages, pings into pongs.
extension WebSocketTransport {
  func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
    awaitsPong = false
    var offset = 0
    do {
      while takesInput {
        let start = offset
        let event = try codec.nextEvent(in: &input, at: &offset)
        let used = offset - start
        guard let event else {
          received.framing &+= UInt64(used)
          break
        }
        handle(event, used, input.span)
      }
    } catch {
      violated(error)
      return input.count
    }
    if offset == input.count, codec.remaining >= ByteStream.longPart { beginFilling() }
    return isReceiving ? offset : input.count
  }

  private func handle(_ event: WebSocketEvent, _ used: Int, _ input: Span<UInt8>) {
    switch event {
    case .message(let kind, let range):
      received.messages &+= 1
      received.payload &+= UInt64(range.count)
      received.framing &+= UInt64(used - range.count)
      deliver(kind, input.extracting(range))
    case .fragment(let kind, let range, let isLast):
      received.payload &+= UInt64(range.count)
      received.framing &+= UInt64(used - range.count)
      assemble(kind, input.extracting(range), isLast)
    case .deflated(let kind, let range, let isLast):
      received.framing &+= UInt64(used - range.count)
      inflate(kind, input.extracting(range), isLast)
    case .ping(let range):
      received.control &+= UInt64(used)
      (session?.link as? ClientLink)?.heartbeatCame()
      if isOpen { answerPing(input.extracting(range)) }
    case .pong(let range):
      received.control &+= UInt64(used)
      pings?.answered(input.extracting(range))
    case .close(let code, let reason):
      received.control &+= UInt64(used)
      closedByPeer(code, input.extracting(reason))
    }
  }

  /// Answers a ping, at once unless too much waits to be sent: then the last ping gets an answer
  /// when that is gone, so that a peer that pings and does not read costs a bounded memory.
  private func answerPing(_ payload: Span<UInt8>) {
    // RFC 6455 §5.5.3: of several pings that wait, it is enough to answer the last one.
    if stream.queuedBytes < limits.value.queuedBytes {
      writeControl(.pong, payload)
    } else {
      needPings().unanswered = Array(copying: payload)
    }
  }

  private func assemble(_ kind: MessageKind, _ piece: Span<UInt8>, _ isLast: Bool) {
    assembly.append(copying: piece)
    guard isLast else { return }
    deliverAssembly(kind)
  }

  func deliverAssembly(_ kind: MessageKind) {
    received.messages &+= 1
    var whole: [UInt8] = []
    swap(&whole, &assembly)
    guard let session, !session.deliver(Message(kind, whole)) else { return }
    pauseDelivery()
  }

  private func inflate(_ kind: MessageKind, _ piece: Span<UInt8>, _ isLast: Bool) {
    guard let deflate else { return }
    let limit = limits.value.messageBytes
    deflate.wireBytes += piece.count
    var fault: UTF8Fault?
    do {
      try deflate.decompress(piece, isLast: isLast, limit: limit) { part in
        assembly.append(copying: part)
        guard kind == .text, let index = deflate.text.firstFault(in: part) else { return true }
        fault = .badByte(assembly.count - part.count + index)
        return false
      }
    } catch {
      return violated(Self.violation(error, limit, deflate.options.maximumRatio))
    }
    if fault == nil, isLast, !deflate.text.isComplete { fault = .cutOff }
    if let fault { return violated(WebSocketViolation(fault)) }
    guard isLast else { return }
    received.payload &+= UInt64(assembly.count)
    deflate.savedReceived += assembly.count - deflate.wireBytes
    deflate.wireBytes = 0
    deflate.text = UTF8Validator()
    deliverAssembly(kind)
  }

  private static func violation(
    _ failure: Inflater.Failure, _ limit: Int, _ ratio: Int
  ) -> WebSocketViolation {
    switch failure {
    case .malformed: .init(.invalidPayload, "a compressed message is not deflate")
    case .overLimit:
      .init(
        .messageTooBig,
        "message is over \(limit) bytes when decompressed: raise limits.messageBytes")
    case .overRatio:
      .init(
        .messageTooBig, "message grows more than \(ratio)-fold: raise deflate.maximumRatio")
    }
  }

  private func deliver(_ kind: MessageKind, _ payload: Span<UInt8>) {
    // RFC 6455 §1.4: after our close frame, data may still come; the application has said it is
    // done with it only when it closed, so what was under way is still delivered.
    guard let session, !session.deliver(kind, payload) else { return }
    pauseDelivery()
  }

  private func pauseDelivery() {
    isPaused = true
    stream.pauseReading()
  }
}
