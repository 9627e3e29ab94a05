import Testing
import Triwire
import TriwireFaults

@testable import TriwireBench

@Suite("Scenarios with faults")
struct FaultScenarioTests {
  private func file(_ more: String) throws -> ScenarioFile {
    try load(
      """
      {"name": "x", "clients": 4, "duration": "20 s", \(more), "traffic": [
        {"direction": "echo", "rate": "10/s per client", "payload": "64 B"}]}
      """)
  }

  @Test("Faults are read as they stand there, and make sessions resumable")
  func reading() throws {
    let scenario = try file(
      """
      "faults": [
        {"at": "3 s", "fault": "reset on websocket"},
        {"at": "0 s", "for": "20 ms", "every": "50 ms", "fault": "refuse chance 0.5"}]
      """
    ).scenario
    #expect(scenario.sessions == .resumable)
    let faults = try #require(scenario.faults)
    #expect(faults[0].at == .seconds(3) && faults[0].lasting == nil && faults[0].every == nil)
    #expect(faults[0].rule == FaultRule(.cut(.reset), on: [.webSocket]))
    #expect(faults[1].lasting == .milliseconds(20) && faults[1].every == .milliseconds(50))
    #expect(
      faults.map(\.name) == ["3 s: reset on websocket", "every 50 ms: refuse chance 0.5 for 20 ms"])
  }

  @Test("Without faults sessions are plain, unless the file says otherwise")
  func sessions() throws {
    #expect(try file("\"seed\": 1").scenario.sessions == .plain)
    #expect(try file("\"sessions\": \"resumable\"").scenario.sessions == .resumable)
    #expect(try file("\"seed\": 1").scenario.faults == nil)
  }

  @Test("A fault that repeats does so until the measured time is over, and not at its end")
  func repeating() throws {
    let faults = try file(
      "\"faults\": [{\"at\": \"1 s\", \"every\": \"5 s\", \"fault\": \"cut\"}]"
    ).scenario.faults
    let fault = try #require(faults?.first)
    #expect(fault.count(within: .seconds(1)) == 0)
    #expect(fault.count(within: .seconds(6)) == 1)
    var edited = fault
    edited.every = .milliseconds(0)
    #expect(edited.count(within: .seconds(6)) == 1)
    let entries = fault.entries(within: .seconds(20), delay: 7_000_000)
    #expect(entries.map(\.at) == [1, 6, 11, 16].map { .seconds($0) + .milliseconds(7) })
  }

  @Test("How long clients wait before they come back is said, or suits the faults")
  func reconnecting() throws {
    let fault = #""faults": [{"at": "1 s", "fault": "cut"}]"#
    let scenario = try file(
      #""reconnect": {"first": "100 ms", "most": "10 s"}, "# + fault
    ).scenario
    #expect(scenario.reconnect == ReconnectWaits(first: .milliseconds(100), most: .seconds(10)))
    let options = try #require(scenario.reconnect).options(from: MeasuredConnections.resumed)
    #expect(options.backoffSeconds == 0.1 && options.backoffLimitSeconds == 10)
    #expect(options.attemptSeconds == MeasuredConnections.resumed.attemptSeconds)
    let said = Comparison.reconnect(scenario).joined()
    #expect(said.contains("up to 100 ms first, each further one up to twice as long, 10 s at most"))
    let usual = try file(fault).scenario
    #expect(usual.reconnect == nil)
    #expect(Comparison.reconnect(usual).joined().contains("up to 20 ms first, each further"))
    #expect(try Comparison.reconnect(file("\"seed\": 1").scenario) == [])
  }

  @Test("A profile does not shorten a scenario so much that a fault would fall out of it")
  func profiles() throws {
    let file = try file(
      """
      "faults": [{"at": "8 s", "for": "1 s", "fault": "refuse"}],
      "profiles": {"quick": {"clients": 2}}
      """)
    #expect(file.scenario(for: .smoke).duration == .seconds(11))
    #expect(file.scenario(for: .quick).duration == .seconds(11))
    #expect(file.scenario(for: .full).duration == .seconds(20))
  }

  @Test("What runs only when named says so")
  func suite() throws {
    #expect(try file("\"suite\": false").isInSuite == false)
    #expect(try file("\"seed\": 1").isInSuite)
  }

  @Test(
    "What is wrong with faults is named with its place and what to write instead",
    arguments: [
      (
        "\"faults\": [{\"at\": \"25 s\", \"fault\": \"cut\"}]",
        "faults[0]: faults[0] begins after 25 s and 20 s are measured: "
          + "write an earlier time or a longer duration"
      ),
      (
        "\"faults\": [{\"at\": \"8 s\", \"fault\": \"cut\"}], "
          + "\"profiles\": {\"smoke\": {\"duration\": \"5 s\"}}",
        "profiles.smoke: faults[0] begins after 8 s and 5 s are measured: "
          + "write an earlier time or a longer duration"
      ),
      (
        "\"faults\": [{\"at\": \"1 s\", \"fault\": \"explode\"}]",
        "faults[0].fault: \"explode\" is no fault, the faults are refuse, close-port, "
          + "delay-accept, refuse-upgrade, strip-upgrade, fake-upgrade, black-hole, http10, "
          + "buffer, cut, reset, mute, stall, trickle, half-close "
          + "(all of it: triwire relay --help)"
      ),
      (
        "\"faults\": [{\"at\": \"1 s\", \"fault\": \"refuse-upgrade\"}]",
        "faults[0]: refuse-upgrade strikes only what begins while it is there, "
          + "write how long that is: \"for\": \"2 s\""
      ),
      (
        "\"faults\": [{\"at\": \"1 s\", \"for\": \"1 s\", \"every\": \"1 s\", "
          + "\"fault\": \"refuse\"}]",
        "faults[0].for: 1 s is too long, write less than every (1 s)"
      ),
      (
        "\"faults\": [{\"fault\": \"cut\"}]",
        "faults[0]: \"at\" is missing, write \"at\": \"3 s\""
      ),
      (
        "\"reconnect\": {\"first\": \"1 s\", \"most\": \"2 s\"}",
        "reconnect: no connection breaks here, so that nobody comes back: write \"faults\" as well, "
          + "or remove it"
      ),
      (
        "\"faults\": [{\"at\": \"1 s\", \"fault\": \"cut\"}], "
          + "\"reconnect\": {\"first\": \"3 s\", \"most\": \"2 s\"}",
        "reconnect.first: the first wait is longer than the longest, 2 s: write less"
      ),
      (
        "\"faults\": [{\"at\": \"1 s\"}]",
        "faults[0]: \"fault\" is missing, write \"fault\": \"reset on websocket\""
      ),
      (
        "\"faults\": [{\"at\": \"1 s\", \"fault\": \"cut\", \"until\": \"2 s\"}]",
        "faults[0].until: this key is not known, known are at, for, every, fault"
      ),
      ("\"faults\": []", "faults: the list is empty, write at least one of faults { … }"),
      (
        "\"faults\": [{\"at\": \"1 s\", \"fault\": \"cut\"}], \"sessions\": \"plain\"",
        "sessions: a plain session ends with its connection, which faults break: "
          + "write \"resumable\", or remove this"
      ),
      (
        "\"sessions\": \"sticky\"",
        "sessions: \"sticky\" is not one of \"plain\", \"resumable\""
      ),
      (
        "\"faults\": [{\"at\": \"1 s\", \"fault\": \"cut on sse\"}], \"tls\": \"1.3\"",
        "tls: \"cut on sse\" strikes requests, which TLS hides from the relay: "
          + "write \"off\" here, or a fault of connections there, such as \"reset\""
      ),
      ("\"suite\": \"no\"", "suite: this is a text, write true or false"),
    ])
  func refusal(text: String, message: String) {
    do {
      let file = try file(text)
      Issue.record("accepted as \(file.scenario)")
    } catch {
      #expect("\(error)" == "x.json:1: \(message)")
    }
  }

  @Test("More faults than a trial can play are refused with the limit")
  func tooMany() {
    do {
      _ = try load(
        """
        {"name": "x", "clients": 4, "duration": "30 min",
         "faults": [{"at": "0 s", "every": "10 ms", "fault": "cut"}],
         "traffic": [{"direction": "echo", "rate": "1/s per client", "payload": "64 B"}]}
        """)
      Issue.record("accepted")
    } catch {
      #expect(
        error.description
          == "x.json:2: faults: 180,000 faults are too many, the limit is 100,000: "
          + "write a longer every or a shorter duration")
    }
  }
}
