import Testing
import TriwireCodec

@Suite("Byte classes")
struct ByteClassTests {
  private let tokens = Set("!#$%&'*+-.^_`|~0123456789".utf8)
    .union(UInt8(ascii: "a")...UInt8(ascii: "z")).union(UInt8(ascii: "A")...UInt8(ascii: "Z"))

  private func passes(_ parts: String, _ byte: UInt8, _ rest: String) -> Bool {
    violation(Array(parts.utf8) + [byte] + Array(rest.utf8)) == nil
  }

  @Test("A field name is made of token characters and no others (RFC 9110 §5.6.2)")
  func names() {
    for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: ":") {
      let isTaken = passes("GET / HTTP/1.1\r\nHost: a\r\nx", byte, "y: 1\r\n\r\n")
      #expect(isTaken == tokens.contains(byte), "byte \(byte)")
    }
  }

  @Test("A method is made of token characters and no others (RFC 9112 §3.1)")
  func methods() {
    for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: " ") {
      let isTaken = passes("G", byte, "T / HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(isTaken == tokens.contains(byte), "byte \(byte)")
    }
  }

  @Test("A field value has no control character but tab (RFC 9110 §5.5)")
  func values() {
    for byte in UInt8.min...UInt8.max {
      let isAllowed = byte >= 0x20 && byte != 0x7F || byte == 0x09
      for padding in 0..<9 {
        let before = String(repeating: "v", count: padding)
        let isTaken = passes("GET / HTTP/1.1\r\nHost: a\r\nx: \(before)", byte, "w\r\n\r\n")
        #expect(isTaken == isAllowed, "byte \(byte) after \(padding)")
      }
    }
  }

  @Test("A target is made of visible ASCII without # (RFC 9112 §3.2)")
  func targets() {
    for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: " ") {
      let isTaken = passes("GET /", byte, "a HTTP/1.1\r\nHost: a\r\n\r\n")
      #expect(
        isTaken == (0x21...0x7E ~= byte && byte != UInt8(ascii: "#")), "byte \(byte)")
    }
  }

  @Test("A host name is unreserved, sub-delims and percent (RFC 3986 §3.2.2)")
  func hosts() {
    let allowed = Set("-._~!$&'()*+,;=%0123456789".utf8)
      .union(UInt8(ascii: "a")...UInt8(ascii: "z")).union(UInt8(ascii: "A")...UInt8(ascii: "Z"))
    for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: ":") {
      let isTaken = passes("GET / HTTP/1.1\r\nHost: a", byte, "b\r\n\r\n")
      #expect(isTaken == allowed.contains(byte), "byte \(byte)")
    }
  }
}
