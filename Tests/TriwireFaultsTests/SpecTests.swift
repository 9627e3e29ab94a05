import Foundation
import Testing
import TriwireFaults

@Suite("Specs of faults")
struct SpecTests {
  @Test(
    "A spec is read, and written as it stands",
    arguments: [
      ("refuse", FaultRule(.refuse)),
      ("close-port", FaultRule(.closePort)),
      (
        "delay-accept 250 ms every 2",
        FaultRule(.delayAccept(.milliseconds(250)), pick: .every(2))
      ),
      ("refuse-upgrade 403", FaultRule(.refuseUpgrade(status: 403))),
      ("strip-upgrade first 3", FaultRule(.stripUpgrade, pick: .first(3))),
      ("fake-upgrade on websocket", FaultRule(.fakeUpgrade, on: [.webSocket])),
      ("black-hole on post chance 0.25", FaultRule(.blackHole, on: [.post], chance: 0.25)),
      ("http10", FaultRule(.downgrade)),
      ("buffer", FaultRule(.buffer(until: nil, holdsHead: false))),
      (
        "buffer 4096 B with-head on sse",
        FaultRule(.buffer(until: 4096, holdsHead: true), on: [.eventStream])
      ),
      (
        "cut on sse,poll after idle 5 s",
        FaultRule(.cut(.finish), on: [.poll, .eventStream], after: .idle(.seconds(5)))
      ),
      ("reset after 10 B down", FaultRule(.cut(.reset), after: .bytes(10, .down))),
      (
        "reset on poll after answer",
        FaultRule(.cut(.reset), on: [.poll], after: .answer(bodyBytes: 0))
      ),
      (
        "cut after answer 5 B nth 2",
        FaultRule(.cut(.finish), after: .answer(bodyBytes: 5), pick: .nth(2))
      ),
      ("mute", FaultRule(.mute(.both))),
      ("mute up after 2 min", FaultRule(.mute(.up), after: .time(.seconds(120)))),
      ("stall down", FaultRule(.stall(.down, for: nil))),
      (
        "stall 3 s on post,delete,other",
        FaultRule(.stall(.both, for: .seconds(3)), on: [.post, .delete, .other])
      ),
      ("trickle down", FaultRule(.trickle(.down))),
      ("half-close up after 0 B", FaultRule(.halfClose(.up), after: .bytes(0, .both))),
    ])
  func specs(_ text: String, _ rule: FaultRule) throws {
    #expect(try FaultRule(parsing: text) == rule)
    #expect(rule.description == text)
  }

  @Test("A rule is its spec in JSON, and a wrong one is refused there as well")
  func json() throws {
    let rules = [FaultRule(.mute(.down), on: [.webSocket], chance: 0.5), FaultRule(.refuse)]
    let text = try JSONEncoder().encode(rules)
    #expect(
      String(decoding: text, as: UTF8.self)
        == "[\"mute down on websocket chance 0.5\",\"refuse\"]")
    #expect(try JSONDecoder().decode([FaultRule].self, from: text) == rules)
    #expect {
      try JSONDecoder().decode([FaultRule].self, from: Data("[\"cut nth 0\"]".utf8))
    } throws: { error in
      guard case DecodingError.dataCorrupted(let context) = error else { return false }
      return context.debugDescription
        == "\"cut nth 0\": write a whole number from 1 to 1000000 after nth"
    }
  }

  @Test("Units may stand at their numbers, and blanks are as many as one likes")
  func spacing() throws {
    let rule = FaultRule(.stall(.up, for: .milliseconds(500)), after: .bytes(2048, .up))
    #expect(try FaultRule(parsing: "  stall up 0.5s   after 2KiB up ") == rule)
    #expect(try FaultRule(parsing: "refuse-upgrade") == FaultRule(.refuseUpgrade(status: 403)))
  }

  @Test(
    "A wrong spec is refused with what to write",
    arguments: [
      (
        "",
        "there is no fault, the faults are refuse, close-port, delay-accept, refuse-upgrade, "
          + "strip-upgrade, fake-upgrade, black-hole, http10, buffer, cut, reset, mute, stall, "
          + "trickle, half-close"
      ),
      (
        "mtue",
        "\"mtue\" is no fault, the faults are refuse, close-port, delay-accept, "
          + "refuse-upgrade, strip-upgrade, fake-upgrade, black-hole, http10, buffer, cut, reset, "
          + "mute, stall, trickle, half-close"
      ),
      ("delay-accept", "\"delay-accept\" has nothing after delay-accept, write a time: 10 s"),
      (
        "delay-accept soon",
        "\"soon\" after delay-accept does not begin with a number, write a time: 10 s"
      ),
      (
        "delay-accept 10",
        "\"delay-accept 10\": a time needs a unit of ms, s or min, write it like 10 s"
      ),
      ("stall 2000 min", "\"stall 2000 min\": a time is from 1 ms to 1440 min"),
      ("buffer 1.5 B", "\"buffer 1.5 B\": a size is a whole number of bytes up to 1024 MiB"),
      (
        "buffer 10",
        "\"buffer 10\": a size needs a unit of B, KB, KiB, MB or MiB, write it like 4 KiB"
      ),
      ("refuse-upgrade 99", "\"refuse-upgrade 99\": 99 is no status, write one from 200 to 599"),
      ("half-close", "\"half-close\" does not say which half, write half-close up or down"),
      (
        "mute on ws",
        "\"ws\" after on is no kind of request, write some of websocket, sse, poll, post, delete, "
          + "other, separated by commas without blanks"
      ),
      (
        "mute on",
        "\"mute on\" has nothing after on, write some of websocket, sse, poll, post, delete, other"
      ),
      (
        "cut after",
        "\"cut after\" has nothing after, write a time (10 s, idle 10 s), a size "
          + "(4 KiB, 4 KiB up) or answer"
      ),
      ("cut nth 0", "\"cut nth 0\": write a whole number from 1 to 1000000 after nth"),
      ("cut nth 1 every 2", "\"cut nth 1 every 2\" has two of nth, first, every"),
      ("cut on sse on poll", "\"cut on sse on poll\" has two of on"),
      ("cut chance 2", "\"cut chance 2\": write a number above 0 and up to 1 after chance: 0.1"),
      (
        "cut now",
        "\"now\" in \"cut now\" is nothing that follows a fault, write on, after, nth, "
          + "first, every or chance"
      ),
      (
        "refuse on sse",
        "\"refuse on sse\": refuse concerns a connection before its first request, "
          + "leave out on and after"
      ),
      (
        "close-port chance 0.5",
        "\"close-port chance 0.5\": close-port concerns all connections, write it alone"
      ),
      (
        "black-hole after 1 s",
        "\"black-hole after 1 s\": black-hole strikes when the request comes, leave out after"
      ),
      ("buffer after 1 s", "\"buffer after 1 s\": buffer begins with the answer, leave out after"),
      (
        "fake-upgrade on sse",
        "\"fake-upgrade on sse\": fake-upgrade strikes websocket only, leave out on"
      ),
    ])
  func refusals(_ text: String, _ complaint: String) {
    let error = #expect(throws: FaultSpecError.self) { _ = try FaultRule(parsing: text) }
    #expect(error?.description == complaint)
  }
}
