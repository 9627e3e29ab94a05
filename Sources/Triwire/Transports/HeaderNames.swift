import TriwireCodec

/// What this library adds to HTTP: header fields, media types, event types.
enum Wire {
  /// In a poll's answer: the cursor for the next poll, `SESSION.NUMBER`.
  static let cursor = "triwire-cursor"
  /// In the last answer of a poll: the close code and reason.
  static let close = "triwire-close"
  /// In a request: which version of these rules the client knows; it gets exact text on SSE.
  static let version = "triwire-version"
  /// The type of an event whose data is a binary message in base64.
  static let binaryEvent = "binary"
  /// The type of an event whose data is a text message in base64, since an event stream would
  /// alter its line ends.
  static let exactTextEvent = "text"
  /// The type of the event that ends a stream: a close code and a reason.
  static let closeEvent = "close"
  /// The type of the event that says that messages of a topic are missing: the topic's name.
  static let gapEvent = "gap"
}

extension Headers {
  /// Whether `Accept` names a media type, with or without parameters.
  func accepts(_ type: String) -> Bool {
    guard contains("accept") else { return false }
    return values(of: "accept").contains { value in
      value.split(separator: ",").contains { member in
        let name = member.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        return name.lowercased() == type
      }
    }
  }

  /// Whether `Accept-Encoding` wants gzip (RFC 9110 §12.5.3).
  ///
  /// Without the field any coding would be allowed; but many who cannot read one do not send it.
  var acceptsGzip: Bool {
    guard contains("accept-encoding") else { return false }
    var any = false
    for member in values(of: "accept-encoding").flatMap({ $0.split(separator: ",") }) {
      let parts = member.split(separator: ";").map { part in
        part.filter { $0 != " " && $0 != "\t" }.lowercased()
      }
      // §12.4.2: a weight of 0 is "not this one".
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map {
        Double($0.dropFirst(2)) ?? 0
      }
      switch parts.first {
      case "gzip", "x-gzip": return (weight ?? 1) > 0
      case "*": any = (weight ?? 1) > 0
      default: break
      }
    }
    return any
  }

  /// The codings of a body, in the order they were applied (RFC 9110 §8.4).
  private var codings: [String] {
    guard contains("content-encoding") else { return [] }
    return WebSocketHandshake.tokens(values(of: "content-encoding"))
      .map { $0.lowercased() }.filter { $0 != "identity" }
  }

  /// Whether a body is in the coding gzip and in no other.
  var isGzip: Bool { codings == ["gzip"] || codings == ["x-gzip"] }

  /// Why an answer cannot be read, when it is in a content coding that nobody asked for.
  ///
  /// A proxy may have added it, as some compress whatever passes.
  func codingFlaw(asked gzip: GzipOptions?) -> String? {
    if codings.isEmpty || gzip != nil && isGzip { return nil }
    return "the answer is in the coding \(codings.joined(separator: ", ")), which nobody asked for"
  }

  /// The media type in `Content-Type`, in lower case and without parameters; empty if there is none.
  var mediaType: String {
    let value = self["content-type"] ?? ""
    return value.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
  }
}

extension SessionEnd {
  /// "1000 reason", fit for one line of a header or an event.
  var line: String {
    let words = reason.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) }
    return words.isEmpty ? "\(code)" : "\(code) \(String(words))"
  }

  /// Reads what `line` wrote; nil when it is something else.
  init?(line: String) {
    let parts = line.split(separator: " ", maxSplits: 1)
    guard let first = parts.first, let number = UInt16(first) else { return nil }
    self.init(code: CloseCode(rawValue: number), reason: parts.count > 1 ? String(parts[1]) : "")
  }

  /// What an answer says of a session that has ended; nil when it says nothing.
  init?(goneIn head: ResponseHead) {
    guard head.status == .gone, let line = head.headers[Wire.close] else { return nil }
    self.init(line: line)
  }

  /// The end of a session whose peer sends what is no gzip, or a bomb.
  init(unreadable failure: GzipReader.Failure, _ options: GzipOptions?) {
    switch failure {
    case .malformed:
      self.init(code: .protocolError, reason: "the answer is not gzip, as it says", isLocal: true)
    case .overRatio:
      let ratio = options?.maximumRatio ?? 0
      self.init(
        code: .messageTooBig,
        reason: "the answer grows more than \(ratio)-fold: raise gzip.maximumRatio", isLocal: true)
    }
  }

  /// What a client said in `DELETE ?session=NAME&code=1000&reason=…`.
  init(closeRequest head: RequestHead) {
    let number = head.queryItem("code").flatMap { UInt16($0) } ?? 1000
    let code = CloseCode(rawValue: number)
    self.init(
      code: code.isSendable ? code : .normal, reason: head.queryItem("reason") ?? "")
  }
}
