import Testing
import TestSupport
import Triwire

/// Carries nothing: for tests of what a session does on its own.
private final class Silence: Transport {
  var kind: TransportKind { .webSocket }
  var queuedBytes: Int { 0 }
  var traffic: Traffic { Traffic() }
  func send(_ kind: MessageKind, _ payload: Span<UInt8>, _ compression: MessageCompression) {}
  func send(_ broadcast: Broadcast) {}
  func close(_ code: CloseCode, _ reason: String) {}
  func abort() {}
  func resumeDelivery() {}
}

@Suite("Contract: back-pressure", .takesTurns)
struct PressureContract {
  @Test(
    "A slow reader slows the sender down, bounds what waits, and loses nothing",
    arguments: Carrier.all)
  func slowReader(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      for (from, to) in pair.directions {
        let count = 1024
        let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: 32 << 10)
        let sent = Shared(0)
        let sender = Task(executorPreference: from.loop) {
          for _ in 0..<count {
            try await from.send(Message(String(decoding: bytes, as: UTF8.self)))
            sent.change { $0 += 1 }
          }
        }
        // More than the kernel keeps for the two ends of a connection, less than all.
        let bound = 20 << 20
        for received in 0..<count {
          #expect(try await to.take()?.bytes.count == bytes.count)
          let ahead = (sent.value - received) * bytes.count
          #expect(ahead <= bound, "the sender is \(ahead) bytes ahead")
        }
        try await within("the sender ends") { try await sender.value }
      }
    }
  }

  @Test(
    "Many tasks that send more than may wait are all held back, and none is cut off",
    arguments: Carrier.all)
  func manyLargeSenders(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      for (from, to) in pair.directions {
        async let sending: Void = withThrowingTaskGroup { tasks in
          for sender in 0..<64 {
            tasks.addTask {
              let bytes = [UInt8](repeating: UInt8(sender), count: 100_000)
              try await from.send(
                all: Array(repeating: Message(binary: bytes), count: 4), onLoop: sender % 2 == 0)
            }
          }
          try await tasks.waitForAll()
        }
        let taken = try await to.take(256)
        try await sending
        var counts: [UInt8: Int] = [:]
        for message in taken { counts[message.bytes[0], default: 0] += 1 }
        #expect(counts == Dictionary(uniqueKeysWithValues: (0..<64).map { (UInt8($0), 4) }))
      }
    }
  }

  @Test(
    "An echo gives a flood back whole, while its peer is as far ahead as it may be",
    arguments: Carrier.all, Echo.allCases)
  func floodedEcho(carrier: Carrier, echo: Echo) async throws {
    // Many small ones, and more in bytes than any window of a session.
    let floods = [
      (0..<9000).map { Message("\($0)") },
      (0..<60).map { Message(binary: [UInt8](repeating: UInt8($0), count: 100_000)) },
    ]
    for flood in floods {
      var terms = Terms()
      terms.handler = echo.handler
      try await carrier.withPair(terms) { pair in
        async let sending: Void = pair.client.send(all: flood)
        #expect(try await pair.client.take(flood.count) == flood)
        try await sending
        #expect(try await pair.server.loop.run { pair.server.isOpen })
      }
    }
  }

  /// A handler that sends each message back.
  enum Echo: CaseIterable {
    case async
    case forEach

    var handler: @Sendable (Session) async throws -> Void {
      switch self {
      case .async:
        { session in for try await message in session.messages { try await session.send(message) } }
      case .forEach: { session in try await session.forEach { session.sendNow($0, $1) } }
      }
    }
  }

  @Test("A sender that does not heed the queue is cut off with 1013", arguments: Carrier.all)
  func heedlessSender(carrier: Carrier) async throws {
    var terms = Terms()
    terms.server.queuedBytesHard = 1 << 20
    terms.server.closeSeconds = 0.2
    try await carrier.withPair(terms) { pair in
      let session = pair.server
      let results = try await session.loop.run {
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        return (0..<64).map { _ in session.sendNow(.binary, bytes.span) }
      }
      #expect(results.first == .sent || results.first == .queued)
      #expect(results.last == .closed)
      #expect(results.contains(.queued))
      let end = try await session.end()
      #expect(end.code == .tryAgainLater)
      #expect(end.reason.contains(/raise (limits.queued|resume.window)BytesHard/), "\(end)")
    }
  }

  @Test("A session whose reader is busy outlives its heartbeat", arguments: Carrier.all)
  func busyReader(carrier: Carrier) async throws {
    var terms = Terms()
    for path in [\Terms.server, \Terms.client] {
      terms[keyPath: path].heartbeatSeconds = 0.25 * slowness
      terms[keyPath: path].heartbeatGraceSeconds = slowness
    }
    try await carrier.withPair(terms) { pair in
      let session = pair.server
      let messages = (0..<400).map { Message("\($0) " + String(repeating: "x", count: 1000)) }
      let sender = Task { try await pair.client.send(all: messages) }
      // Longer than a heartbeat and its grace nobody reads, and the inbox is full.
      let late = EventLoop.clock() + UInt64(2_500_000_000 * slowness)
      try await session.loop.wait("the heartbeats") { EventLoop.clock() >= late }
      #expect(try await session.take(400) == messages)
      try await within("the sender ends") { try await sender.value }
      #expect(try await session.loop.run { session.isOpen })
    }
  }

  @Test(
    "An idle session outlives its heartbeats, also when the grace is the longer of the two",
    arguments: Carrier.all)
  func idle(carrier: Carrier) async throws {
    var terms = Terms()
    for path in [\Terms.server, \Terms.client] {
      terms[keyPath: path].heartbeatSeconds = 0.05 * slowness
      terms[keyPath: path].heartbeatGraceSeconds = 0.75 * slowness
    }
    try await carrier.withPair(terms) { pair in
      let late = EventLoop.clock() + UInt64(2_000_000_000 * slowness)
      try await pair.server.loop.wait("the heartbeats") { EventLoop.clock() >= late }
      for (from, to) in pair.directions {
        try await from.send("still here")
        #expect(try await to.take() == Message("still here"))
      }
    }
  }

  @Test("A session that is always a little behind does not keep what it has read")
  func inboxIsBounded() async throws {
    try await withLoops { group in
      let loop = group.loops[0]
      try await within("all is read") {
        try await Task(executorPreference: loop) {
          let session = Session(
            carrier: Silence(), request: RequestHead(target: "/"), loop: loop,
            limits: SessionLimits())
          let payload = [UInt8](repeating: 1, count: 16 << 10)
          var iterator = session.messages.makeAsyncIterator()
          for _ in 0..<2 { _ = session.deliver(.binary, payload.span) }
          let before = residentBytes()
          for _ in 0..<60_000 {
            _ = session.deliver(.binary, payload.span)
            _ = try await iterator.next()
          }
          // A gigabyte has passed through.
          #expect(residentBytes() - before < 600 << 20)
        }.value
      }
    }
  }
}
