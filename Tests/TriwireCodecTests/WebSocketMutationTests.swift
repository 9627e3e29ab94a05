import Testing
import TriwireCodec

@Suite("WebSocket codec on garbage")
struct WebSocketMutationTests {
  static let seeds: [[TestFrame]] = [
    [.text("hello é"), TestFrame(opcode: 9, payload: [1]), .binary(pattern(20)), .close(1000)],
    [.text("a😀", isFinal: false), TestFrame(opcode: 10, payload: []), .more([0x62]), .text("c")],
    [.binary(pattern(130)), .binary([], isFinal: false), .more([1], isFinal: false), .more([2])],
  ]

  @Test("Mutated frames are seen the same at other cuts, and never trap", arguments: 0..<8)
  func mutations(round: UInt64) {
    var generator = SeededGenerator(seed: 500 + round)
    for turn in 0..<1500 {
      let role: WebSocketRole = turn % 2 == 0 ? .server : .client
      let frames = Self.seeds[turn % Self.seeds.count]
      let bytes = mutated(frames.flatMap { $0.bytes(to: role) }, using: &generator)
      let whole = webSocketEvents([bytes[...]], to: role, messageBytes: 200)
      let cut = webSocketEvents(
        Cuts.random(bytes, using: &generator), to: role, messageBytes: 200)
      if whole.seen != cut.seen { Issue.record("\(bytes): \(whole.seen) but \(cut.seen)") }
    }
  }

  @Test("Random bytes are refused or waited on, and never trap")
  func noise() {
    var generator = SeededGenerator(seed: 9)
    for turn in 0..<4000 {
      let bytes = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      _ = webSocketEvents([bytes[...]], to: turn % 2 == 0 ? .server : .client)
    }
  }
}
