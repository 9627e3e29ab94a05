import Testing
import TriwireCodec

/// The bytes that a writer makes.
func written<Failure: Error>(
  capacity: Int = 4096, _ write: (inout OutputSpan<UInt8>) throws(Failure) -> Void
) throws(Failure) -> [UInt8] {
  try [UInt8](capacity: capacity) { (output: inout OutputSpan<UInt8>) throws(Failure) in
    try write(&output)
  }
}

/// The text of bytes, for messages of tests.
func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// A generator whose numbers depend on its seed alone (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// Ways to cut bytes into arrivals: whole, byte by byte, and once at each place.
enum Cuts {
  static func all(_ bytes: [UInt8]) -> [[ArraySlice<UInt8>]] {
    var ways = [[bytes[...]], bytes.indices.map { bytes[$0...$0] }]
    ways += bytes.indices.dropFirst().map { [bytes[..<$0], bytes[$0...]] }
    return ways
  }

  /// Arrivals of random sizes.
  static func random(
    _ bytes: [UInt8], using generator: inout SeededGenerator
  ) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + Int.random(in: 1...40, using: &generator))
      pieces.append(bytes[start..<end])
      start = end
    }
    return pieces
  }
}

/// Feeds arrivals to a decoder as a connection does: what it leaves is presented again in front of
/// the next arrival, at a place that changes, so that a decoder cannot count on it.
struct Feed {
  private(set) var kept: [UInt8] = []
  private var turn = 0

  mutating func receive<Failure: Error>(
    _ arrival: ArraySlice<UInt8>,
    _ drain: (Span<UInt8>, inout Int) throws(Failure) -> Void
  ) throws(Failure) {
    turn += 1
    let padding = turn % 3
    let input = [UInt8](repeating: 0xFF, count: padding) + kept + arrival
    var offset = padding
    let start = offset
    try drain(input.span, &offset)
    precondition(offset >= start && offset <= input.count, "offset left the input")
    kept = Array(input[offset...])
  }
}

/// Bytes with a few random changes: replaced, inserted, removed, repeated.
func mutated(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
  let spice: [UInt8] = Array("\r\n\r\n :;,0\t\0\u{7F}=\"aF9".utf8) + [0x80, 0xFF]
  var bytes = bytes
  for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
    let at = Int.random(in: bytes.indices, using: &generator)
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: bytes[at] = spice.randomElement(using: &generator) ?? 0
    case 1: bytes[at] = UInt8.random(in: 0...255, using: &generator)
    case 2: bytes.insert(spice.randomElement(using: &generator) ?? 0, at: at)
    case 3: bytes.remove(at: at)
    default:
      let end = min(bytes.count, at + Int.random(in: 1...20, using: &generator))
      bytes.insert(contentsOf: bytes[at..<end], at: at)
    }
  }
  return bytes
}
