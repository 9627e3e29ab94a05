import Testing
import TestSupport
import Triwire

@Suite("Server: long polling for any client (RFC 6202 §2)", .takesTurns)
struct LongPollTests {
  /// A session of a plain client: its first cursor, and ways to poll and post.
  struct Client: Sendable {
    let rig: Rig
    let path: String
    var cursor = ""

    var name: String { String(cursor.prefix { $0 != "." }) }

    init(_ rig: Rig, _ path: String = "/echo") async throws {
      self.rig = rig
      self.path = path
      let answer = try await rig.rawPeer().exchange(request("GET \(path)?wait=0"))
      #expect(answer.status == 204)
      cursor = try #require(answer["triwire-cursor"])
    }

    func pollRequest(_ fields: String = "accept: */*") -> String {
      request("GET \(path)?cursor=\(cursor)", fields)
    }

    func poll(_ fields: String = "accept: */*") async throws -> RawAnswer {
      try await rig.rawPeer().exchange(pollRequest(fields))
    }

    func post(_ body: String, _ type: String = "text/plain") async throws -> RawAnswer {
      try await rig.rawPeer().exchange(
        request("POST \(path)?session=\(name)", "content-type: \(type)", body: body))
    }
  }

  func run(
    _ limits: SessionLimits = .patient,
    _ body: @escaping @Sendable (Rig) async throws -> Void
  ) async throws {
    try await Rig.run(session: limits, TrafficTests.addEcho, body)
  }

  @Test("A plain client opens with GET, sends with POST, and gets JSON")
  func plainClient() async throws {
    try await run { rig in
      var client = try await Client(rig)
      #expect(try await client.post("grüße").status == 204)
      let answer = try await client.poll()
      #expect(answer.status == 200)
      #expect(answer["content-type"] == "application/json")
      #expect(answer["cache-control"] == "no-store")
      #expect(answer.text == "[\"grüße\"]")
      client.cursor = try #require(answer["triwire-cursor"])
      #expect(try await client.post("\u{1}\u{2}", "application/octet-stream").status == 204)
      #expect(try await client.poll().text == "[{\"base64\":\"AQI=\"}]")
    }
  }

