import Foundation
import Testing

@Suite("Run", .serialized)
struct RunTests {
  @Test("A small scenario over all transports loses nothing, reconciles, and is written")
  func allTransports() async throws {
    try await withTemporaryFolder { folder in
      try tiny.write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire("run", "tiny.json", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
      #expect(outcome.output.hasPrefix("tiny  all ways at once\n"))
      let files = "report.html, report.md, result.json, result.csv and junit.xml"
      #expect(outcome.output.hasSuffix("Written to Out: \(files)\n"))
      #expect(outcome.complaint.split(separator: "\n").count == 3)

      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect(result["schemaVersion"] as? Int == 6)
      #expect(result["state"] as? String == "complete")
      let trials = try #require(result["trials"] as? [[String: Any]])
      #expect(
        Set(trials.compactMap { $0["transport"] as? String })
          == ["websocket", "sse", "long-polling"])
      for trial in trials { try check(trial) }
      let text = try String(contentsOf: folder.appending(path: "Out/report.md"), encoding: .utf8)
      #expect(text.contains("\n## tiny\n"))
      #expect(text.contains("| delivered |"))
    }
  }

  private func check(_ trial: [String: Any], roundTrips: Double = 2) throws {
    #expect(trial["failures"] as? [String] == [])
    let delivery = try #require(trial["delivery"] as? [String: Int])
    #expect(delivery["expected"] ?? 0 > 0)
    #expect(delivery["delivered"] == delivery["expected"])
    #expect(delivery["lost"] == 0 && delivery["duplicated"] == 0 && delivery["reordered"] == 0)
    let latency = try #require(trial["latencyMicroseconds"] as? [String: Any])
    #expect(latency["count"] as? Int ?? 0 > 0)
    #expect(latency["histogram"] is [String: Any])
    let bytes = try #require(trial["bytes"] as? [String: Any])
    for direction in ["up", "down"] {
      let layers = try #require(bytes[direction] as? [String: Int])
      let parts = ["payload", "framing", "control", "http", "tls"].reduce(0) {
        $0 + (layers[$1] ?? 0)
      }
      #expect(parts == layers["socket"])
      #expect(layers["payload"] ?? 0 > 0)
    }
    let connection = try #require(trial["connection"] as? [String: Any])
    #expect(connection["opened"] as? Int == 8)
    #expect(connection["roundTrips"] as? Double == roundTrips)
  }

