/// Writes WebSocket frames (RFC 6455 §5.2).
package enum WebSocketWriter {
  /// The most bytes a frame has beside its payload.
  package static let maximumHead = 14

  package enum Opcode: UInt8, Sendable {
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    package init(_ kind: MessageKind) { self = kind == .text ? .text : .binary }
  }

  /// The bytes a frame has beside its payload.
  package static func headBytes(payload: Int, masked: Bool) -> Int {
    (payload < 126 ? 2 : payload < 65_536 ? 4 : 10) + (masked ? 4 : 0)
  }

  /// Appends one whole frame.
  ///
  /// A mask, which every client frame needs, covers the payload.
  package static func append(
    _ opcode: Opcode, _ payload: Span<UInt8>, mask: WebSocketMask?, isDeflated: Bool = false,
    to output: inout OutputSpan<UInt8>
  ) {
    appendHead(opcode, payload.count, mask: mask, isDeflated: isDeflated, to: &output)
    guard payload.count > 0 else { return }
    unsafe output.withUnsafeMutableBufferPointer { room, count in
      // The caller made room for head and payload; the bytes written are then counted.
      let target = unsafe UnsafeMutableRawBufferPointer(
        rebasing: UnsafeMutableRawBufferPointer(room)[count..<count + payload.count])
      unsafe payload.withUnsafeBufferPointer {
        unsafe target.copyMemory(from: UnsafeRawBufferPointer($0))
      }
      if var mask { unsafe mask.apply(to: target) }
      count += payload.count
    }
  }

  /// Appends what stands before the payload of a frame.
  package static func appendHead(
    _ opcode: Opcode, _ length: Int, mask: WebSocketMask?, isDeflated: Bool,
    to output: inout OutputSpan<UInt8>
  ) {
    // RFC 7692 §6: RSV1 marks a compressed message.
    output.append((isDeflated ? 0xC0 : 0x80) | opcode.rawValue)
    let masked: UInt8 = mask == nil ? 0 : 0x80
    if length < 126 {
      output.append(masked | UInt8(length))
    } else if length < 65_536 {
      output.append(masked | 126)
      output.append(UInt8(length >> 8))
      output.append(UInt8(length & 0xFF))
    } else {
      output.append(masked | 127)
      for shift in stride(from: 56, through: 0, by: -8) {
        output.append(UInt8(truncatingIfNeeded: length >> shift))
      }
    }
    guard let mask else { return }
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      output.append(UInt8(truncatingIfNeeded: mask.littleEndian >> shift))
    }
  }

  /// The payload of a close frame: the code, and the reason cut to what fits at a character.
  package static func closePayload(_ code: CloseCode, _ reason: String) -> [UInt8] {
    var payload = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)]
    for character in reason.unicodeScalars {
      let bytes = UTF8.encode(character).map(Array.init) ?? []
      if payload.count + bytes.count > 125 { break }
      payload += bytes
    }
    return payload
  }
}
