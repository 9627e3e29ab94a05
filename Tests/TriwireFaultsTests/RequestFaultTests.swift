import Glibc
import TestSupport
import Testing
import TriwireFaults
import TriwireIO

@Suite("Relay: faults of requests and answers", .takesTurns)
struct RequestFaultTests {
  @Test("A refused upgrade is answered with its status, and the server never hears of it")
  func refuseUpgrade() async throws {
    try await RelayRig.run("refuse-upgrade", "refuse-upgrade 503") { rig in
      let client = try rig.peer()
      try await client.send(upgrade)
      let answer = try await client.rest()
      #expect(answer.hasPrefix("HTTP/1.1 403 Forbidden\r\n"), "\(answer)")
      #expect(answer.contains("connection: close\r\n"))
      #expect(answer.hasSuffix("\r\n\r\nrefused on the way\n"))
      #expect(try await rig.nextFault() == "refuse-upgrade")
      // Others pass, and the refused one left no connection behind.
      _ = try await rig.pair(sending: events)
      #expect(rig.server.streams.waiting.isEmpty)
    }
  }

  @Test("A refusal waits for the answers to the requests before it")
  func refusalInTurn() async throws {
    try await RelayRig.run("refuse-upgrade") { rig in
      let client = try rig.peer()
      try await client.send(poll + upgrade)
      let received = Recorder()
      let stream = try await rig.server.accept(received)
      #expect(try await received.text(poll.utf8.count) == poll)
      try await stream.send(ok("first"))
      let answers = try await client.rest()
      #expect(answers.hasPrefix(ok("first") + "HTTP/1.1 403 "), "\(answers)")
      #expect(received.bytes.count == poll.utf8.count)
    }
  }

  @Test("A stripped upgrade reaches the server as a plain GET with its other fields")
  func stripUpgrade() async throws {
    try await RelayRig.run("strip-upgrade") { rig in
      let client = try rig.peer()
      try await client.send(upgrade)
      let received = Recorder()
      let stream = try await rig.server.accept(received)
      let plain =
        "GET /chat HTTP/1.1\r\nHost: test\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        + "Sec-WebSocket-Version: 13\r\n\r\n"
      #expect(try await received.text(plain.utf8.count) == plain)
      try await stream.send(ok("no"))
      #expect(try await client.text(ok("no").utf8.count) == ok("no"))
      // The connection goes on.
      try await client.send(poll)
      #expect(try await received.text((plain + poll).utf8.count) == plain + poll)
    }
  }

  @Test("A fake upgrade is a right 101 that no server knows of, and mute")
  func fakeUpgrade() async throws {
    try await RelayRig.run("fake-upgrade") { rig in
      let client = try rig.peer()
      try await client.send(
        upgrade.replacing("\r\n\r\n", with: "\r\nSec-WebSocket-Protocol: b, a\r\n\r\n"))
      let head = try await client.receive(until: "\r\n\r\n")
      #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
      #expect(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
      #expect(head.contains("Sec-WebSocket-Protocol: b\r\n"))
      try await client.send("into the void")
      try await rig.wait("the bytes are lost") { $0.lostUp == 13 }
      #expect(rig.server.streams.waiting.isEmpty)
      #expect(await rig.relay.counters().open == 1)
      rig.relay.restore()
      try await client.expectReset()
    }
  }

  @Test("POSTs go into a black hole while polls pass")
  func blackHole() async throws {
    try await RelayRig.run("black-hole on post") { rig in
      let posting = try rig.peer()
      try await posting.send(post("hello") + post("again"))
      try await rig.wait("the bytes are lost") {
        $0.lostUp == UInt64((post("hello") + post("again")).utf8.count)
      }
      let (polling, stream, _) = try await rig.pair(sending: poll)
      try await stream.send(ok("polled"))
      #expect(try await polling.text(ok("polled").utf8.count) == ok("polled"))
      #expect(rig.server.streams.waiting.isEmpty)
      // On a connection that polled before, the answers until then still come.
      try await polling.send(poll + post("lost"))
      try await stream.send(ok("last"))
      #expect(try await polling.text(ok("last").utf8.count) == ok("last"))
      try await rig.wait("the POST is lost") { $0.faults == ["black-hole": 2] }
      rig.relay.set([])
      try await polling.expectReset()
      try await posting.expectReset()
    }
  }

  @Test("A client that leaves a black hole takes its connection along")
  func leavingBlackHole() async throws {
    try await RelayRig.run("black-hole") { rig in
      let client = try rig.peer()
      try await client.send(poll)
      try await rig.wait("it is lost") { $0.lostUp > 0 }
      client.close()
      try await rig.wait("it is gone") { $0.open == 0 }
    }
  }

