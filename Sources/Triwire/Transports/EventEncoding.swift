import TriwireCodec

/// Messages as server-sent events, ready for the stream.
///
/// Text is the `data` of a plain event, binary is base64 in an event of type "binary". An event
/// stream turns CR and CRLF into LF; where the client knows this library's rules, text with a CR
/// is sent as base64 in an event of type "text" instead, so that it stays exact.
struct EventEncoding {
  let bytes: [UInt8]

  /// Encodes messages, in one HTTP chunk each if `chunked`; `exact` says whether the client knows
  /// the type "text".
  init(_ items: [Broadcast.Item], chunked: Bool, exact: Bool) {
    var bytes: [UInt8] = []
    for item in items {
      let message = item.message
      bytes += Self.encode(
        message.kind, message.bytes.span, id: item.position.description, chunked: chunked,
        exact: exact)
    }
    self.bytes = bytes
  }

  /// One message as one event.
  static func encode(
    _ kind: MessageKind, _ payload: Span<UInt8>, id: String?, chunked: Bool, exact: Bool
  ) -> [UInt8] {
    if kind == .text, !exact || EventStreamWriter.isPreserved(payload) {
      return frame(payload, type: nil, id: id, chunked: chunked)
    }
    let text = [UInt8](capacity: Base64.encodedCount(payload.count)) {
      Base64.encode(payload, into: &$0)
    }
    let type = kind == .text ? Wire.exactTextEvent : Wire.binaryEvent
    return frame(text.span, type: type, id: id, chunked: chunked)
  }

  /// One event.
  static func frame(
    _ data: Span<UInt8>, type: String?, id: String?, chunked: Bool
  ) -> [UInt8] {
    let size = EventStreamWriter.byteCount(data: data, event: type, id: id)
    return [UInt8](capacity: size + HTTPChunk.overhead) { output in
      if chunked { HTTPChunk.writeHead(size, into: &output) }
      // Types and ids are this library's own and have no line breaks.
      try? EventStreamWriter.write(data: data, event: type, id: id, into: &output)
      if chunked { HTTPChunk.writeTail(into: &output) }
    }
  }

  /// A comment, which keeps the connection alive and says nothing.
  static func comment(chunked: Bool) -> [UInt8] {
    [UInt8](capacity: 4 + HTTPChunk.overhead) { output in
      if chunked { HTTPChunk.writeHead(4, into: &output) }
      EventStreamWriter.writeComment(into: &output)
      if chunked { HTTPChunk.writeTail(into: &output) }
    }
  }
}
