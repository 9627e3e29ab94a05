import TestSupport
import Testing
import TriwireFaults
import TriwireIO

@Suite("Relay: everything at once", .serialized, .takesTurns)
struct StormTests {
  /// Numbers that are the same for the same seed.
  private struct Dice {
    var state: UInt64

    mutating func roll(_ sides: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % sides
    }

    mutating func pick(_ words: [String]) -> String { words[roll(words.count)] }
  }

  private static let faults = [
    "refuse", "delay-accept 1 ms", "refuse-upgrade", "strip-upgrade", "fake-upgrade", "black-hole",
    "http10", "buffer 100 B", "buffer with-head", "cut", "reset", "mute up", "mute down", "mute",
    "stall", "stall up 2 ms", "stall down 5 ms", "trickle", "half-close up", "half-close down",
  ]

  private static func rule(_ dice: inout Dice) throws -> FaultRule {
    var spec = dice.pick(faults)
    let isBare = spec == "refuse" || spec.hasPrefix("delay")
    let isOfHead = spec.hasSuffix("upgrade") || ["black-hole", "http10"].contains(spec)
    if !isBare, !spec.hasSuffix("upgrade") {
      spec += dice.pick(["", " on websocket", " on sse,poll", " on post"])
    }
    if !isBare, !isOfHead, !spec.hasPrefix("buffer") {
      spec += dice.pick([
        "", " after answer", " after answer 3 B", " after 50 B", " after 200 B down", " after 3 ms",
        " after idle 2 ms",
      ])
    }
    return try FaultRule(parsing: spec + dice.pick(["", " every 2", " chance 0.3", " first 5"]))
  }

  /// Answers whatever it is asked, as long as it is asked.
  private final class Answering: StreamHandler, @unchecked Sendable {
    func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int {
      let bytes = input.span
      let text = String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self)
      let answer =
        text.contains("Upgrade: ")
        ? switching : text.contains("event-stream") ? eventsHead + "data: 1\n\n" : ok("12345678")
      stream.write(Array(answer.utf8).span)
      return input.count
    }

    func inputEnded(_ stream: ByteStream) { stream.close() }
    func failed(_ stream: ByteStream, _ error: IOError) {}
    func drained(_ stream: ByteStream) {}
  }

  @Test(
    "Whatever strikes whatever, rules changing all the time, the relay ends with nothing left",
    arguments: 1...8)
  func storm(seed: Int) async throws {
    try await withLoops { group in
      let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
      let server = try Listener(address, on: group) { $0.start(Answering()) }
      server.start()
      var configuration = FaultRelay.Configuration()
      configuration.connectTimeout = .seconds(1000)
      configuration.seed = UInt64(seed)
      let relay = FaultRelay(to: "\(server.address)", configuration: configuration)
      let near = try await relay.start()
      let dice = Shared(Dice(state: UInt64(seed)))
      try await within("all clients are through") {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          for number in 0..<150 {
            var rules: [FaultRule] = []
            dice.change { dice in
              for _ in 0..<3 { if let rule = try? Self.rule(&dice) { rules.append(rule) } }
            }
            #expect(rules.count == 3)
            switch number % 15 {
            case 7: relay.muteAll()
            case 11: relay.cutAll(.finish)
            case 13: relay.restore()
            case 14: relay.set([FaultRule(.closePort)])
            default: relay.set(rules)
            }
            // Who gets in sends, and is not surprised by whatever comes of it.
            guard let client = try? RawPeer(to: near) else { continue }
            let words = [upgrade + "after it", poll + poll + post("hello"), events, "\u{0}binary"]
            tasks.addTask {
              try? await client.send(words[number % words.count])
              guard number % 3 > 0 else { return client.reset() }
              client.finishSending()
              while (try? await client.receive(1)) != nil {}
            }
            if number % 4 == 0 { try? await client.send("") }
          }
          // What is mute or stalled would stay so.
          relay.cutAll()
          relay.restore()
          relay.cutAll()
          try await tasks.waitForAll()
        }
      }
      #expect(await relay.counters().faultsInAll > 20)
      try await within("the relay stops") { await relay.stop() }
      let counters = await relay.counters()
      #expect(counters.open == 0)
      #expect(counters.waiting == 0)
      await server.stop()
    }
  }
}
