import Foundation
import Testing
import Triwire

@testable import TriwireBench

@Suite("Foreign servers")
struct ForeignTests {
  @Test(
    "Routes that know nothing of trials are measured by their URLs alone, over each transport",
    arguments: TransportKind.allCases)
  func ownRoutes(_ transport: TransportKind) async throws {
    try await withServer { url in
      let servers = try ownServers(at: url)
      let trial = try trial(over: transport)
      let target = Target.foreign(servers, authorities: nil)
      let measurement = try await TrialRun(trial, on: target, startedAt: "").measure(nil)
      #expect(measurement.failures == [])
      #expect(measurement.delivery.expected > 0)
      #expect(measurement.delivery.delivered == measurement.delivery.expected)
      #expect(measurement.delivery.duplicated == 0 && measurement.delivery.reordered == 0)
      #expect(measurement.target == .ofEchoes)
      #expect(measurement.unmeasured == ForeignServers.unmeasured)
      // What nobody knows is not there, and not 0.
      #expect(measurement.cpu.serverMicroseconds == nil)
      #expect(measurement.cpu.serverWaitMicroseconds == nil)
      #expect(measurement.validity.serverBusy == nil && measurement.validity.serverWaited == nil)
      #expect(measurement.connection?.serverSystemCalls == nil)
      #expect(measurement.connection?.serverCPUMicroseconds == nil)
      #expect(measurement.memory.steps.isEmpty)
      let bytes = try #require(measurement.bytes)
      #expect(bytes.down.retransmitted == nil)
      for layers in [bytes.up, bytes.down] {
        #expect(layers.payload == bytes.messages * 64)
        #expect(
          layers.payload + layers.framing + layers.control + layers.http == layers.socket)
        #expect(layers.tcpip == 52 * layers.segments)
      }
    }
  }

  @Test("A server that does not send back what it is sent fails the trial with its reason")
  func noEcho() async throws {
    let server = TriwireServer()
    server.session(at: "/echo", synchronously: { session in session.close(.policyViolation, "go") })
    let url = "http://\(try await server.start(on: "127.0.0.1:0"))"
    let target = Target.foreign(ForeignServers(websocket: "\(url)/echo"), authorities: nil)
    let measurement = try await TrialRun(try trial(over: .webSocket), on: target, startedAt: "")
      .measure(nil)
    #expect(measurement.failures.count == 1)
    #expect(measurement.failures.first?.contains("did not come back: client 0: 1008 go") == true)
    await server.stop()
  }

  @Test("What is not measured says so in tables and page, has an empty field in CSV, and no key")
  func notMeasured() throws {
    var report = try Sample(direction: "echo").report()
    report.foreign = ForeignServers(websocket: "ws://h/echo")
    for index in report.trials.indices {
      report.trials[index].cpu.serverMicroseconds = nil
      report.trials[index].memory = MemoryCost(steps: [])
      report.trials[index].unmeasured = ForeignServers.unmeasured
      report.trials[index].target = .ofEchoes
      report.trials[index].bytes?.down.retransmitted = nil
    }
    let cells = "| server CPU/message | not measured | not measured | not measured |"
    #expect(report.markdown.contains(cells))
    #expect(report.markdown.contains("Foreign: ws://h/echo. "))
    #expect(report.markdown.contains("| foreign servers | websocket ws://h/echo |"))
    #expect(report.html.contains("not measured"))
    #expect(report.text(on: Page()).contains("not measured"))
    let rows = TidyTable(MachineReport.labelled([report])).csv.split(separator: "\n")
    let work = rows.filter { $0.contains(",serverCPUPerMessage,") }
    #expect(work.count == report.trials.count)
    #expect(work.allSatisfy { $0.contains(",serverCPUPerMessage,us,,") })
    let json = String(decoding: try report.json, as: UTF8.self)
    #expect(!json.contains("\"serverMicroseconds\""))
    #expect(try Report(json: report.json) == report)
  }

  @Test("A poll's answer is read as its file says", arguments: Answer.all)
  func answers(_ answer: Answer) {
    var polls = ForeignServers.LongPolls(
      poll: "", publish: "", start: nil, cursor: answer.cursor, messages: answer.messages)
    let read = PollReader(polls).read(["next": "h 7"], Array(answer.body.utf8))
    #expect(read?.messages.map { String(decoding: $0, as: UTF8.self) } == answer.expected)
    #expect(read?.cursor == answer.next)
    polls.start = "0"
    #expect(PollReader(polls).polls(at: "/p?a=1&c={cursor}").target(nil) == "/p?a=1&c=0")
  }

  struct Answer: Sendable {
    var cursor = "header next"
    var messages: String?
    let body: String
    let expected: [String]?
    var next: String?

    static let all = [
      Answer(body: "one\nmessage", expected: ["one\nmessage"], next: "h 7"),
      Answer(body: "", expected: [], next: "h 7"),
      Answer(messages: "array", body: "[\"a\", \"\\u00fc\"]", expected: ["a", "ü"], next: "h 7"),
      Answer(messages: "array", body: "[1]", expected: nil, next: nil),
      Answer(messages: "array", body: "no", expected: nil, next: nil),
      Answer(
        cursor: "field at", messages: "field text", body: "{\"text\": \"a\", \"at\": 12}",
        expected: ["a"], next: "12"),
      Answer(
        cursor: "field at", messages: "field all", body: "{\"all\": [\"a\", \"b\"], \"at\": \"x\"}",
        expected: ["a", "b"], next: "x"),
      Answer(
        cursor: "field at", messages: "field all", body: "{\"at\": 3}", expected: [], next: "3"),
    ]
  }

  @Test(
    "The first poll leaves out what has the cursor, and a cursor is escaped as a query wants it")
  func targets() {
    let polls = ForeignServers.LongPolls(
      poll: "", publish: "", start: nil, cursor: "header next", messages: nil)
    let reader = PollReader(polls)
    #expect(reader.polls(at: "/p?a=1&c={cursor}").target(nil) == "/p?a=1")
    #expect(reader.polls(at: "/p?c={cursor}").target(nil) == "/p")
    #expect(reader.polls(at: "/p/{cursor}").target(nil) == "/p/")
    #expect(reader.polls(at: "/p?c={cursor}").target("a b&c") == "/p?c=a%20b%26c")
  }

  @Test("A file that names foreign servers is told what is wrong with it", arguments: Mistake.all)
  func mistakes(_ mistake: Mistake) {
    let error = #expect(throws: ScenarioError.self) {
      try ForeignServers(text: Array(mistake.text.utf8), path: "f.json")
    }
    #expect(error?.description.contains(mistake.words) == true, "\(error?.description ?? "")")
  }

  struct Mistake: Sendable {
    let text: String
    let words: String

    static let all = [
      Mistake(text: "{}", words: "this names no server"),
      Mistake(text: "{\"websockets\": \"ws://h/\"}", words: "websocket"),
      Mistake(text: "{\"websocket\": \"h/echo\"}", words: "is no URL of ws, wss, http, https"),
      Mistake(
        text: "{\"websocket\": \"ws://h/{user}\"}", words: "has more than a URL and {client}"),
      Mistake(
        text: "{\"sse\": {\"events\": \"http://h/e\", \"publish\": \"http://h/p/{client}\"}}",
        words: "{client} is not in it, and each client has to hear its own messages alone"),
      Mistake(
        text: """
          {"sse": {"events": "http://h/{client}", "publish": "http://i/{client}"}}
          """, words: "http://i is not http://h: publish where messages come from"),
      Mistake(
        text: """
          {"long-polling": {"poll": "http://h/{client}", "publish": "http://h/{client}",
                            "cursor": "header c"}}
          """, words: "{cursor} is not in it"),
      Mistake(
        text: """
          {"long-polling": {"poll": "http://h/{client}?c={cursor}",
                            "publish": "http://h/{client}", "cursor": "c", "messages": "lines"}}
          """, words: "is no place, write \"header NAME\" or \"field NAME\""),
    ]
  }

  @Test(
    "What a foreign server cannot do is said before anything runs",
    arguments: [
      (
        #""traffic": [{"direction": "down", "rate": "1/s per client", "payload": "64 B"}]"#,
        "echoes"
      ),
      (
        #""traffic": [{"direction": "echo", "rate": "1/s per client", "payload": "64 B"}], "tls": "1.3""#,
        "write --tls off"
      ),
      (
        #""traffic": [{"direction": "echo", "rate": "1/s per client", "payload": "64 B"}], "network": "wan""#,
        "asks by \"network\""
      ),
      (
        #""traffic": [{"direction": "echo", "rate": "1/s per client", "payload": "64 B", "kind": "binary"}]"#,
        "which only a WebSocket carries everywhere"
      ),
      (
        #""traffic": [{"direction": "echo", "rate": "1/s per client", "payload": "64 B"}]"#,
        "runs over long-polling, for which no URL is named"
      ),
    ])
  func objections(_ keys: String, _ words: String) throws {
    let file = try load("{\"name\": \"x\", \"clients\": 4, \(keys)}")
    let servers = ForeignServers(
      websocket: "ws://h/echo",
      sse: .init(events: "http://h/{client}", publish: "http://h/{client}"))
    let objection = Target.foreign(servers, authorities: nil).objection(to: Plan([file]))
    #expect(objection?.contains(words) == true, "\(objection ?? "")")
  }

  private func ownServers(at url: String) throws -> ForeignServers {
    let text = """
      {"websocket": "\(url)/echo",
       "sse": {"events": "\(url)/topics/s-{trial}-{client}",
               "publish": "\(url)/topics/s-{trial}-{client}"},
       "long-polling": {"poll": "\(url)/topics/p-{trial}-{client}?cursor={cursor}",
                        "publish": "\(url)/topics/p-{trial}-{client}",
                        "cursor": "header triwire-cursor", "messages": "array"}}
      """
    return try ForeignServers(text: Array(text.utf8), path: "f.json")
  }

  private func trial(over transport: TransportKind) throws -> Trial {
    let file = try load(
      """
      {"name": "x", "clients": 3, "warmUp": "100 ms", "duration": "200 ms",
       "traffic": [{"direction": "echo", "rate": "50/s per client", "payload": "64 B"}]}
      """)
    let trials = Plan([file], choosing: .init(profile: .full, transports: [transport])).trials
    return try #require(trials.first)
  }

  private func withServer(_ body: (String) async throws -> Void) async throws {
    let server = TriwireServer()
    server.addServeRoutes()
    let url = "http://\(try await server.start(on: "127.0.0.1:0"))"
    do {
      try await body(url)
    } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }
}
