/// Which end of a WebSocket a codec speaks for.
package enum WebSocketRole: Sendable {
  /// Receives masked frames and sends plain ones.
  case server
  /// Receives plain frames and sends masked ones.
  case client
}

/// Whether a message is text or bytes.
public enum MessageKind: UInt8, Sendable, Hashable {
  /// UTF-8 text.
  case text = 1
  /// Any bytes.
  case binary = 2
}

/// What a `WebSocketCodec` found in its input.
///
/// Ranges point into that input, unmasked in place.
package enum WebSocketEvent: Equatable {
  /// A whole message that came in one frame and in one piece; text is valid UTF-8.
  case message(MessageKind, Range<Int>)
  /// A piece of a message; text is valid UTF-8 as far as it goes, and whole when `isLast`.
  case fragment(MessageKind, Range<Int>, isLast: Bool)
  /// A piece of a compressed message (RFC 7692 §6), whose UTF-8 is for the caller to check.
  case deflated(MessageKind, Range<Int>, isLast: Bool)
  case ping(Range<Int>)
  case pong(Range<Int>)
  /// The peer closes. Nothing that follows it counts.
  case close(CloseCode?, reason: Range<Int>)
}

/// Turns bytes into WebSocket events (RFC 6455 §5), for either role.
///
/// Call `nextEvent` until it returns nil, keep what it did not use, and present that again with
/// more bytes behind it: never more than 139 bytes, since payload is handed out as it arrives.
/// It is never copied: whoever asks a property of it through a class would copy all of it.
package struct WebSocketCodec: ~Copyable {
  private let role: WebSocketRole
  private let limits: Limits
  private let allowsDeflate: Bool
  private var frame: Frame?
  /// The kind of a message whose last frame has not come, and how much of it was announced.
  private var message: MessageKind?
  private var announced = 0
  private var fragments = 0
  private var isDeflated = false
  private var text = UTF8Validator()
  private var isClosed = false

  /// A data frame whose payload has not arrived in full.
  private struct Frame {
    var remaining: Int
    var mask: WebSocketMask
    let isFinal: Bool
  }

  private struct Head {
    let opcode: UInt8
    let isFinal: Bool
    let isDeflated: Bool
    let length: Int
    let mask: WebSocketMask
    /// Where the payload begins.
    let end: Int
  }

  /// What a peer may send, each named in the violation that it breaks.
  ///
  /// One object for all codecs that share it.
  package final class Limits: Sendable {
    /// A message over all its frames, in bytes.
    package let messageBytes: Int
    /// One frame, in bytes.
    package let frameBytes: Int
    /// Frames of one message: what tiny fragments cost is bounded by it.
    package let fragments: Int

    package init(messageBytes: Int, frameBytes: Int = .max, fragments: Int = 131_072) {
      self.messageBytes = messageBytes
      self.frameBytes = frameBytes
      self.fragments = fragments
    }
  }

  /// Makes a codec at the start of a WebSocket.
  ///
  /// `allowsDeflate` says that permessage-deflate was agreed on, and so bit RSV1 means something.
  package init(role: WebSocketRole, limits: Limits, allowsDeflate: Bool = false) {
    self.role = role
    self.limits = limits
    self.allowsDeflate = allowsDeflate
  }

  /// Makes a codec without extensions at the start of a WebSocket.
  package init(role: WebSocketRole, messageBytes: Int) {
    self.init(role: role, limits: Limits(messageBytes: messageBytes))
  }

  /// How much of a data frame that is not compressed has yet to come; 0 outside of one.
  package var remaining: Int { isDeflated ? 0 : frame?.remaining ?? 0 }

  /// The next event, or nil when more bytes are needed.
  ///
  /// - Throws: What the peer did wrong. The codec is void then.
  package mutating func nextEvent(
    in input: inout MutableSpan<UInt8>, at offset: inout Int
  ) throws(WebSocketViolation) -> WebSocketEvent? {
    if isClosed { return nil }
    if frame != nil { return try nextPiece(in: &input, at: &offset) }
    guard let head = try readHead(input.span, at: offset) else { return nil }
    if head.opcode >= 8 { return try control(head, in: &input, at: &offset) }
    try begin(head)
    let isWhole =
      head.isFinal && head.opcode != 0 && !head.isDeflated && input.count - head.end >= head.length
    guard isWhole, let kind = message else {
      offset = head.end
      frame = Frame(remaining: head.length, mask: head.mask, isFinal: head.isFinal)
      return try nextPiece(in: &input, at: &offset)
    }
    let payload = head.end..<head.end + head.length
    unmask(&input, payload, head.mask)
    message = nil
    if kind == .text {
      if let fault = UTF8Validator.fault(in: input.span.extracting(payload)) { throw .init(fault) }
    }
    offset = payload.upperBound
    return .message(kind, payload)
  }

  private func readHead(_ input: Span<UInt8>, at start: Int) throws(WebSocketViolation) -> Head? {
    let available = input.count - start
    guard available >= 2 else { return nil }
    let first = input[start]
    let second = input[start + 1]
    let opcode = first & 0x0F
    let isFinal = first & 0x80 != 0
    try checkFirst(first, opcode, isFinal, second)
    let short = Int(second & 0x7F)
    let extra = short == 126 ? 2 : short == 127 ? 8 : 0
    let maskBytes = role == .server ? 4 : 0
    guard available >= 2 + extra + maskBytes else { return nil }
    var length = short
    if extra > 0 { length = try longLength(input, at: start + 2, extra) }
    var key: UInt32 = 0
    for index in 0..<maskBytes {
      key |= UInt32(input[start + 2 + extra + index]) << UInt32(8 * index)
    }
    return Head(
      opcode: opcode, isFinal: isFinal, isDeflated: first & 0x40 != 0, length: length,
      mask: WebSocketMask(littleEndian: key),
      end: start + 2 + extra + maskBytes)
  }

  private func checkFirst(
    _ first: UInt8, _ opcode: UInt8, _ isFinal: Bool, _ second: UInt8
  ) throws(WebSocketViolation) {
    // RFC 6455 §5.2: reserved bits need an extension that was negotiated.
    let known: UInt8 = allowsDeflate && 1...2 ~= opcode ? 0x30 : 0x70
    if first & known != 0 { throw .init(.protocolError, "a reserved bit is set") }
    if opcode > 10 || 3...7 ~= opcode {
      throw .init(.protocolError, "opcode \(opcode) is reserved")
    }
    // RFC 6455 §5.1: a server closes on an unmasked frame, a client on a masked one.
    if (second & 0x80 != 0) != (role == .server) {
      let rule = role == .server ? "a client frame is not masked" : "a server frame is masked"
      throw .init(.protocolError, rule)
    }
    if opcode >= 8 {
      // RFC 6455 §5.5: control frames are short and whole.
      if !isFinal { throw .init(.protocolError, "a control frame is fragmented") }
      if second & 0x7F > 125 {
        throw .init(.protocolError, "a control frame has more than 125 bytes")
      }
    }
  }

  private func longLength(
    _ input: Span<UInt8>, at start: Int, _ size: Int
  ) throws(WebSocketViolation) -> Int {
    var length: UInt64 = 0
    for index in start..<start + size { length = length << 8 | UInt64(input[index]) }
    // RFC 6455 §5.2: the top bit is 0, and the shortest form is used.
    if length >> 63 != 0 { throw .init(.protocolError, "a frame length has its top bit set") }
    if length < (size == 2 ? 126 : 65_536) {
      throw .init(.protocolError, "a frame length of \(length) is not in its shortest form")
    }
    return Int(length)
  }

  private mutating func begin(_ head: Head) throws(WebSocketViolation) {
    if head.opcode == 0 {
      // RFC 6455 §5.4: a continuation continues something, a new message waits for the end.
      guard message != nil else {
        throw .init(.protocolError, "a continuation frame continues nothing")
      }
    } else {
      guard message == nil else {
        throw .init(.protocolError, "a new message begins within a fragmented one")
      }
      message = head.opcode == 1 ? .text : .binary
      announced = 0
      fragments = 0
      isDeflated = head.isDeflated
      text = UTF8Validator()
    }
    fragments += 1
    guard fragments <= limits.fragments else {
      throw .init(
        .messageTooBig,
        "message has more than \(limits.fragments) fragments: raise limits.fragments")
    }
    guard head.length <= limits.frameBytes else {
      throw .init(
        .messageTooBig,
        "frame is \(head.length) bytes, limit is \(limits.frameBytes): raise limits.frameBytes")
    }
    // Compression may add a little to what does not compress; what comes out of it is judged then.
    let limit = limits.messageBytes + (isDeflated ? limits.messageBytes / 8 + 1024 : 0)
    guard head.length <= limit - announced else {
      let (total, isOver) = head.length.addingReportingOverflow(announced)
      throw .init(
        .messageTooBig,
        "message is \(isOver ? Int.max : total) bytes or more, limit is \(limits.messageBytes): "
          + "raise limits.messageBytes")
    }
    announced += head.length
  }

  private mutating func nextPiece(
    in input: inout MutableSpan<UInt8>, at offset: inout Int
  ) throws(WebSocketViolation) -> WebSocketEvent? {
    guard var current = frame, let kind = message else { return nil }
    let size = min(current.remaining, input.count - offset)
    if size == 0, current.remaining > 0 { return nil }
    let piece = offset..<offset + size
    current.mask = unmask(&input, piece, current.mask)
    current.remaining -= size
    let isLast = current.remaining == 0 && current.isFinal
    if kind == .text, !isDeflated {
      if let fault = text.firstFault(in: input.span.extracting(piece)) {
        let earlier = announced - current.remaining - size
        throw .init(.badByte(earlier + fault))
      }
      if isLast, !text.isComplete { throw .init(.cutOff) }
    }
    frame = current.remaining == 0 ? nil : current
    if isLast { message = nil }
    offset = piece.upperBound
    if isDeflated { return .deflated(kind, piece, isLast: isLast) }
    return .fragment(kind, piece, isLast: isLast)
  }

  @discardableResult
  private func unmask(
    _ input: inout MutableSpan<UInt8>, _ range: Range<Int>, _ mask: WebSocketMask
  ) -> WebSocketMask {
    guard role == .server else { return mask }
    var mask = mask
    unsafe input.withUnsafeMutableBytes {
      // The range was checked against the input's length by the caller.
      unsafe mask.apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[range]))
    }
    return mask
  }

  private mutating func control(
    _ head: Head, in input: inout MutableSpan<UInt8>, at offset: inout Int
  ) throws(WebSocketViolation) -> WebSocketEvent? {
    guard input.count - head.end >= head.length else { return nil }
    let payload = head.end..<head.end + head.length
    unmask(&input, payload, head.mask)
    offset = payload.upperBound
    switch head.opcode {
    case 9: return .ping(payload)
    case 10: return .pong(payload)
    default: return try close(input.span, payload)
    }
  }

  private mutating func close(
    _ input: Span<UInt8>, _ payload: Range<Int>
  ) throws(WebSocketViolation) -> WebSocketEvent {
    isClosed = true
    guard !payload.isEmpty else { return .close(nil, reason: payload) }
    // RFC 6455 §5.5.1: if there is a body, it begins with a two-byte code.
    guard payload.count >= 2 else { throw .init(.protocolError, "a close code is cut off") }
    let start = payload.lowerBound
    let code = CloseCode(rawValue: UInt16(input[start]) << 8 | UInt16(input[start + 1]))
    guard code.isSendable else {
      throw .init(.protocolError, "close code \(code) must not be sent")
    }
    let reason = start + 2..<payload.upperBound
    if let fault = UTF8Validator.fault(in: input.extracting(reason)) {
      throw .init(.invalidPayload, "a close reason \(fault)")
    }
    return .close(code, reason: reason)
  }
}
