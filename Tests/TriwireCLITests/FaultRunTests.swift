import Foundation
import Testing

@Suite("Run with faults", .serialized)
struct FaultRunTests {
  @Test("Sessions whose connections all break lose, double and reorder nothing, and it is reported")
  func chaos() async throws {
    try await withTemporaryFolder { folder in
      try storm.write(to: folder.appending(path: "storm.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire("run", "storm.json", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.output) \(outcome.complaint)")
      #expect(outcome.output.contains("what the clients did"))
      #expect(outcome.output.contains("not measured here"))
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let trials = try #require(result["trials"] as? [[String: Any]])
      #expect(trials.count == 2)
      for trial in trials {
        #expect(trial["failures"] as? [String] == [])
        let delivery = try #require(trial["delivery"] as? [String: Int])
        #expect(delivery["expected"] ?? 0 > 0)
        #expect(delivery["delivered"] == delivery["expected"])
        #expect(trial["bytes"] == nil && trial["connection"] == nil)
        #expect(trial["unmeasured"] as? [String] == ["bytes", "connection"])
        try check(try #require(trial["faults"] as? [String: Any]))
      }
      let text = try String(contentsOf: folder.appending(path: "Out/report.md"), encoding: .utf8)
      #expect(text.contains("\n| what the clients did | websocket | sse |\n"))
    }
  }

  private func check(_ faults: [String: Any]) throws {
    let struck = try #require(faults["struck"] as? [String: Int])
    #expect(struck["reset"] ?? 0 >= 6, "a reset struck all clients, and so did another")
    #expect(faults["lost"] as? Int ?? 0 >= 6)
    #expect(faults["attempts"] as? Int ?? 0 >= 12)
    #expect(faults["unrecovered"] as? Int == 0)
    // Whom a fault is blamed for depends on how soon the client sees it, which a busy machine decides.
    let notices = try #require(faults["noticeMicroseconds"] as? [String: Any])
    let recoveries = try #require(faults["recoverMicroseconds"] as? [String: Any])
    #expect(notices["count"] as? Int == recoveries["count"] as? Int)
    let returns = try #require(faults["returnMicroseconds"] as? [String: Any])
    #expect(returns["count"] as? Int ?? 0 > 0)
    let shares = try #require(faults["shares"] as? [String: Double])
    #expect(abs(shares.values.reduce(0, +) - 1) < 0.001)
    let outcomes = try #require(faults["outcomes"] as? [[String: Any]])
    #expect(outcomes.count == 4)
    #expect(outcomes[0]["fault"] as? String == "100 ms: reset")
    #expect(outcomes[0]["struck"] as? Int ?? 0 >= 6)
  }

  @Test("Connections break under TLS as well, with full handshakes and resumed ones")
  func connectionsUnderTLS() async throws {
    let scenario = """
      {"name": "secured", "clients": 4,
       "traffic": [{"direction": "echo", "rate": "20/s per client", "payload": "20 B"}],
       "faults": [{"at": "100 ms", "fault": "reset"}, {"at": "500 ms", "fault": "mute chance 0.5"}],
       "tls": ["1.3", "1.3-resumed"], "warmUp": "100 ms", "duration": "1 s", "drain": "30 s",
       "repetitions": 1, "profiles": {"smoke": {"duration": "1 s"}}}
      """
    try await withTemporaryFolder { folder in
      try scenario.write(to: folder.appending(path: "s.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire("run", "s.json", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.output) \(outcome.complaint)")
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let trials = try #require(result["trials"] as? [[String: Any]])
      #expect(trials.count == 6)
      for trial in trials {
        #expect(trial["failures"] as? [String] == [])
        let faults = try #require(trial["faults"] as? [String: Any])
        #expect((faults["struck"] as? [String: Int])?["reset"] ?? 0 >= 4)
        #expect(faults["unrecovered"] as? Int == 0)
      }
    }
  }

  @Test("Each client gets its snapshot first, and the report says so")
  func snapshot() async throws {
    let scenario = """
      {"name": "joining", "clients": 3, "snapshot": "50 KB", "warmUp": "0 s", "duration": "200 ms",
       "repetitions": 1, "tls": ["off", "1.3"],
       "traffic": [{"direction": "down", "rate": "20/s per client", "payload": "60 B"}]}
      """
    try await withTemporaryFolder { folder in
      try scenario.write(to: folder.appending(path: "s.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(
        "run", "s.json", "--profile", "full", "--retries", "0", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.output) \(outcome.complaint)")
      #expect(outcome.output.contains("Snapshot: the first message of each client is 50 KB"))
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      for trial in try #require(result["trials"] as? [[String: Any]]) {
        #expect(trial["failures"] as? [String] == [])
        let connection = try #require(trial["connection"] as? [String: Any])
        #expect(connection["wireBytesDown"] as? Double ?? 0 > 50_000)
        #expect(connection["wireBytesDown"] as? Double ?? 0 < 56_000)
      }
    }
  }

  @Test("Faults of requests over TLS, which hides these from the relay, are refused with status 64")
  func overTLS() async throws {
    try await withTemporaryFolder { folder in
      try storm.write(to: folder.appending(path: "storm.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire("run", "storm.json", "--tls", "1.3", in: folder)
      #expect(outcome.status == 64)
      #expect(
        outcome.complaint.hasPrefix(
          "triwire: storm.json has faults that strike requests and so need --tls off: "
            + "leave --tls out, or name other files"))
    }
  }

  @Test("A scenario that is not in the suite is listed as such, and run only when named")
  func suite() async throws {
    try await withTemporaryFolder { folder in
      let scenarios = folder.appending(path: "Scenarios")
      try FileManager.default.createDirectory(at: scenarios, withIntermediateDirectories: true)
      try storm.replacing("\"name\"", with: "\"suite\": false, \"name\"")
        .write(to: scenarios.appending(path: "storm.json"), atomically: true, encoding: .utf8)
      try calm.write(to: scenarios.appending(path: "calm.json"), atomically: true, encoding: .utf8)
      let list = try await triwire("list", in: folder)
      #expect(list.output == "calm   \nstorm  all at once (runs when named)\n")
      let run = try await triwire("run", "--transports", "websocket", in: folder)
      #expect(run.status == 0, "\(run.complaint)")
      #expect(run.output.hasPrefix("calm"))
      #expect(!run.output.contains("storm"))
    }
  }

  private let calm = """
    {"name": "calm", "clients": 1, "warmUp": "0 s", "duration": "50 ms", "repetitions": 1,
     "traffic": [{"direction": "up", "rate": "100/s per client", "payload": "64 B"}]}
    """

  private let storm = """
    {
      "name": "storm", "description": "all at once", "clients": 6,
      "traffic": [
        { "direction": "echo", "rate": "50/s per client", "payload": "20 B" },
        { "direction": "down", "rate": "50/s per client", "payload": "200 B", "kind": "binary" }
      ],
      "faults": [
        { "at": "100 ms", "fault": "reset" },
        { "at": "600 ms", "every": "400 ms", "fault": "reset chance 0.4" },
        { "at": "700 ms", "for": "200 ms", "fault": "refuse-upgrade" },
        { "at": "900 ms", "fault": "mute down chance 0.5" }
      ],
      "warmUp": "100 ms", "duration": "2 s", "drain": "30 s", "repetitions": 1,
      "transports": ["websocket", "sse"],
      "profiles": { "smoke": { "duration": "2 s" } }
    }
    """
}
