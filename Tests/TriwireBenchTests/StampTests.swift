import Testing

@testable import TriwireBench

@Suite("Stamp")
struct StampTests {
  @Test(
    "A stamp survives in text and in binary messages of every size",
    arguments: [Flow.Kind.text, .binary], [20, 21, 64, 125, 126, 65_536])
  func roundTrip(kind: Flow.Kind, size: Int) {
    var buffer = PayloadBuffer(for: flow(kind, size: size))
    let stamp = Stamp(
      intended: 4_398_046_511_103, slip: 1_234_432, sender: 99_999, flow: 63, sequence: 16_777_215)
    let message = Array(buffer.message(stamp, size: size))
    #expect(message.count == size)
    #expect(read(message) == stamp)
    if kind == .text { #expect(message.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 }) }
  }

  @Test("Every stamp with one byte changed, and every cut message, is noticed")
  func damage() {
    var buffer = PayloadBuffer(for: flow(.text, size: 24))
    let stamp = Stamp(intended: 12_345_678, slip: 512, sender: 7, flow: 1, sequence: 42)
    let message = Array(buffer.message(stamp, size: 24))
    var unnoticed = 0
    for position in 0..<Stamp.length {
      for letter in UInt8(0)...255 where letter != message[position] {
        var damaged = message
        damaged[position] = letter
        if read(damaged) != nil { unnoticed += 1 }
      }
    }
    #expect(unnoticed == 0)
    #expect(read(message.dropLast()) == nil)
    #expect(read(message.prefix(19)) == nil)
    #expect(read([]) == nil)
  }

  @Test("A slip beyond what fits is clamped, not wrapped")
  func clamp() {
    let stamp = Stamp(intended: 0, slip: 60_000_000_000, sender: 0, flow: 0, sequence: 0)
    #expect(stamp.slip == 4_294_967_040)
  }

  private func read(_ bytes: some Sequence<UInt8>) -> Stamp? {
    let message = Array(bytes)
    return Stamp(of: message.span)
  }

  private func flow(_ kind: Flow.Kind, size: Int) -> Flow {
    Flow(
      name: "f", direction: .up, from: .clients, rate: Rate(1, .client), arrivals: .periodic,
      burst: nil, payload: .fixed(ByteCount(size)), kind: kind)
  }
}
