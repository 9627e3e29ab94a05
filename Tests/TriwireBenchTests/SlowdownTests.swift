import Synchronization
import Testing
import Triwire

@testable import TriwireBench

@Suite("Slowing a server down on purpose")
struct SlowdownTests {
  @Test("Time of the processor and delays are read, alone and together")
  func parsed() throws {
    #expect(try Slowdown(parsing: "cpu 10 %").cpu == 0.1)
    let both = try Slowdown(parsing: "cpu 250 %,delay 200 us")
    #expect(both.cpu == 2.5)
    #expect(both.delay == TimeSpan(nanoseconds: 200_000))
    #expect(both.text == "cpu 250.0 %, delay 200 us")
  }

  @Test(
    "What is no slowdown is refused with what to write instead",
    arguments: [
      "cpu", "cpu 10", "cpu 1 s", "memory 1 ms", "delay 200us later", "cpu -1 %", "cpu 1001 %",
      "delay 1 s",
    ])
  func refused(text: String) {
    let error = #expect(throws: TrialFailure.self) { try Slowdown(parsing: text) }
    #expect(
      error?.description.contains("write \"cpu 10 %\", up to 1,000.0 %, or \"delay 200 us\"")
        == true)
  }

  @Test("What a thread needs is needed once more where all of it is to be burnt on top")
  func burns() {
    let burner = CPUBurner(part: 1)
    // Counts from the first time it looks at the clock.
    for _ in 0..<32 { burner.burn() }
    for _ in 0..<3 {
      let start = Process.threadCPUNanoseconds
      while Process.threadCPUNanoseconds - start < 1_000_000 {}
      for _ in 0..<31 { burner.burn() }
      let before = Process.threadCPUNanoseconds
      burner.burn()
      #expect(Process.threadCPUNanoseconds - before >= 1_000_000)
    }
  }

  @Test("Delayed echoes are sent in the order they came, none earlier than it may")
  func delayed() async throws {
    let group = try EventLoopGroup(count: 1)
    let loop = group.next()
    let (stream, ended) = AsyncStream<Void>.makeStream()
    let sent = Mutex<[Int]>([])
    let start = EventLoop.clock()
    let echoes = await loop.perform {
      let echoes = DelayedEchoes(delay: 2_000_000) { client, _, message in
        let count = sent.withLock { sent in
          sent.append(client + Int(message[0]) * 1000)
          return sent.count
        }
        if count == 100 { ended.finish() }
      }
      for number in 0..<100 { echoes.add(number, .text, [UInt8(number)].span, on: loop) }
      return Held(echoes)
    }
    for await _ in stream {}
    #expect(sent.withLock { $0 } == (0..<100).map { $0 * 1001 })
    #expect(EventLoop.clock() - start >= 2_000_000)
    withExtendedLifetime(echoes) {}
    await group.stop()
  }

  /// Keeps what belongs to a loop until the test is over.
  private final class Held: @unchecked Sendable {
    let echoes: DelayedEchoes
    init(_ echoes: DelayedEchoes) { self.echoes = echoes }
  }
}
