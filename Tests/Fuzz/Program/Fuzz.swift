import Glibc
import TriwireCodec

// Feeds a parser whatever libFuzzer invents. Which one is in TRIWIRE_FUZZ; see Tests/Fuzz/run.
// Each parser is fed twice, in one piece and cut up, and has to say the same both times.

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The program: hands over to libFuzzer.
@_cdecl("Fuzz_main")
public func fuzzMain(
  _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
  var count = count
  var arguments = arguments
  return runDriver(&count, &arguments, testOne)
}

/// Does nothing: libFuzzer's library wants the symbol, and the driver is given the function itself.
@_cdecl("LLVMFuzzerTestOneInput")
public func unusedTest(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 { 0 }

let parser = String(cString: getenv("TRIWIRE_FUZZ") ?? strdup("http"))

let testOne: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32 = { bytes, count in
  let input = Array(UnsafeBufferPointer(start: bytes, count: count))
  guard let first = input.first else { return 0 }
  let rest = Array(input.dropFirst())
  let step = Int(first) % 17 + 1
  switch parser {
  case "http": same(rest, step, httpServer)
  case "response": same(rest, step, httpClient)
  case "websocket": same(rest, step) { webSocket($0, $1, deflate: false) }
  case "deflate": same(rest, step) { webSocket($0, $1, deflate: true) }
  case "inflate": inflate(rest, step)
  case "events": same(rest, step, eventStream)
  case "batch": same(rest, step, batch)
  case "extensions": extensions(rest)
  default: fatalError("TRIWIRE_FUZZ is no parser: \(parser)")
  }
  return 0
}

/// What a parser says of an input has to be the same however the input is cut.
func same(_ input: [UInt8], _ step: Int, _ parse: ([UInt8], Int) -> [String]) {
  let whole = parse(input, max(input.count, 1))
  let cut = parse(input, step)
  precondition(whole == cut, "whole: \(whole)\ncut by \(step): \(cut)")
}

/// Presents an input in steps, as a stream does: what was not used comes again in front.
func feed(_ input: [UInt8], _ step: Int, _ parse: (inout [UInt8]) throws -> Int) rethrows {
  var waiting: [UInt8] = []
  var next = 0
  repeat {
    waiting += input[next..<min(next + step, input.count)]
    next += step
    let used = try parse(&waiting)
    waiting.removeFirst(used)
  } while next < input.count
}

func httpServer(_ input: [UInt8], _ step: Int) -> [String] {
  var codec = HTTPServerCodec()
  var seen: [String] = []
  var body: [UInt8] = []
  do {
    try feed(input, step) { bytes in
      var offset = 0
      while let event = try codec.nextEvent(in: bytes.span, at: &offset) {
        switch event {
        case .head(let head, let framing): seen.append("\(head.method) \(head.target) \(framing)")
        case .body(let range): body += bytes[range]
        case .end(let trailers):
          seen.append("end \(body) \(trailers?.count ?? -1)")
          body = []
        }
      }
      return offset
    }
  } catch {
    seen.append("\(error)")
  }
  return seen
}

func httpClient(_ input: [UInt8], _ step: Int) -> [String] {
  var codec = HTTPClientCodec()
  for _ in 0..<4 { codec.requestSent(.get, upgrade: true) }
  var seen: [String] = []
  var body: [UInt8] = []
  do {
    try feed(input, step) { bytes in
      var offset = 0
      while let event = try codec.nextEvent(in: bytes.span, at: &offset) {
        switch event {
        case .informational(let head): seen.append("informational \(head.status)")
        case .head(let head, let framing): seen.append("\(head.status) \(framing)")
        case .body(let range): body += bytes[range]
        case .end(let trailers):
          seen.append("end \(body) \(trailers?.count ?? -1)")
          body = []
        }
      }
      return offset
    }
  } catch {
    seen.append("\(error)")
  }
  return seen
}

func webSocket(_ input: [UInt8], _ step: Int, deflate: Bool) -> [String] {
  var codec = WebSocketCodec(
    role: input.first.map { $0 & 1 == 0 } ?? true ? .server : .client,
    limits: WebSocketCodec.Limits(messageBytes: 65_536, fragments: 64), allowsDeflate: deflate)
  var seen: [String] = []
  var message: [UInt8] = []
  var violation: WebSocketViolation?
  feed(Array(input.dropFirst()), step) { bytes in
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

func nextEvent(
  _ codec: inout WebSocketCodec, _ bytes: inout [UInt8], _ offset: inout Int
) throws(WebSocketViolation) -> WebSocketEvent? {
  var span = bytes.mutableSpan
  return try codec.nextEvent(in: &span, at: &offset)
}

func inflate(_ input: [UInt8], _ step: Int) {
  let inflater = Inflater(windowBits: 8 + step % 8)
  let limit = 1 << 20
  var total = 0
  var start = 0
  while start < input.count {
    let end = min(start + step * 16, input.count)
    do {
      try inflater.decompress(
        input.span.extracting(start..<end), isLast: end == input.count, limit: limit, ratio: 1000
      ) { part in
        total += part.count
        return true
      }
    } catch {
      return
    }
    precondition(total <= limit, "\(total) bytes came out, limit is \(limit)")
    start = end
  }
  // What was decompressed compresses to something that decompresses to the same.
  let deflater = Deflater(windowBits: 9 + step % 7, memoryLevel: 1 + step % 9, level: step % 10)
  let again = Inflater(windowBits: 15)
  for _ in 0..<2 {
    precondition(
      roundTrip(deflater.compress(input.span, keepingContext: true), again) == input)
  }
}

/// What a compressed message decompresses to; nil when it does not.
func roundTrip(_ compressed: [UInt8], _ inflater: Inflater) -> [UInt8]? {
  var back: [UInt8] = []
  do {
    try inflater.decompress(compressed.span, isLast: true, limit: .max, ratio: .max) { part in
      for index in 0..<part.count { back.append(part[index]) }
      return true
    }
  } catch {
    return nil
  }
  return back
}

func eventStream(_ input: [UInt8], _ step: Int) -> [String] {
  var parser = EventStreamParser(eventBytes: 4096)
  var seen: [String] = []
  do {
    try feed(input, step) { bytes in
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

func batch(_ input: [UInt8], _ step: Int) -> [String] {
  var parser = PollBatchParser(messageBytes: 4096)
  var seen: [String] = []
  do {
    try feed(input, step) { bytes in
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

func extensions(_ input: [UInt8]) {
  let text = String(decoding: input, as: UTF8.self)
  let options = DeflateOptions()
  if let (agreement, header) = DeflateAgreement.answer([text], options) {
    // What a server answers is what a client that offers everything accepts.
    var open = DeflateOptions()
    open.peerWindowBits = 15
    open.windowBits = 15
    let accepted = try? DeflateAgreement.accepted([header], open)
    precondition(accepted != nil, "\(text) was answered with \(header): \(agreement)")
  }
  _ = try? DeflateAgreement.accepted([text], options)
}