  @Test(
    "Over TLS every byte reconciles as well, TLS is a layer of its own, and its round trips count",
    arguments: [("1.2", 4.0), ("1.3", 3.0), ("1.3-resumed", 3.0)])
  func overTLS(mode: String, roundTrips: Double) async throws {
    try await withTemporaryFolder { folder in
      try tiny.replacing("\"clients\": 8", with: "\"tls\": \"\(mode)\", \"clients\": 8")
        .write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire("run", "tiny.json", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
      #expect(outcome.output.hasPrefix("tiny  all ways at once. TLS \(mode)\n"))
      #expect(outcome.output.contains("TLS/message"))
      #expect(outcome.output.contains("TLS bytes/open"))
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let trials = try #require(result["trials"] as? [[String: Any]])
      for trial in trials {
        try check(trial, roundTrips: roundTrips)
        let bytes = try #require(trial["bytes"] as? [String: Any])
        for direction in ["up", "down"] {
          #expect((bytes[direction] as? [String: Int])?["tls"] ?? 0 > 0)
        }
        let connection = try #require(trial["connection"] as? [String: Any])
        // A full handshake brings the server's certificate, a resumed one does not.
        let down = try #require(connection["tlsBytesDown"] as? Double)
        #expect(mode == "1.3-resumed" ? down < 800 : down > 800)
      }
    }
  }

  @Test("Without TLS and with TLS 1.3 stand in one report, beside each other for each transport")
  func severalModes() async throws {
    try await withTemporaryFolder { folder in
      try tiny.write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(
        "run", "tiny.json", "--tls", "off,1.3", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
      #expect(outcome.complaint.split(separator: "\n").count == 6)
      #expect(outcome.complaint.contains("] tiny websocket TLS 1.3 1/1: "))
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let trials = try #require(result["trials"] as? [[String: Any]])
      #expect(trials.count == 6)
      for trial in trials {
        let mode = try #require(trial["tls"] as? String)
        try check(trial, roundTrips: mode == "off" ? 2 : 3)
        let bytes = try #require(trial["bytes"] as? [String: Any])
        let isSecured = (bytes["down"] as? [String: Int])?["tls"] ?? 0 > 0
        #expect(isSecured == (mode == "1.3"))
      }
      // The modes of a transport see the same messages.
      #expect(Set(trials.compactMap { $0["seed"] as? Int }).count == 1)
      let text = try String(contentsOf: folder.appending(path: "Out/report.md"), encoding: .utf8)
      let heading = ["websocket", "sse", "long-polling"].map { "\($0) no TLS | \($0) TLS 1.3" }
      #expect(text.contains("\n| | \(heading.joined(separator: " | ")) |\n"))
    }
  }

  @Test("A run that is killed leaves neither a server nor what keeps cores awake behind")
  func killed() async throws {
    try await withTemporaryFolder { folder in
      try tiny.replacing("\"200 ms\"", with: "\"60 s\"")
        .write(to: folder.appending(path: "long.json"), atomically: true, encoding: .utf8)
      let words = ["run", "long.json", "--profile", "full", "--transports", "websocket"]
      let running = try RunningCommand(words, in: folder)
      let children = try #require(await running.childrenWithServer)
      // There is one for each side where each has a core.
      let awake = children.filter { RunningCommand.words(of: $0).contains("keep-awake") }
      #expect([0, 2].contains(awake.count))
      let patience = ContinuousClock.now + .seconds(60)
      // SCHED_IDLE, once each has begun.
      while !awake.allSatisfy({ sched_getscheduler($0) == 5 }), ContinuousClock.now < patience {
        await Task.yield()
      }
      #expect(awake.allSatisfy { sched_getscheduler($0) == 5 })
      running.signal(SIGKILL)
      #expect(await running.status == 128 + SIGKILL)
      while children.contains(where: RunningCommand.isRunning), ContinuousClock.now < patience {
        await Task.yield()
      }
      #expect(!children.contains(where: RunningCommand.isRunning))
    }
  }

  @Test(
    "Results with cores kept awake, and with cores that may go idle, say so and are not compared")
  func idleCores() async throws {
    try await withTemporaryFolder { folder in
      try tiny.write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      let words = ["run", "tiny.json", "--transports", "websocket", "--output"]
      let awake = try await triwire(words + ["Awake"], in: folder)
      #expect(awake.status == 0, "\(awake.complaint)")
      let idle = try await triwire(words + ["Idle", "--let-cores-idle"], in: folder)
      #expect(idle.status == 0, "\(idle.complaint)")
      let report = try String(
        contentsOf: folder.appending(path: "Idle/report.md"), encoding: .utf8)
      #expect(report.contains("| kept from going idle | none |"))
      let kept = try String(
        contentsOf: folder.appending(path: "Awake/report.md"), encoding: .utf8)
      // Without a core for each side nothing is kept awake.
      guard !kept.contains("| kept from going idle | none |") else { return }
      #expect(kept.contains(/\| kept from going idle \| cores \d+ and \d+ \|/))
      let compared = try await triwire("compare", "Awake", "Idle", in: folder)
      #expect(compared.status == 64)
      #expect(compared.complaint.contains(/kept from going idle: cores \d+ and \d+ and none/))
    }
  }

  @Test("Ctrl-C ends a run with 130, keeps what was measured, and leaves no server behind")
  func interrupt() async throws {
    try await withTemporaryFolder { folder in
      let long = tiny.replacing("\"200 ms\"", with: "\"60 s\"")
      try tiny.write(to: folder.appending(path: "a.json"), atomically: true, encoding: .utf8)
      try long.replacing("\"tiny\"", with: "\"long\"")
        .write(to: folder.appending(path: "b.json"), atomically: true, encoding: .utf8)
      let words = [
        "run", ".", "--profile", "full", "--retries", "0", "--transports", "websocket", "--output",
        "Out",
      ]
      let running = try RunningCommand(words, in: folder)
      // The first trial is done when its line is there; the second takes a minute.
      let line = await running.complaints.first { _ in true }
      #expect(line?.hasPrefix("[1/2] tiny websocket 1/1: ") == true)
      let children = try #require(await running.childrenWithServer)
      running.interrupt()
      #expect(await running.status == 130)
      for child in children { #expect(!RunningCommand.isRunning(child)) }
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect(result["state"] as? String == "interrupted")
      #expect((result["trials"] as? [Any])?.count == 1)
    }
  }

  @Test("A run that was stopped goes on with what is missing, and a new one does not replace it")
  func resume() async throws {
    try await withTemporaryFolder { folder in
      try tiny.write(to: folder.appending(path: "a.json"), atomically: true, encoding: .utf8)
      let words = ["run", "a.json", "--transports", "sse", "--repetitions", "2", "--output", "Out"]
      #expect(try await triwire(words, in: folder).status == 0)
      let path = folder.appending(path: "Out/result.json")
      let complete = try result(at: path)
      let trials = try #require(complete["trials"] as? [[String: Any]])

      let kept = try Data(contentsOf: path)
      var outcome = try await triwire(words, in: folder)
      #expect(outcome.status == 64)
      #expect(
        outcome.complaint.hasPrefix(
          "triwire: --output: Out holds the result of an earlier run. Write another folder, or "
            + "remove this one first; --resume Out goes on with a run that was stopped"))
      #expect(try Data(contentsOf: path) == kept)

      outcome = try await triwire("run", "--resume", "Out", in: folder)
      #expect(outcome.status == 1)
      #expect(
        outcome.complaint
          == "triwire: all 2 trials are measured, nothing is left to resume\n")

      var stopped = complete
      stopped["state"] = "interrupted"
      stopped["trials"] = [trials[0]]
      try JSONSerialization.data(withJSONObject: stopped).write(to: path)
      outcome = try await triwire("run", "--resume", "Out", in: folder)
      #expect(outcome.status == 0)
      #expect(outcome.complaint.hasPrefix("[2/2] tiny sse 2/2: "))
      let resumed = try result(at: path)
      #expect(resumed["state"] as? String == "complete")
      let both = try #require(resumed["trials"] as? [[String: Any]])
      #expect(both.map { $0["repetition"] as? Int } == [1, 2])
      #expect(both[0]["startedAt"] as? String == trials[0]["startedAt"] as? String)
      #expect(both[1]["seed"] as? UInt64 == trials[1]["seed"] as? UInt64)
      let environment = try #require(resumed["environment"] as? [String: Any])
      #expect((environment["resumedAt"] as? [String])?.count == 1)

      var impossible = stopped
      var scenarios = try #require(stopped["scenarios"] as? [[String: Any]])
      scenarios[0]["repetitions"] = 0
      impossible["scenarios"] = scenarios
      try JSONSerialization.data(withJSONObject: impossible).write(to: path)
      outcome = try await triwire("run", "--resume", "Out", in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.complaint.contains("tiny has 0 repetitions over 1 contenders"))

      var elsewhere = try #require(stopped["environment"] as? [String: Any])
      elsewhere["kernel"] = "Linux 1.0"
      stopped["environment"] = elsewhere
      try JSONSerialization.data(withJSONObject: stopped).write(to: path)
      outcome = try await triwire("run", "--resume", "Out", in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.complaint.contains("the kernel was Linux 1.0 and is "))
    }
  }

  private func result(at path: URL) throws -> [String: Any] {
    let data = try Data(contentsOf: path)
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  @Test("A folder that cannot be made is told before anything is measured, with status 1")
  func unwritable() async throws {
    try await withTemporaryFolder { folder in
      try tiny.write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire("run", "tiny.json", "--output", "tiny.json/Out", in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.output == "")
      #expect(
        outcome.complaint == "triwire: cannot make the folder tiny.json/Out: Not a directory; "
          + "choose another folder with --output\n")
    }
  }

  @Test("More clients than descriptors fail the trial, with a sentence and status 1")
  func descriptors() async throws {
    try await withTemporaryFolder { folder in
      let many = tiny.replacing("\"clients\": 8", with: "\"clients\": 100000")
        .replacing("100/s per client", with: "100/s in all")
      try many.write(to: folder.appending(path: "many.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(
        "run", "many.json", "--transports", "sse", "--quiet", in: folder)
      guard outcome.complaint.contains("descriptors") else {
        // A machine without such a limit would have to open them all.
        return
      }
      #expect(outcome.status == 1)
      #expect(outcome.output == "")
      #expect(
        outcome.complaint.contains("100,000 clients need 200,050 descriptors and the limit is "))
    }
  }

  /// Every direction, text and binary, in two groups.
  private let tiny = """
    {
      "name": "tiny", "description": "all ways at once", "clients": 8, "groups": 2,
      "traffic": [
        { "direction": "echo", "rate": "100/s per client", "payload": "20 B" },
        { "direction": "up", "rate": "100/s per client", "payload": "125 B", "kind": "binary" },
        { "direction": "down", "rate": "100/s per client", "payload": "126 B", "kind": "binary" },
        { "name": "feed", "direction": "broadcast", "rate": "100/s per group", "payload": "64 B" },
        { "name": "talk", "direction": "broadcast", "from": "clients", "rate": "10/s per client",
          "payload": { "lognormal": ["80 B", "2 KB"] } }
      ],
      "warmUp": "100 ms", "duration": "200 ms", "repetitions": 1
    }
    """
}
