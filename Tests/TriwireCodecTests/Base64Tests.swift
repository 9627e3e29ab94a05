import Testing
import TriwireCodec

@Suite("Base64")
struct Base64Tests {
  private func encoded(_ bytes: [UInt8]) -> String {
    text(
      written(capacity: Base64.encodedCount(bytes.count)) {
        Base64.encode(bytes.span, into: &$0)
      })
  }

  private func decoded(_ text: String) -> [UInt8]? { Base64.decode(Array(text.utf8).span) }

  @Test(
    "The test vectors (RFC 4648 §10)",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
      ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
  func vectors(plain: String, base64: String) {
    #expect(encoded(Array(plain.utf8)) == base64)
    #expect(decoded(base64) == Array(plain.utf8))
  }

  @Test("Every value has its letter (RFC 4648 §4)")
  func alphabet() {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for (value, letter) in letters.utf8.enumerated() {
      #expect(encoded([UInt8(value) << 2, 0, 0]) == "\(Character(Unicode.Scalar(letter)))AAA")
    }
    for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "=") {
      for place in 0..<12 {
        var group = Array("AAAAAAAAAAAA".utf8)
        group[place] = byte
        let isLetter = letters.utf8.contains(byte)
        #expect((Base64.decode(group.span) != nil) == isLetter, "byte \(byte) at \(place)")
      }
    }
  }

  @Test("Bytes of every length come back as they were")
  func roundTrip() {
    var generator = SeededGenerator(seed: 3)
    for count in 0..<400 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      #expect(decoded(encoded(bytes)) == bytes)
    }
  }

  @Test(
    "Another spelling is refused (RFC 4648 §3)",
    arguments: [
      "Z", "Zg", "Zg=", "Zm8", "=", "==", "====", "Z===", "Zg==Zg==", "Z=g=", "Zm9v=", "Zm9v====",
      "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "Zm-_", "Zm9v\r\n\r\n", "Zm9\0",
    ])
  func refused(text: String) {
    #expect(decoded(text) == nil)
  }
}
