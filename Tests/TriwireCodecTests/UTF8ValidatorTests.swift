import Testing
import TriwireCodec

@Suite("UTF-8 in pieces (RFC 3629 §4)")
struct UTF8ValidatorTests {
  /// What the validator says of pieces: nil while no piece was refused.
  func verdict(_ pieces: [ArraySlice<UInt8>]) -> Bool {
    var validator = UTF8Validator()
    for piece in pieces {
      let bytes = Array(piece)
      guard validator.consume(bytes.span) else { return false }
    }
    return validator.isComplete
  }

  func expectAgreement(_ bytes: [UInt8]) {
    let expected = String(validating: bytes, as: UTF8.self) != nil
    for way in Cuts.all(bytes) where verdict(way) != expected {
      Issue.record("\(bytes) in \(way.map(\.count)): not \(expected)")
    }
  }

  @Test("Every sequence of two bytes is judged as the standard library does, at every split")
  func pairs() {
    for first in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max { expectAgreement([first, second]) }
    }
  }

  @Test("Edges of every range of lead and continuation bytes agree with the standard library")
  func edges() {
    let leads: [UInt8] = [
      0x00, 0x7F, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4,
      0xF5,
    ]
    let rest: [UInt8] = [0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0]
    for lead in leads {
      for second in rest {
        for third in rest {
          expectAgreement([lead, second, third])
          for fourth in rest { expectAgreement([lead, second, third, fourth]) }
        }
      }
    }
  }

  @Test("Random mixtures agree with the standard library at every split", arguments: 0..<8)
  func mixtures(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let alphabet: [[UInt8]] = ["a", "é", "世", "😀", "\u{7FF}", "\u{FFFF}"].map { Array($0.utf8) }
    for _ in 0..<150 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...24, using: &generator) {
        bytes += alphabet.randomElement(using: &generator) ?? []
      }
      if Bool.random(using: &generator) { bytes = mutated(bytes, using: &generator) }
      expectAgreement(bytes)
    }
  }
}
