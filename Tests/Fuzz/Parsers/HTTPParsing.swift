import TriwireCodec

func httpServer(_ arrivals: [ArraySlice<UInt8>]) -> [String] {
  var codec = HTTPServerCodec()
  var seen: [String] = []
  var body: [UInt8] = []
  do {
    try feed(arrivals) { bytes in
      var offset = 0
      while let event = try codec.nextEvent(in: bytes.span, at: &offset) {
        switch event {
        case .head(let head, let framing):
          seen.append("\(head.method) \(head.target) \(head.headers) \(framing)")
        case .body(let range): body += bytes[range]
        case .end(let trailers):
          seen.append("end \(body) \(trailers.map { "\($0)" } ?? "")")
          body = []
        }
      }
      return offset
    }
    try codec.endOfInput()
  } catch {
    seen.append("\(body) \(error)")
  }
  return seen
}

func httpClient(_ arrivals: [ArraySlice<UInt8>]) -> [String] {
  var codec = HTTPClientCodec()
  for _ in 0..<4 { codec.requestSent(.get, upgrade: true) }
  var seen: [String] = []
  var body: [UInt8] = []
  func see(_ event: HTTPClientEvent, _ bytes: [UInt8]) {
    switch event {
    case .informational(let head): seen.append("informational \(head.status) \(head.headers)")
    case .head(let head, let framing): seen.append("\(head.status) \(head.headers) \(framing)")
    case .body(let range): body += bytes[range]
    case .end(let trailers):
      seen.append("end \(body) \(trailers.map { "\($0)" } ?? "")")
      body = []
    }
  }
  do {
    try feed(arrivals) { bytes in
      var offset = 0
      while let event = try codec.nextEvent(in: bytes.span, at: &offset) { see(event, bytes) }
      return offset
    }
    if let event = try codec.endOfInput() { see(event, []) }
  } catch {
    seen.append("\(body) \(error)")
  }
  return seen
}
