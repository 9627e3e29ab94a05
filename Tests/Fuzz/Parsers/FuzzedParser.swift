/// A parser that is fed with whatever somebody invents.
///
/// An input's first byte says how the rest is cut into arrivals, and the rest is what arrives.
package enum FuzzedParser: String, CaseIterable, Sendable {
  /// Requests, as a server reads them.
  case http
  /// The chunks of a body and their trailers.
  case chunked
  /// Responses, as a client reads them.
  case response
  /// WebSocket frames, in either role.
  case websocket
  /// WebSocket frames where permessage-deflate was agreed on.
  case deflate
  /// Compressed messages.
  case inflate
  /// Event streams.
  case events
  /// Answers to long polls.
  case batch
  /// What clients and servers say of WebSocket extensions.
  case extensions
  /// The UTF-8 of a text.
  case text

  /// What is wrong with what the parser makes of an input, or nil.
  ///
  /// It has to say the same of the whole as of its pieces, and never to trap.
  package func finding(in input: [UInt8]) -> String? {
    guard let first = input.first else { return nil }
    let bytes = input.dropFirst()
    let step = Int(first) % 17 + 1
    switch self {
    case .inflate: return inflateFinding(bytes, step)
    case .extensions: return extensionsFinding(bytes)
    case .text: return textFinding(bytes, step)
    default:
      let pieces = stride(from: bytes.startIndex, to: bytes.endIndex, by: step)
        .map { bytes[$0..<min($0 + step, bytes.endIndex)] }
      return difference(bytes, [pieces])
    }
  }

  /// The same, with the input whole, byte by byte, and cut in two at each place.
  package func findingAtEveryCut(in input: [UInt8]) -> String? {
    if let finding = finding(in: input) { return finding }
    guard self != .inflate, self != .extensions, self != .text else { return nil }
    let bytes = input.dropFirst()
    let cuts = bytes.indices.dropFirst().map { [bytes[..<$0], bytes[$0...]] }
    return difference(bytes, [bytes.indices.map { bytes[$0...$0] }] + cuts)
  }

  private func difference(
    _ bytes: ArraySlice<UInt8>, _ ways: [[ArraySlice<UInt8>]]
  ) -> String? {
    let whole = seen([bytes])
    for pieces in ways {
      let cut = seen(pieces)
      if whole != cut {
        return "whole: \(whole)\ncut to \(pieces.map(\.count)): \(cut)"
      }
    }
    return nil
  }

  /// What the parser makes of arrivals, as words.
  private func seen(_ arrivals: [ArraySlice<UInt8>]) -> [String] {
    switch self {
    case .http: httpServer(arrivals)
    case .chunked: httpServer([chunkedHead[...]] + arrivals)
    case .response: httpClient(arrivals)
    case .websocket: webSocket(arrivals, deflate: false)
    case .deflate: webSocket(arrivals, deflate: true)
    case .events: eventStream(arrivals)
    case .batch: pollBatch(arrivals)
    case .inflate, .extensions, .text: []
    }
  }
}

/// What comes before the chunks of a request.
private let chunkedHead = Array(
  "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)

/// Presents arrivals as a stream does: what was not used comes again in front of the next.
func feed(
  _ arrivals: [ArraySlice<UInt8>], _ parse: (inout [UInt8]) throws -> Int
) rethrows {
  var waiting: [UInt8] = []
  for arrival in arrivals {
    waiting += arrival
    let used = try parse(&waiting)
    precondition(used >= 0 && used <= waiting.count, "\(used) of \(waiting.count) bytes were used")
    waiting.removeFirst(used)
  }
}
