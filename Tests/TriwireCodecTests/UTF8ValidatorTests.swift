import Testing
import TriwireCodec

/// What is to be said of bytes: where the first is that cannot be part of UTF-8, and whether the
/// last character is whole.
struct UTF8Verdict: Equatable {
  let fault: Int?
  let isComplete: Bool

  /// What the validator says of bytes that come in pieces.
  init(_ pieces: [ArraySlice<UInt8>]) {
    var validator = UTF8Validator()
    for piece in pieces {
      if let fault = validator.firstFault(in: piece.span) {
        self.init(fault: piece.startIndex + fault, isComplete: false)
        return
      }
    }
    self.init(fault: nil, isComplete: validator.isComplete)
  }

  /// What the standard library says of them.
  init(expectedOf bytes: ArraySlice<UInt8>) {
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: bytes.span)
      self.init(fault: nil, isComplete: true)
    } catch {
      let range = error.byteOffsets
      if error.kind == .truncatedScalar {
        // It names what there is of a character; what is not part of it is the byte behind it.
        let isEnd = range.upperBound == bytes.count
        self.init(fault: isEnd ? nil : bytes.startIndex + range.upperBound, isComplete: false)
      } else {
        // It names a byte that begins what is overlong, a surrogate or above U+10FFFF. Only of some
        // is that certain before the byte behind it.
        let at = bytes.startIndex + range.lowerBound
        let isCertain = !(0xC2...0xF4).contains(bytes[at])
        self.init(fault: isCertain ? at : at + 1, isComplete: false)
      }
    }
  }

  private init(fault: Int?, isComplete: Bool) {
    self.fault = fault
    self.isComplete = isComplete
  }
}

@Suite("UTF-8 in pieces (RFC 3629 §4)")
struct UTF8ValidatorTests {
  /// Leads and continuations at the edges of their ranges.
  static let leads: [UInt8] = [
    0x00, 0x7F, 0x80, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4,
    0xF5, 0xFF,
  ]
  static let rest: [UInt8] = [0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0]

  func expectAgreement(_ bytes: ArraySlice<UInt8>, _ ways: [[ArraySlice<UInt8>]]) {
    let expected = UTF8Verdict(expectedOf: bytes)
    for way in ways where UTF8Verdict(way) != expected {
      Issue.record("\(Array(bytes)) in \(way.map(\.count)): not \(expected)")
    }
  }

  func expectAgreement(_ bytes: [UInt8]) { expectAgreement(bytes[...], Cuts.all(bytes)) }

  @Test("The first bad byte is the one behind the longest beginning that a text can have")
  func definition() {
    func canBegin(_ bytes: ArraySlice<UInt8>) -> Bool {
      let ends: [UInt8] = [0x80, 0xBF]
      return (0...3).contains { count in
        ends.contains { end in
          let text = Array(bytes) + [UInt8](repeating: end, count: count)
          return String(validating: text, as: UTF8.self) != nil
        }
      }
    }
    for lead in Self.leads {
      for second in Self.rest {
        for third in Self.rest {
          let bytes = [lead, second, third, 0x61]
          let longest = (0...4).last { canBegin(bytes[..<$0]) }
          #expect(UTF8Verdict(expectedOf: bytes[...]).fault ?? 4 == longest, "\(bytes)")
        }
      }
    }
  }

  @Test("Every sequence of one or two bytes is judged as the standard library does, at every split")
  func pairs() {
    for first in UInt8.min...UInt8.max {
      expectAgreement([first])
      for second in UInt8.min...UInt8.max { expectAgreement([first, second]) }
    }
  }

  // All sequences of three bytes, in each lane of a vector, take a minute in a debug build; they are
  // `CodecSpeed agree` in a release build, whose machine code is another anyway.
  @Test("Every third byte is judged so behind the edges of every range", arguments: leads)
  func triples(lead: UInt8) {
    for second in Self.rest {
      for third in UInt8.min...UInt8.max {
        let bytes = [lead, second, third]
        expectAgreement(bytes[...], [[bytes[...]]])
      }
    }
  }

  @Test("Every byte behind ASCII, and the edges behind it, are judged so in each lane of a vector")
  func lanes() {
    var bytes = [UInt8](repeating: 0x61, count: 16 + 64 + 16)
    for place in 40..<56 {
      for first in UInt8(0x80)...UInt8.max {
        bytes[place] = first
        for second in Self.rest {
          bytes[place + 1] = second
          expectAgreement(bytes[...], [[bytes[...]]])
        }
      }
      bytes.replaceSubrange(place...place + 1, with: [0x61, 0x61])
    }
  }

  @Test("Edges of every range are judged so at every place and split", arguments: leads)
  func edges(lead: UInt8) {
    for second in Self.rest {
      for third in Self.rest {
        expectAgreement([lead, second, third])
        for fourth in Self.rest {
          let bytes = [lead, second, third, fourth]
          expectAgreement(bytes)
          // Behind ASCII, behind a character, and at the end of what is read at once.
          let at = Int(second ^ third ^ fourth) % 80
          let long = [UInt8](repeating: 0x61, count: at) + Array("é".utf8) + bytes
          expectAgreement(long[...], [[long[...]], [long[..<(at + 3)], long[(at + 3)...]]])
        }
      }
    }
  }

  @Test("Texts of every length and script with a few changes are judged so, at every place and cut")
  func walk() {
    var generator = SeededGenerator(seed: 3629)
    for length in 0..<96 {
      for alphabet in ["aé~я", "敏e捷ࠀ\u{FFFF}", "😀🦊\u{10000}\u{10FFFF}", "naïve 狐狸 🦊 plain"] {
        var bytes: [UInt8] = Array(repeating: 0x20, count: length % 17)
        let start = bytes.count
        while bytes.count < start + length {
          bytes += Array(String(alphabet.randomElement(using: &generator) ?? "a").utf8)
        }
        if length % 3 > 0 {
          let changed = mutated(Array(bytes[start...]), using: &generator)
          bytes.replaceSubrange(start..., with: changed)
        }
        expectAgreementAtEveryCut(bytes[start...])
      }
    }
  }

  /// Cuts bytes in two at each place, at a place in memory that they are not moved from.
  func expectAgreementAtEveryCut(_ bytes: ArraySlice<UInt8>) {
    let ways = bytes.indices.map { [bytes[..<$0], bytes[$0...]] }
    expectAgreement(bytes, ways + [bytes.indices.map { bytes[$0...$0] }])
  }

  @Test("A character that a long run of ASCII cuts off is found, wherever it is")
  func cutOff() {
    for beginning: [UInt8] in [[0xC3], [0xE4, 0xB8], [0xF0, 0x9F, 0x98]] {
      for place in 0..<150 {
        let bytes = "é".utf8 + [UInt8](repeating: 0x61, count: place) + beginning
        let text = Array(bytes) + [UInt8](repeating: 0x61, count: 200)
        expectAgreement(text[...], [[text[...]], [text[..<bytes.count], text[bytes.count...]]])
      }
    }
  }

  @Test("Long texts of one script pass whole, and fail at the byte that is changed")
  func scripts() {
    for unit in ["plain ", "Съешь же ещё ", "敏捷的棕色狐狸", "😀🦊🎉"] {
      let text = Array(String(repeating: unit, count: 40).utf8)
      let fault = UTF8Validator.fault(in: text.span)
      #expect(fault == nil)
      for place in text.indices {
        var bytes = text
        bytes[place] = 0xFF
        #expect(UTF8Verdict([bytes[...]]).fault == place)
        expectAgreement(text[..<place], [[text[..<place]]])
      }
    }
  }
}
