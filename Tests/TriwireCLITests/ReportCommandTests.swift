import Foundation
import Testing

@Suite("Reports on the command line", .serialized)
struct ReportCommandTests {
  @Test("A broken strict threshold ends a run with 99, and a result is reported and compared again")
  func gate() async throws {
    try await withTemporaryFolder { folder in
      try tiny.write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      let run = try await triwire(
        "run", "tiny.json", "--profile", "full", "--output", "Out", in: folder)
      #expect(run.status == 99, "\(run.output) \(run.complaint)")
      #expect(run.output.hasPrefix("✓ tiny sse latency p50 "))
      #expect(run.output.contains("\n✗ tiny sse server CPU/message "))

      let names = ["report.html", "report.md", "result.csv", "junit.xml"]
      let report = try await triwire("report", "Out", "--output", "Again", in: folder)
      #expect(report.status == 0)
      #expect(report.output == names.map { "Again/\($0)\n" }.joined())
      for name in names {
        let first = try Data(contentsOf: folder.appending(path: "Out/\(name)"))
        #expect(try Data(contentsOf: folder.appending(path: "Again/\(name)")) == first, "\(name)")
      }

      let same = try await triwire("compare", "Out", "Out/result.json", "--paired", in: folder)
      #expect(same.status == 0, "\(same.output)")
      #expect(same.output.hasSuffix("\nequal\n"))
      let other = tiny.replacing("\"clients\": 4", with: "\"clients\": 5")
        .replacing("\"repetitions\": 3", with: "\"repetitions\": 1")
      try other.write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      _ = try await triwire(
        "run", "tiny.json", "--profile", "full", "--output", "Other", "--quiet", in: folder)
      let unlike = try await triwire("compare", "Out", "Other", in: folder)
      #expect(unlike.status == 64)
      #expect(unlike.complaint.contains("\n  tiny, clients: 4 and 5\n"))
    }
  }