  @Test("An old proxy asks in HTTP/1.0 and without an upgrade")
  func downgrade() async throws {
    try await RelayRig.run("http10") { rig in
      let client = try rig.peer()
      try await client.send(upgrade)
      let received = Recorder()
      let stream = try await rig.server.accept(received)
      let old = "GET /chat HTTP/1.0\r\nHost: test\r\nSec-WebSocket-Key: "
      let head = try await received.text(old.utf8.count)
      #expect(head.hasPrefix(old), "\(head)")
      try await stream.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end")
      try await stream.finish()
      #expect(try await client.rest().hasSuffix("\r\n\r\nuntil the end"))
      let posting = try rig.peer()
      try await posting.send(post("hello"))
      let posted = Recorder()
      _ = try await rig.server.accept(posted)
      let text = "POST /up HTTP/1.0\r\nHost: test\r\ncontent-length: 5\r\n\r\nhello"
      #expect(try await posted.text(text.utf8.count) == text)
    }
  }

  @Test("An event stream waits in a buffer until so many bytes are there, and again")
  func buffer() async throws {
    try await RelayRig.run("buffer 10 B on sse") { rig in
      let (client, stream, _) = try await rig.pair(sending: events)
      try await stream.send(eventsHead + "12345")
      #expect(try await client.text(eventsHead.utf8.count) == eventsHead)
      try await rig.wait("5 bytes wait") { $0.waiting == 5 }
      #expect(await rig.relay.counters().bytesDown == UInt64(eventsHead.utf8.count))
      try await stream.send("6789012")
      #expect(try await client.text(12) == "123456789012")
      try await stream.send("abc")
      try await rig.wait("3 bytes wait") { $0.waiting == 3 }
      try await stream.finish()
      #expect(try await client.rest() == "abc")
      #expect(await rig.relay.counters().faults == ["buffer": 1])
    }
  }

  @Test("A buffer without a size holds all of an answer, with its head, until it ends or is lifted")
  func bufferForEver() async throws {
    try await RelayRig.run("buffer with-head on poll") { rig in
      let (client, stream, _) = try await rig.pair(sending: poll)
      let answer = ok("twelve bytes")
      try await stream.send(String(answer.dropLast()))
      try await rig.wait("all wait") { $0.waiting == answer.utf8.count - 1 }
      #expect(await rig.relay.counters().bytesDown == 0)
      try await stream.send(String(answer.suffix(1)))
      #expect(try await client.text(answer.utf8.count) == answer)
      try await client.send(poll)
      try await stream.send(String(answer.dropLast()))
      try await rig.wait("all wait again") { $0.waiting == answer.utf8.count - 1 }
      rig.relay.set([])
      #expect(try await client.text(answer.utf8.count - 1) == answer.dropLast())
    }
  }

  @Test("A buffer that is full lets the server wait")
  func fullBuffer() async throws {
    try await RelayRig.run("buffer on sse") { rig in
      let (client, stream, _) = try await rig.pair(sending: events)
      let bytes = Array(manyBytes.prefix(8 << 20))
      try await stream.send(Array(eventsHead.utf8) + bytes)
      try await rig.wait("it is full") { $0.waiting > 1 << 20 }
      for _ in 0..<100 { #expect(await rig.relay.counters().waiting <= 3 << 20) }
      rig.relay.restore()
      let all = try await client.receive(eventsHead.utf8.count + bytes.count)
      #expect(Array(all[eventsHead.utf8.count...]) == bytes)
    }
  }

  @Test(
    "A poll's answer dies after its head, or after so many bytes of its body, chunked or not",
    arguments: [0, 1, 4, 7])
  func dyingAnswer(count: Int) async throws {
    try await RelayRig.run("cut on poll after answer \(count) B") { rig in
      let head = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"
      let (client, stream, received) = try await rig.pair(sending: poll)
      try await stream.send(head + "12345678")
      #expect(try await client.rest() == head + "12345678".prefix(count))
      #expect(try await received.end() == .ended)

      let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      let (other, otherStream, _) = try await rig.pair(sending: poll)
      try await otherStream.send(chunked + "3\r\nabc\r\n5\r\ndefgh\r\n0\r\n\r\n")
      let bodies = [0: "", 1: "3\r\na", 4: "3\r\nabc\r\n5\r\nd", 7: "3\r\nabc\r\n5\r\ndefg"]
      #expect(try await other.rest() == chunked + (bodies[count] ?? "?"))
      // A POST on the way is another matter.
      let (posting, postStream, _) = try await rig.pair(sending: post("x"))
      try await postStream.send(head + "12345678")
      #expect(try await posting.text(head.utf8.count + 8) == head + "12345678")
    }
  }
}