  @Test("All that waits comes in one answer, in order, and what comes later in the next")
  func batches() async throws {
    try await run { rig in
      var client = try await Client(rig)
      for number in 0..<5 { #expect(try await client.post("\(number)").status == 204) }
      var texts = ""
      while texts.filter({ $0 == "\"" }).count < 10 {
        let answer = try await client.poll()
        texts += answer.text
        client.cursor = try #require(answer["triwire-cursor"])
      }
      #expect(texts.filter(\.isNumber) == "01234")
    }
  }

  @Test(
    "An answer that was lost comes again for the same cursor, until a later one acknowledges it")
  func redelivery() async throws {
    try await run { rig in
      var client = try await Client(rig)
      let first = client.cursor
      #expect(try await client.post("kept").status == 204)
      var last = try await client.poll()
      for _ in 0..<3 {
        let again = try await client.poll()
        #expect(again.text == last.text && again["triwire-cursor"] == last["triwire-cursor"])
        last = again
      }
      client.cursor = try #require(last["triwire-cursor"])
      let poster = client
      async let next = poster.poll()
      #expect(try await poster.post("next").status == 204)
      #expect(try await next.text == "[\"next\"]")
      client.cursor = first
      let behind = try await client.poll()
      #expect(behind.status == 409 && behind.text.contains("behind 1"))
    }
  }

  @Test("A poll whose connection is lost while it is held loses nothing")
  func lostPoll() async throws {
    try await run { rig in
      let client = try await Client(rig)
      for _ in 0..<3 {
        let lost = try rig.rawPeer()
        try await lost.send(client.pollRequest())
        lost.reset()
      }
      #expect(try await client.post("still there").status == 204)
      #expect(try await client.poll().text == "[\"still there\"]")
    }
  }

  @Test("Of two polls at once the older one is answered with 204, the newer one gets the message")
  func overlapping() async throws {
    try await run { rig in
      let client = try await Client(rig)
      let (older, newer) = (try rig.rawPeer(), try rig.rawPeer())
      try await older.send(client.pollRequest())
      // Only one of the two waits in the end; the one that came first is let go.
      try await newer.send(client.pollRequest())
      let first = Mailbox<(Bool, RawAnswer)>()
      for (isOlder, peer) in [(true, older), (false, newer)] {
        Task { first.put((isOlder, try await peer.answer())) }
      }
      let (_, empty) = try await first.next("one poll is let go")
      #expect(empty.status == 204 && empty["triwire-cursor"] == client.cursor)
      #expect(try await client.post("for one").status == 204)
      let (_, full) = try await first.next("the other poll is answered")
      #expect(full.text == "[\"for one\"]")
    }
  }

  @Test("A cursor from nowhere is refused with a status and a text that say what to do")
  func strangeCursors() async throws {
    try await run { rig in
      let client = try await Client(rig)
      let name = client.name
      let cases: [(cursor: String, status: Int, words: String)] = [
        ("nonsense", 400, "SESSION.NUMBER"), ("", 400, "SESSION.NUMBER"),
        ("\(name).-1", 400, "SESSION.NUMBER"), ("\(name).1.2", 400, "SESSION.NUMBER"),
        ("\(name).99999999999999999999", 400, "SESSION.NUMBER"),
        ("short.1", 400, "SESSION.NUMBER"), ("AAAAAAAAAAAAAAAA.0", 404, "poll without a cursor"),
        ("\(name).7", 409, "ahead of 0"), ("\(name).18446744073709551615", 409, "ahead of 0"),
      ]
      for (cursor, status, words) in cases {
        let answer = try await rig.rawPeer().exchange(request("GET /echo?cursor=\(cursor)"))
        #expect(answer.status == status, "\(cursor)")
        #expect(answer.text.contains(words), "\(cursor): \(answer.text)")
      }
      #expect(try await client.post("unharmed").status == 204)
      #expect(try await client.poll().text == "[\"unharmed\"]")
    }
  }

  @Test("A poll is held no longer than the limit, or than the client wants")
  func holdTime() async throws {
    var limits = SessionLimits.patient
    limits.pollHoldSeconds = 0.1
    try await run(limits) { rig in
      let client = try await Client(rig)
      for query in ["", "&wait=0", "&wait=0.05", "&wait=3600", "&wait=-1"] {
        let poll = request("GET /echo?cursor=\(client.cursor)\(query)")
        let answer = try await within("a poll ends by itself") {
          try await rig.rawPeer().exchange(poll)
        }
        #expect(answer.status == 204 && answer["triwire-cursor"] == client.cursor)
      }
    }
  }

  @Test("Bad posts are refused with the reason, and the session lives on")
  func badPosts() async throws {
    var limits = SessionLimits.patient
    limits.messageBytes = 100
    try await run(limits) { rig in
      let client = try await Client(rig)
      let long = String(repeating: "x", count: 101)
      let cases: [(type: String, body: String, status: Int, words: String)] = [
        ("text/plain", long, 413, "limits.messageBytes"),
        ("application/vnd.triwire.batch", "\u{14}ab", 400, "middle of a record"),
        ("application/vnd.triwire.batch", "\u{2}", 400, "reserved kind"),
      ]
      for (type, body, status, words) in cases {
        let answer = try await client.post(body, type)
        #expect(answer.status == status && answer.text.contains(words), "\(answer.text)")
      }
      let peer = try rig.rawPeer()
      try await peer.send(
        Array(request("POST /echo?session=\(client.name)", "content-length: 1").utf8) + [0xFF])
      #expect(try await peer.answer().status == 400)
      let unknown = request("POST /echo?session=AAAAAAAAAAAAAAAA", body: "x")
      #expect(try await rig.rawPeer().exchange(unknown).status == 404)
      #expect(try await rig.rawPeer().exchange(request("POST /echo", body: "x")).status == 400)
      #expect(try await client.post("fine").status == 204)
      #expect(try await client.poll().text == "[\"fine\"]")
    }
  }

  @Test("DELETE ends the session: the poll is let go, and its name is unknown from then on")
  func delete() async throws {
    try await run { rig in
      let client = try await Client(rig)
      let poller = try rig.rawPeer()
      try await poller.send(client.pollRequest())
      let answer = try await rig.rawPeer().exchange(
        request("DELETE /echo?session=\(client.name)&code=4000&reason=enough"))
      #expect(answer.status == 204)
      let last = try await poller.answer()
      // Held when the session ended, on its way between two loops, or after it.
      #expect([204, 404, 410].contains(last.status), "\(last.status)")
      #expect(try await client.post("late").status == 404)
      #expect(try await client.poll().status == 404)
    }
  }

  @Test("A client that stays away is forgotten, one that polls on is not")
  func silence() async throws {
    var limits = SessionLimits.patient
    limits.pollGapSeconds = 0.1
    limits.pollHoldSeconds = 0.05
    try await run(limits) { rig in
      _ = try await Client(rig)
      try await within("the session is forgotten") {
        while await rig.server.sessionCount() > 0 { await Task.yield() }
      }
    }
  }
}
