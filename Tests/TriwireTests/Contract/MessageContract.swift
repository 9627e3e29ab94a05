import Testing
import TestSupport
import Triwire

@Suite("Contract: messages", .takesTurns)
struct MessageContract {
  /// Text that a careless carrier changes.
  static let delicate = [
    "", " ", "\r", "\n", "\r\n", "\n\r", "a\rb\nc\r\nd", "\n\n", "\r\r\n\n", "\0", "a\0b",
    "\u{FEFF}bom", "\u{FEFF}", "data: x", ": comment", "id: 7\n\nevent: close", "[\"json\"]",
    "{\"base64\":\"AA==\"}", "\u{2028}\u{2029}\u{85}", "😀🇩🇪", "\u{10FFFF}\u{1F468}\u{200D}\u{1F469}",
    "trailing\r", "trailing\n", " leading", "\t", "\u{1}\u{8}\u{C}\u{1F}\u{7F}\"\\/",
    "5\r\nhello\r\n",
  ]

  @Test(
    "Messages arrive in order in both directions at once, text as text, binary as binary",
    arguments: Carrier.allWithCompressed)
  func order(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      let messages = (0..<300).map { number in
        number % 3 == 0
          ? Message(binary: [UInt8](repeating: UInt8(number & 255), count: number))
          : Message("message \(number)")
      }
      async let up: Void = pair.client.send(all: messages)
      async let down: Void = pair.server.send(all: messages)
      #expect(try await pair.server.take(300) == messages)
      #expect(try await pair.client.take(300) == messages)
      _ = try await (up, down)
    }
  }

  @Test(
    "Messages of no byte, of one, and of 1 MiB pass in both directions",
    arguments: Carrier.allWithCompressed)
  func sizes(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      let large = 1 << 20
      let messages = [
        Message(""), Message(binary: []), Message("a"), Message(binary: [0]),
        Message(String(repeating: "x", count: large)),
        Message(binary: (0..<large).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8) }),
        Message(binary: []), Message(String(repeating: "é\r\n", count: large / 4)), Message(""),
      ]
      for (from, to) in pair.directions {
        async let sending: Void = from.send(all: messages)
        let taken = try await to.take(messages.count)
        #expect(taken.map(\.kind) == messages.map(\.kind))
        #expect(taken.map(\.bytes.count) == messages.map(\.bytes.count))
        #expect(taken == messages)
        try await sending
      }
    }
  }

  @Test(
    "Text arrives exactly as it was sent: line ends, NUL, BOM, and beyond the BMP",
    arguments: Carrier.allWithCompressed)
  func exactText(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      let messages = Self.delicate.map { Message($0) }
      for (from, to) in pair.directions {
        async let sending: Void = from.send(all: messages)
        for (got, sent) in zip(try await to.take(messages.count), messages) {
          #expect(got == sent, "\(sent.text.debugDescription)")
        }
        try await sending
        // Also one at a time, so that no batch is made of them.
        for message in messages {
          try await from.send(message)
          #expect(try await to.take() == message, "\(message.text.debugDescription)")
        }
      }
    }
  }

  @Test(
    "What is sent from where it was received, whole and in part, stays as it was",
    arguments: Carrier.all)
  func sentFromWhereItCame(carrier: Carrier) async throws {
    var terms = Terms()
    terms.handler = { session in
      try await session.forEach { kind, bytes in
        session.sendNow(kind, bytes)
        session.sendNow(kind, bytes.extracting(3...))
        return session.sendNow(kind, bytes)
      }
    }
    try await carrier.withPair(terms) { pair in
      // Above what is sent by a call of its own, and several in what comes at once.
      for size in [16_387, 16_387, 40_000] {
        let messages = (0..<3).map { number in
          Message(binary: (0..<size).map { UInt8(truncatingIfNeeded: ($0 ^ $0 >> 8) &+ number) })
        }
        async let sending: Void = pair.client.send(all: messages)
        let expected = messages.flatMap { message in
          [message, Message(binary: Array(message.bytes.dropFirst(3))), message]
        }
        #expect(try await pair.client.take(9) == expected)
        try await sending
      }
    }
  }

  @Test("Every byte passes in a binary message", arguments: Carrier.allWithCompressed)
  func everyByte(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      let messages = (0...4).map { length in
        Message(binary: (0..<256 * length + length).map { UInt8(truncatingIfNeeded: $0) })
      }
      for (from, to) in pair.directions {
        try await from.send(all: messages)
        #expect(try await to.take(messages.count) == messages)
      }
    }
  }

  @Test(
    "10,000 small messages each way arrive, once and in order", arguments: Carrier.allWithCompressed
  )
  func many(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      let messages = (0..<10_000).map { Message("message \($0)") }
      async let up: Void = pair.client.send(all: messages, onLoop: true)
      async let down: Void = pair.server.send(all: messages, onLoop: true)
      async let above = pair.server.take(10_000)
      async let below = pair.client.take(10_000)
      #expect(try await above == messages)
      #expect(try await below == messages)
      _ = try await (up, down)
    }
  }

  @Test(
    "A message over the receiver's limit is not delivered, and ends the session",
    arguments: Carrier.allWithCompressed)
  func overTheLimit(carrier: Carrier) async throws {
    var terms = Terms()
    terms.server.messageBytes = 1000
    terms.client.messageBytes = 1000
    try await carrier.withPair(terms) { pair in
      try await pair.client.send(Message(binary: [UInt8](repeating: 7, count: 1000)))
      #expect(try await pair.server.take()?.bytes.count == 1000)
      try await pair.client.send(Message(binary: [UInt8](repeating: 7, count: 1001)))
      #expect(try await !pair.client.end().isClean)
    }
    try await carrier.withPair(terms) { pair in
      try await pair.server.send(Message("ok"))
      try await pair.server.send(Message(binary: [UInt8](repeating: 7, count: 1001)))
      #expect(try await pair.client.take() == Message("ok"))
      let end = try await pair.client.end()
      #expect(!end.isClean && end.reason.contains("raise limits.messageBytes"), "\(end)")
    }
  }

  @Test(
    "The synchronous tiers deliver what the async one does", arguments: Carrier.allWithCompressed)
  func synchronousTiers(carrier: Carrier) async throws {
    let messages =
      (0..<200).map { Message("number \($0)") } + Self.delicate.map { Message($0) }
      + [Message(binary: [1, 2, 3]), Message(binary: [])]
    let echoes: [@Sendable (Session) async throws -> Void] = [
      { session in for try await message in session.messages { try await session.send(message) } },
      { session in try await session.forEach { session.sendNow($0, $1) } },
      { session in
        session.loop.execute { session.receive { session.sendNow($0, $1) } }
        _ = await session.ended()
      },
    ]
    for echo in echoes {
      var terms = Terms()
      terms.handler = echo
      try await carrier.withPair(terms) { pair in
        async let sending: Void = pair.client.send(all: messages)
        #expect(try await pair.client.take(messages.count) == messages)
        try await sending
        pair.client.close()
        #expect(try await pair.server.end().isClean)
      }
    }
  }

  @Test(
    "Messages from many tasks arrive all, those of one task in its order",
    arguments: Carrier.allWithCompressed)
  func manySenders(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      for (from, to) in pair.directions {
        async let sending: Void = withThrowingTaskGroup { tasks in
          for sender in 0..<40 {
            tasks.addTask {
              try await from.send(
                all: (0..<25).map { Message("\(sender) \($0)") }, onLoop: sender % 2 == 0)
            }
          }
          try await tasks.waitForAll()
        }
        let taken = try await to.take(1000).map(\.text)
        try await sending
        for sender in 0..<40 {
          #expect(taken.filter { $0.hasPrefix("\(sender) ") } == (0..<25).map { "\(sender) \($0)" })
        }
      }
    }
  }
}
