import TriwireCodec

/// Which role reads the frames is in the input's first byte.
func webSocket(_ arrivals: [ArraySlice<UInt8>], deflate: Bool) -> [String] {
  guard let start = arrivals.first, let first = start.first else { return [] }
  var codec = WebSocketCodec(
    role: first & 1 == 0 ? .server : .client,
    limits: WebSocketCodec.Limits(messageBytes: 65_536, fragments: 64), allowsDeflate: deflate)
  var seen: [String] = []
  var message: [UInt8] = []
  var violation: WebSocketViolation?
  feed([start.dropFirst()] + arrivals.dropFirst()) { bytes in
    var offset = 0
    guard violation == nil else { return bytes.count }
    do throws(WebSocketViolation) {
      while let event = try nextEvent(&codec, &bytes, &offset) {
        switch event {
        case .message(let kind, let range): seen.append("\(kind) \(Array(bytes[range]))")
        case .fragment(let kind, let range, let isLast), .deflated(let kind, let range, let isLast):
          message += bytes[range]
          if isLast {
            seen.append("\(kind) \(message)")
            message = []
          }
        case .ping(let range): seen.append("ping \(Array(bytes[range]))")
        case .pong(let range): seen.append("pong \(Array(bytes[range]))")
        case .close(let code, let reason):
          seen.append("close \(code?.rawValue ?? 0) \(Array(bytes[reason]))")
        }
      }
    } catch {
      violation = error
    }
    return offset
  }
  // A bad byte in text that came in pieces is found earlier than in one piece, never differently.
  if let violation { seen.append("close \(violation.closeCode)") }
  return seen
}

private func nextEvent(
  _ codec: inout WebSocketCodec, _ bytes: inout [UInt8], _ offset: inout Int
) throws(WebSocketViolation) -> WebSocketEvent? {
  var span = bytes.mutableSpan
  return try codec.nextEvent(in: &span, at: &offset)
}

func eventStream(_ arrivals: [ArraySlice<UInt8>]) -> [String] {
  var parser = EventStreamParser(eventBytes: 4096)
  var seen: [String] = []
  do {
    try feed(arrivals) { bytes in
      var offset = 0
      while let event = try parser.nextEvent(in: bytes.span, at: &offset) {
        seen.append("\(event)")
      }
      return offset
    }
  } catch {
    seen.append("\(error)")
  }
  return seen
}

func pollBatch(_ arrivals: [ArraySlice<UInt8>]) -> [String] {
  var parser = PollBatchParser(messageBytes: 4096)
  var seen: [String] = []
  do {
    try feed(arrivals) { bytes in
      var offset = 0
      while let record = try parser.nextEvent(in: bytes.span, at: &offset) {
        seen.append("\(record.kind) \(Array(bytes[record.payload]))")
      }
      return offset
    }
  } catch {
    seen.append("\(error)")
  }
  return seen
}
