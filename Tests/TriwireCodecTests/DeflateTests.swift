import Testing
import TriwireCodec

/// What a compressed message decompresses to.
func inflated(
  _ compressed: [UInt8], _ inflater: Inflater, step: Int = .max, limit: Int = 1 << 24,
  ratio: Int = .max
) throws(Inflater.Failure) -> [UInt8] {
  var back: [UInt8] = []
  var start = 0
  repeat {
    let end = step == .max ? compressed.count : min(start + step, compressed.count)
    let piece = compressed.span.extracting(start..<end)
    try inflater.decompress(
      piece, isLast: end == compressed.count, limit: limit, ratio: ratio
    ) { part in
      for index in 0..<part.count { back.append(part[index]) }
      return true
    }
    start = end
  } while start < compressed.count
  return back
}

@Suite("Deflate")
struct DeflateTests {
  @Test(
    "Messages of every size come back, with and without context (RFC 7692 §7.2)",
    arguments: [9, 12, 15], [true, false])
  func roundTrips(windowBits: Int, keepsContext: Bool) throws {
    let deflater = Deflater(windowBits: windowBits, memoryLevel: 5, level: 1)
    let inflater = Inflater(windowBits: windowBits)
    let word = Array("the quick brown fox jumps over the lazy dog; ".utf8)
    for size in [0, 1, 2, 63, 64, 0, 1000, 65_536, 300_000, 0, 5] {
      let message = (0..<size).map { word[$0 % word.count] ^ UInt8(truncatingIfNeeded: $0 >> 12) }
      let compressed = deflater.compress(message.span, keepingContext: keepsContext)
      for step in [Int.max, 1, 7] where size < 70_000 || step == .max {
        // Every way of cutting needs a window that has seen the same.
        guard step == .max || !keepsContext else { continue }
        #expect(try inflated(compressed, inflater, step: step) == message)
      }
    }
  }

  @Test("What repeats an earlier message shrinks, unless its context is not to be used (§7.1.1)")
  func contextTakeover() {
    let message = Array("a message of some length that nothing in itself repeats: 0123456789".utf8)
    let deflater = Deflater(windowBits: 12, memoryLevel: 5, level: 6)
    let first = deflater.compress(message.span, keepingContext: true)
    let second = deflater.compress(message.span, keepingContext: true)
    let alone = deflater.compress(message.span, keepingContext: false)
    #expect(second.count < first.count / 3)
    #expect(alone == first)
  }

  @Test("A decompression stops at the limit, whatever a bomb holds")
  func bomb() {
    let deflater = Deflater(windowBits: 15, memoryLevel: 9, level: 9)
    let bomb = deflater.compress([UInt8](repeating: 0, count: 64 << 20).span, keepingContext: false)
    let inflater = Inflater(windowBits: 15)
    #expect(throws: Inflater.Failure.overLimit) { try inflated(bomb, inflater, limit: 1 << 20) }
    let another = Inflater(windowBits: 15)
    #expect(throws: Inflater.Failure.overRatio) { try inflated(bomb, another, ratio: 100) }
  }

  @Test("Bytes that are not deflate are refused")
  func malformed() {
    #expect(throws: Inflater.Failure.malformed) {
      try inflated([0xFF, 0xFF, 0xFF], Inflater(windowBits: 15))
    }
  }

  @Test("A final block may end a message, and another message follow it (§7.2.3.5)")
  func finalBlock() throws {
    // A stored final block with "Hello", and the empty block that makes the message end in a byte.
    let message: [UInt8] = [0x01, 0x05, 0x00, 0xFA, 0xFF] + Array("Hello".utf8) + [0x00]
    let inflater = Inflater(windowBits: 15)
    #expect(try inflated(message, inflater) == Array("Hello".utf8))
    #expect(try inflated(message, inflater, step: 1) == Array("Hello".utf8))
  }

  @Test("The examples of RFC 7692 §7.2.3 decompress to Hello")
  func examples() throws {
    let inflater = Inflater(windowBits: 15)
    let hello = Array("Hello".utf8)
    #expect(try inflated([0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], inflater) == hello)
    #expect(try inflated([0xF2, 0x00, 0x11, 0x00, 0x00], inflater) == hello)
    let two: [UInt8] = [
      0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00,
    ]
    #expect(try inflated(two, Inflater(windowBits: 15)) == hello)
  }
}

@Suite("Agreement on permessage-deflate")
struct DeflateAgreementTests {
  private static var open: DeflateOptions {
    var options = DeflateOptions()
    options.windowBits = 15
    options.peerWindowBits = 15
    return options
  }

  @Test(
    "A server answers what it can keep, and declines what it cannot (RFC 7692 §7.1)",
    arguments: [
      ("permessage-deflate", "permessage-deflate"),
      ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
      (
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
      ),
      (
        "permessage-deflate; server_max_window_bits=10",
        "permessage-deflate; server_max_window_bits=10"
      ),
      (
        "permessage-deflate; client_max_window_bits=10",
        "permessage-deflate; client_max_window_bits=10"
      ),
      // zlib cannot compress with 8 bits: the second offer is taken.
      ("permessage-deflate; server_max_window_bits=8, permessage-deflate", "permessage-deflate"),
      (
        "x-other, permessage-deflate; server_max_window_bits=\"9\"",
        "permessage-deflate; server_max_window_bits=9"
      ),
    ])
  func answers(offer: String, expected: String) {
    #expect(DeflateAgreement.answer([offer], Self.open)?.header == expected)
  }

  @Test(
    "A malformed offer is declined (RFC 7692 §7.1)",
    arguments: [
      "permessage-deflate; server_max_window_bits", "permessage-deflate; server_max_window_bits=16",
      "permessage-deflate; server_max_window_bits=08",
      "permessage-deflate; server_max_window_bits=7",
      "permessage-deflate; client_max_window_bits=0",
      "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; unknown",
      "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
      "permessage-deflate; server_max_window_bits=8", "x-webkit-deflate-frame", "", ";", "=,=",
    ])
  func declines(offer: String) {
    #expect(DeflateAgreement.answer([offer], Self.open) == nil)
  }

  @Test(
    "A client refuses an answer that it did not ask for (RFC 6455 §9.1, RFC 7692 §7.1)",
    arguments: [
      "x-other", "permessage-deflate, permessage-deflate", "permessage-deflate; unknown",
      "permessage-deflate; client_max_window_bits", "permessage-deflate; server_max_window_bits=7",
      "permessage-deflate; server_max_window_bits=13", "permessage-deflate",
    ])
  func refuses(answer: String) {
    var options = DeflateOptions()
    options.peerWindowBits = 12
    options.peerContextTakeover = true
    #expect(throws: ExtensionViolation.self) {
      try DeflateAgreement.accepted([answer], options)
    }
  }

  @Test("A client accepts what grants its offer, and knows when nothing was chosen")
  func accepts() throws {
    let options = DeflateOptions()
    #expect(try DeflateAgreement.accepted([], options) == nil)
    let agreement = try DeflateAgreement.accepted(
      ["permessage-deflate; server_max_window_bits=12; client_max_window_bits=10"], options)
    #expect(agreement?.serverWindowBits == 12)
    #expect(agreement?.clientWindowBits == 10)
  }
}
