import Glibc
import Triwire

// Sends messages to an echo server that nobody here wrote, and compares what comes back; started
// by real_servers.py. usage: EchoClient URL [NAME=VALUE …], with
//   transport=websocket|sse|long-polling, count=N, largest=BYTES, seed=N,
//   deflate=off|takeover|no-takeover, window=BITS, subprotocols=A,B, proxy=URL|none|environment

/// What the command line asks for.
struct Wishes {
  var url = ""
  var transport = TransportKind.webSocket
  var count = 100
  var largest = 1 << 20
  var seed: UInt64 = 1
  var configuration = TriwireClient.Configuration()

  init(_ arguments: [String]) throws {
    // The servers are not made with this library.
    configuration.resume = nil
    url = arguments.first ?? ""
    for argument in arguments.dropFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, try set(parts[0], parts[1]) else {
        throw Trouble(what: "cannot understand \(argument)")
      }
    }
    configuration.session.messageBytes = largest + 64
    configuration.session.queuedBytesHard = 4 * largest + (1 << 20)
  }

  private mutating func set(_ name: String, _ value: String) throws -> Bool {
    switch name {
    case "transport": transport = TransportKind(rawValue: value) ?? transport
    case "count": count = Int(value) ?? count
    case "largest": largest = Int(value) ?? largest
    case "seed": seed = UInt64(value) ?? seed
    case "subprotocols":
      configuration.subprotocols = value.split(separator: ",").map(String.init)
    case "proxy":
      configuration.proxy = ["none": .none, "environment": .environment][value] ?? .url(value)
    case "deflate" where value != "off":
      var deflate = configuration.deflate ?? DeflateOptions()
      deflate.contextTakeover = value == "takeover"
      deflate.peerContextTakeover = value == "takeover"
      configuration.deflate = deflate
    case "window":
      configuration.deflate?.windowBits = Int(value) ?? 12
      configuration.deflate?.peerWindowBits = Int(value) ?? 12
    case "deflate": break
    default: return false
    }
    return true
  }
}

/// The same messages each time for the same seed: text and binary, from nothing to the largest.
struct Draw {
  private var state: UInt64
  private let largest: Int
  private var index = 0

  init(_ wishes: Wishes) {
    state = wishes.seed
    largest = wishes.largest
  }

  /// SplitMix64.
  private mutating func number() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  /// The edges first, then sizes of all magnitudes.
  private mutating func size() -> Int {
    let edges = [0, 1, 125, 126, 127, 65_535, 65_536, largest - 1, largest].filter { $0 <= largest }
    if index <= 2 * edges.count { return edges[(index - 1) / 2] }
    let bits = Int(number() % UInt64(Int.bitWidth - largest.leadingZeroBitCount))
    return min(largest, Int(number() % UInt64(1 << (bits + 1))))
  }

  mutating func next() -> Message {
    index += 1
    let size = size()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size + 8)
    guard index % 2 == 0 else {
      // Half of it repeats, so that there is something to compress.
      while bytes.count < size {
        let word = bytes.count % 64 < 32 ? 0 : number()
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> (8 * shift))) }
      }
      return Message(binary: Array(bytes[..<size]))
    }
    let letters: [String] = ["a", "b", " ", "\r\n", "é", "ß", "漢", "字", "🚲", "\u{0}", "\""]
    while true {
      let letter = letters[Int(number() % UInt64(letters.count))].utf8
      if bytes.count + letter.count > size { break }
      bytes += letter
    }
    while bytes.count < size { bytes.append(UInt8(ascii: "~")) }
    return Message(String(decoding: bytes, as: UTF8.self))
  }
}

struct Trouble: Error {
  let what: String
}

/// Sends and compares all messages; one line of "name=value" for the check.
func play(_ wishes: Wishes) async throws -> String {
  let session = try await TriwireClient(wishes.url, configuration: wishes.configuration)
    .connect(over: [wishes.transport])
  let sending = Task {
    var draw = Draw(wishes)
    for _ in 0..<wishes.count { try await session.send(draw.next()) }
  }
  var draw = Draw(wishes)
  var (came, bytes) = (0, 0)
  for try await message in session.messages {
    let sent = draw.next()
    came += 1
    guard message == sent else {
      throw Trouble(
        what: "echo \(came) has \(message.bytes.count) bytes and is not the message of "
          + "\(sent.bytes.count) that was sent")
    }
    bytes += sent.bytes.count
    if came == wishes.count { break }
  }
  guard came == wishes.count else {
    throw Trouble(what: "\(came) of \(wishes.count) messages came back")
  }
  try await sending.value
  let (subprotocol, traffic) = await withUnsafeContinuation { continuation in
    session.loop.execute {
      continuation.resume(returning: (session.subprotocol, session.trafficNow))
    }
  }
  session.close(.normal, "compared")
  let end = await session.ended()
  return """
    messages=\(came) bytes=\(bytes) payload-sent=\(traffic.sent.payload) \
    wire-sent=\(traffic.streams.reduce(0) { $0 + $1.bytesSent }) \
    subprotocol=\(subprotocol ?? "-") end=\(end.code)
    """
}

do {
  print(try await play(Wishes(Array(CommandLine.arguments.dropFirst()))))
} catch {
  let words = "\(error)\n"
  write(STDERR_FILENO, words, words.utf8.count)
  exit(1)
}
