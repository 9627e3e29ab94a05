import TestSupport
import Testing
import Triwire

@Suite("Contract: slow consumers", .takesTurns)
struct SlowConsumerContract {
  private static let dropping: [SlowConsumerPolicy] = [.dropOldest, .dropNewest, .latestPerKey]
  private static let keys = 7
  private static let room = 10

  /// A message that says which one it is.
  private static func message(_ number: Int, bytes: Int) -> Message {
    Message("\(number) " + String(repeating: "x", count: bytes))
  }

  private static func numbers(_ messages: [Message]) -> [Int] {
    messages.compactMap { $0.text.split(separator: " ").first.flatMap { Int($0) } }
  }

  private static func terms(_ policy: SlowConsumerPolicy) -> Terms {
    var terms = Terms()
    for path in [\Terms.server, \Terms.client] {
      terms[keyPath: path].slowConsumer = policy
      terms[keyPath: path].slowConsumerMessages = room
    }
    return terms
  }

  /// Of messages that found the peer behind and could not move on, those that are left.
  private static func left(_ numbers: [Int], _ policy: SlowConsumerPolicy) -> [Int] {
    switch policy {
    case .dropOldest: numbers.suffix(room)
    case .dropNewest: Array(numbers.prefix(room))
    case .latestPerKey: numbers.suffix(keys)
    case .suspend, .close: numbers
    }
  }

  private static func dropped(
    _ counters: SlowConsumerCounters, _ policy: SlowConsumerPolicy
  ) -> UInt64 {
    switch policy {
    case .dropOldest: counters.droppedOldest
    case .dropNewest: counters.droppedNewest
    case .latestPerKey: counters.replaced
    case .suspend, .close: 0
    }
  }

  @Test(
    "What finds the peer behind waits in a bounded queue, the policy's choice of it arrives in order",
    arguments: Carrier.all)
  func choice(carrier: Carrier) async throws {
    for policy in Self.dropping {
      try await carrier.withPair(Self.terms(policy)) { pair in
        for (from, to) in pair.directions {
          // Nothing leaves within the block, so that the peer is behind from some message on.
          let results = try await from.loop.run {
            (0..<60).map { number in
              let message = Self.message(number, bytes: 8 << 10)
              return from.sendNow(.text, message.bytes.span, key: "\(number % Self.keys)")
            }
          }
          let last = try #require(results.firstIndex(of: .queued))
          let waiting = Array(last + 1..<60)
          let left = Self.left(waiting, policy)
          #expect(results[..<last].allSatisfy { $0 == .sent })
          let refused = policy == .dropNewest ? waiting.dropFirst(Self.room) : []
          #expect(results.indices.filter { results[$0] == .dropped } == Array(refused))
          async let arriving = to.take(last + 1 + left.count + 1)
          try await within("the queue moves on") { await from.drained() }
          try await from.send("end")
          let taken = try await arriving
          #expect(taken.last == Message("end"))
          #expect(Self.numbers(taken) == Array(0...last) + left)
          let counters = try await from.loop.run { from.slowConsumerCounters }
          #expect(counters.dropped == UInt64(waiting.count - left.count))
          #expect(Self.dropped(counters, policy) == counters.dropped)
          #expect(counters.closed == 0)
        }
      }
    }
  }

  @Test(
    "A peer that stops reading makes nobody wait, ends nothing, and gets the newest when it reads",
    arguments: Carrier.all)
  func stuck(carrier: Carrier) async throws {
    try await carrier.withPair(Self.terms(.dropOldest)) { pair in
      let (session, reader) = (pair.server, pair.client)
      var count = 0
      var counters = SlowConsumerCounters()
      while counters.dropped < 20, count < 4000 {
        let message = Self.message(count, bytes: 64 << 10)
        let result = try await within("a send does not wait") { try await session.send(message) }
        #expect(result == .sent || result == .queued)
        counters = try await session.loop.run { session.slowConsumerCounters }
        count += 1
      }
      #expect(counters.droppedOldest >= 20 && counters.droppedOldest == counters.dropped)
      #expect(counters.suspended == 0 && counters.closed == 0)
      // The other direction is not disturbed.
      try await reader.send("up")
      #expect(try await session.take() == Message("up"))
      session.close()
      let got = Self.numbers(try await reader.takeAll())
      #expect(got == got.sorted())
      #expect(got.count + Int(counters.dropped) == count)
      #expect(got.suffix(Self.room) == [Int](count - Self.room..<count)[...])
    }
  }

  @Test(
    "A sender that suspends for its peer loses nothing, and the waits are counted",
    arguments: Carrier.all)
  func suspends(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      for (from, to) in pair.directions {
        let messages = (0..<60).map { Self.message($0, bytes: 8 << 10) }
        async let taken = to.take(60)
        try await from.send(all: messages, onLoop: true)
        #expect(try await taken == messages)
        let counters = try await from.loop.run { from.slowConsumerCounters }
        #expect(counters.suspended > 0)
        #expect(counters.dropped == 0 && counters.closed == 0)
      }
    }
  }

  @Test(
    "A session that shall be closed for its slow peer is, and its sender never waits",
    arguments: Carrier.all)
  func closes(carrier: Carrier) async throws {
    var terms = Self.terms(.close)
    terms.server.closeSeconds = 0.2
    try await carrier.withPair(terms) { pair in
      let session = pair.server
      let sending = Task {
        for number in 0..<4000 {
          let result = try await session.send(Self.message(number, bytes: 64 << 10))
          #expect(result == .sent)
        }
      }
      let error = await #expect(throws: SessionError.self) {
        try await within("the session closes") { try await sending.value }
      }
      guard case .closed = error else {
        Issue.record("\(String(describing: error)) is not closed")
        return
      }
      let end = try await session.end()
      #expect(end.code == .tryAgainLater && end.isLocal)
      #expect(end.reason.contains("limits.slowConsumer"))
      let counters = try await session.loop.run { session.slowConsumerCounters }
      #expect(counters.closed == 1)
      #expect(counters.suspended == 0 && counters.dropped == 0)
    }
  }
}

extension Session {
  /// Sends a message without suspending; on the loop.
  @discardableResult
  func sendNow(_ message: Message, key: String? = nil) -> SendResult {
    sendNow(message.kind, message.bytes.span, key: key)
  }
}