  @Test("A result is kept as a baseline, compared with by name, and measured further with it")
  func baseline() async throws {
    try await withTemporaryFolder { folder in
      let single = tiny.replacing("\"repetitions\": 3", with: "\"repetitions\": 1")
        .replacing("thresholds", with: "$schema").replacing(/{ "latency.*}/, with: "\"\"")
      try single.write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      for name in ["Base", "New"] {
        let run = try await triwire("run", "tiny.json", "--output", name, "--quiet", in: folder)
        #expect(run.status == 0, "\(run.complaint)")
      }
      let kept = try await triwire("baseline", "main", "Base", in: folder)
      #expect(kept.output == "Reports/baselines/main\n")
      let list = try await triwire("baseline", in: folder)
      #expect(list.output.hasPrefix("main  20") && list.output.hasSuffix(", smoke: tiny\n"))
      let page = try Data(contentsOf: folder.appending(path: "Base/report.html"))
      #expect(
        try Data(contentsOf: folder.appending(path: "Reports/baselines/main/report.html")) == page)

      // One run each never tells.
      #expect(try await triwire("compare", "main", "New", in: folder).status == 3)
      let more = try await triwire("compare", "main", "New", "--more-rounds", "2", in: folder)
      #expect([0, 2, 3, 4].contains(more.status), "\(more.complaint)")
      #expect(
        more.complaint
          == "the runs do not tell: repetition 1 of 2 more of each\n"
          + "the runs do not tell: repetition 2 of 2 more of each\n")
      for path in ["Reports/baselines/main", "New"] {
        let data = try Data(contentsOf: folder.appending(path: "\(path)/result.json"))
        let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let trials = try #require(result["trials"] as? [[String: Any]])
        #expect(trials.map { $0["repetition"] as? Int } == [1, 2, 3])
        #expect(result["state"] as? String == "complete")
      }

      let missing = try await triwire("compare", "man", "New", in: folder)
      #expect(missing.status == 64)
      #expect(
        missing.complaint.hasPrefix(
          "triwire: there is no result man, did you mean main? Else name a folder that triwire "
            + "run wrote, the result.json in it, or what triwire baseline keeps (main)\n"))
      #expect(try await triwire("baseline", "--remove", "main", in: folder).status == 0)
      #expect(try await triwire("baseline", "--remove", "main", in: folder).status == 64)
    }
  }

  @Test("What is no result, and a folder without one, are told with what to name")
  func noResult() async throws {
    try await withTemporaryFolder { folder in
      let missing = try await triwire("report", "Out", in: folder)
      #expect(missing.status == 1)
      #expect(
        missing.complaint
          == "triwire: there is no Out: name a folder that triwire run wrote, or its result.json\n")
      try "{}".write(to: folder.appending(path: "x.json"), atomically: true, encoding: .utf8)
      let empty = try await triwire("report", "x.json", in: folder)
      #expect(empty.status == 1)
      #expect(
        empty.complaint
          == "triwire: x.json is no result of this version of triwire: it has no schemaVersion\n")
      let nothing = try await triwire("compare", "Out", "x.json", in: folder)
      #expect(nothing.status == 64)
      #expect(
        nothing.complaint.hasPrefix(
          "triwire: there is no result Out: name a folder that triwire run wrote, the result.json "
            + "in it, or what triwire baseline keeps (none yet)\n"))
    }
  }

  @Test("A scenario in a result's place is told to be run first, by every command that reads one")
  func scenarioInstead() async throws {
    try await withTemporaryFolder { folder in
      try tiny.write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      for words in [
        ["compare", "tiny.json", "tiny.json"], ["report", "tiny.json"],
        ["baseline", "main", "tiny.json"], ["run", "--resume", "tiny.json"],
      ] {
        let outcome = try await triwire(words, in: folder)
        #expect(outcome.status == 1)
        #expect(
          outcome.complaint
            == "triwire: tiny.json is a scenario, not a result: run it first, "
            + "triwire run tiny.json\n")
      }
    }
  }

  @Test("A folder of report folders is answered with the newest of them")
  func folderOfReports() async throws {
    try await withTemporaryFolder { folder in
      for (name, seconds) in [("2026-01-02", 10.0), ("2026-01-03", 20), ("2026-01-01", 5)] {
        let inner = folder.appending(path: "Reports/\(name)")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        let result = inner.appending(path: "result.json").path
        try "{}".write(toFile: result, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
          [.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: result)
      }
      let outcome = try await triwire("report", "Reports", in: folder)
      #expect(outcome.status == 1)
      #expect(
        outcome.complaint
          == "triwire: Reports has no result.json, but folders in it do: did you mean "
          + "Reports/2026-01-03, the newest?\n")
      let empty = try await triwire("report", ".", in: folder)
      #expect(
        empty.complaint
          == "triwire: . has no result.json: name a folder that triwire run wrote, or its "
          + "result.json\n")
    }
  }

  @Test("A figure is explained by its key or its name, and a wrong one gets a suggestion")
  func explain() async throws {
    let key = try await triwire("explain", "bytesPerMessage")
    #expect(key.status == 0)
    #expect(
      key.output.hasPrefix("bytesPerMessage  wire/message, in bytes\n  Everything in IP packets"))
    #expect(try await triwire("explain", "wire/message").output == key.output)
    let wrong = try await triwire("explain", "latency.p98")
    #expect(wrong.status == 64)
    #expect(wrong.complaint.contains("there is no figure \"latency.p98\", did you mean"))
    let all = try await triwire("explain").output.split(separator: "\n")
    #expect(all.count > 25)
    #expect(all.allSatisfy { $0.count <= 95 })
  }

  private let tiny = """
    {
      "name": "tiny", "clients": 4, "transports": ["sse"],
      "traffic": [{ "direction": "echo", "rate": "100/s per client", "payload": "20 B" }],
      "warmUp": "50 ms", "duration": "200 ms", "repetitions": 3,
      "thresholds": { "latency.p50": "< 60 s", "sse.serverCPUPerMessage": "< 1 ns" }
    }
    """
}
