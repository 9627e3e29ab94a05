import Testing
import TestSupport
import Triwire

@Suite("Contract: ends", .takesTurns)
struct EndContract {
  struct Refusal: Error {}

  @Test(
    "A close brings its code and reason to the peer, after all that was sent before it",
    arguments: Carrier.all)
  func close(carrier: Carrier) async throws {
    for reason in ["", "enough", "schlüssig, 完 😀"] {
      for closerIsServer in [false, true] {
        try await carrier.withPair { pair in
          let (from, to) = pair.directions[closerIsServer ? 1 : 0]
          let messages = (0..<50).map { Message("last words \($0)") }
          try await from.send(all: messages)
          let code = CloseCode(rawValue: 4001)
          from.close(code, reason)
          #expect(try await to.takeAll() == messages)
          #expect(try await to.end() == SessionEnd(code: code, reason: reason))
          #expect(try await from.end() == SessionEnd(code: code, reason: reason, isLocal: true))
        }
      }
    }
  }

  @Test("A close does not wait for a reader who has stopped reading", arguments: Carrier.all)
  func closeUnread(carrier: Carrier) async throws {
    var terms = Terms()
    terms.server.closeSeconds = 3600
    terms.client.closeSeconds = 3600
    for closerIsServer in [false, true] {
      try await carrier.withPair(terms) { pair in
        let (closer, sender) = pair.directions[closerIsServer ? 1 : 0]
        let isAhead = Mailbox<Void>()
        let flood = Task {
          var count = 0
          while (try? await sender.send(String(repeating: "x", count: 1000))) != nil {
            count += 1
            if count == 65 { isAhead.put(()) }
          }
        }
        try await isAhead.next("more is sent than the reader's inbox holds")
        closer.close(.normal, "no more")
        #expect(try await closer.end().code == .normal)
        #expect(try await sender.end() == SessionEnd(code: .normal, reason: "no more"))
        try await within("the sender notices") { await flood.value }
      }
    }
  }

  @Test("Sending on a session that has ended throws closed, on both sides", arguments: Carrier.all)
  func sendAfterEnd(carrier: Carrier) async throws {
    for closerIsServer in [false, true] {
      try await carrier.withPair { pair in
        let (closer, peer) = pair.directions[closerIsServer ? 1 : 0]
        closer.close(.normal, "done")
        await expectClosed(closer)
        _ = try await peer.end()
        await expectClosed(peer)
        _ = try await closer.end()
        await expectClosed(closer)
        #expect(try await closer.takeAll().isEmpty)
        #expect(try await peer.takeAll().isEmpty)
      }
    }
  }

  private func expectClosed(_ session: Session) async {
    for task in [
      Task { try await session.send("late") },
      Task(executorPreference: session.loop) { try await session.send("late") },
    ] {
      let error = await #expect(throws: SessionError.self) {
        try await within("a late message is refused") { try await task.value }
      }
      guard case .closed = error else {
        Issue.record("\(String(describing: error)) is not closed")
        return
      }
    }
  }

  @Test(
    "A client that dies is noticed, and its reader is told that the session is over",
    arguments: Carrier.all)
  func clientDies(carrier: Carrier) async throws {
    var terms = Terms()
    terms.server.pollGapSeconds = 0.2
    try await carrier.withPair(terms) { pair in
      try await pair.client.send("alive")
      #expect(try await pair.server.take() == Message("alive"))
      pair.client.abort()
      #expect(
        try await pair.client.end() == SessionEnd(code: .abnormal, reason: "aborted", isLocal: true)
      )
      let end = try await pair.server.end()
      #expect(!end.isLocal)
      let left = try? await pair.server.takeAll()
      #expect(left?.isEmpty ?? true)
      await expectClosed(pair.server)
    }
  }

  @Test(
    "A server that dies is noticed, and the client's reader throws lost",
    arguments: Carrier.plain)
  func serverDies(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      try await pair.server.send("alive")
      #expect(try await pair.client.take() == Message("alive"))
      pair.server.abort()
      let error = await #expect(throws: SessionError.self) { _ = try await pair.client.takeAll() }
      guard case .lost(let end) = error else {
        Issue.record("\(String(describing: error)) is not lost")
        return
      }
      #expect(end.code == .abnormal && !end.isLocal)
      await expectClosed(pair.client)
    }
  }

  @Test("A session ends with 1000 when its handler returns", arguments: Carrier.all)
  func handlerReturns(carrier: Carrier) async throws {
    var terms = Terms()
    terms.handler = { session in try await session.send("hello and goodbye") }
    try await carrier.withPair(terms) { pair in
      let messages = try await pair.client.takeAll()
      #expect(messages == [Message("hello and goodbye")])
      #expect(try await pair.client.end() == SessionEnd(code: .normal))
    }
  }

  @Test(
    "A session ends with 1011 when its handler throws (RFC 6455 §7.4.1)", arguments: Carrier.all)
  func handlerThrows(carrier: Carrier) async throws {
    var terms = Terms()
    terms.handler = { session in
      try await session.send("before")
      throw Refusal()
    }
    try await carrier.withPair(terms) { pair in
      let end = try await pair.client.end()
      #expect(end == SessionEnd(code: .internalError, reason: "the handler failed"))
      #expect(try await pair.client.take() == Message("before"))
    }
  }

  @Test(
    "A reader that is cancelled stops waiting, and leaves the messages to the next one",
    arguments: Carrier.all)
  func cancelledReader(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      for onLoop in [false, true] {
        for isEarly in [true, false] {
          let session = pair.server
          let begun = Mailbox<Void>()
          let task = Task(executorPreference: onLoop ? session.loop : nil) {
            if isEarly { try? await Task.sleep(for: .seconds(3600)) }
            begun.put(())
            var iterator = session.messages.makeAsyncIterator()
            return try await iterator.next()
          }
          if isEarly { task.cancel() }
          try await begun.next("the reader begins")
          if !isEarly {
            try await session.loop.run {}
            task.cancel()
          }
          let got = try await within("the reader gives up") { try await task.value }
          #expect(got == nil)
          try await pair.client.send("for the next")
          #expect(try await session.take() == Message("for the next"))
        }
      }
    }
  }

  @Test("A cancelled reader does not take the next reader's place with it", arguments: Carrier.all)
  func cancelledBetweenReaders(carrier: Carrier) async throws {
    try await carrier.withPair { pair in
      for round in 0..<200 {
        let session = pair.server
        let first = Task {
          var iterator = session.messages.makeAsyncIterator()
          return try await iterator.next()
        }
        async let sending = pair.client.send("\(round)")
        first.cancel()
        let got = try await within("the first reader ends") { try await first.value }
        #expect(try await sending == .sent)
        if got == nil { #expect(try await session.take() == Message("\(round)")) }
      }
    }
  }
}
