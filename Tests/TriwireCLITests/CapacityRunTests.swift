import Foundation
import Testing

@Suite("Capacity")
struct CapacityRunTests {
  @Test("A search probes real servers from the scenario's own load on, and writes what it found")
  func search() async throws {
    try await withTemporaryFolder { folder in
      let scenario = """
        {"name": "tiny", "clients": 4, "warmUp": "20 ms", "duration": "200 ms", "repetitions": 1,
         "search": {"vary": "rate", "to": 400, "slo": {"p99": "20 s"}, "precision": 1},
         "traffic": [{"direction": "echo", "rate": "200/s in all", "payload": "20 B"}]}
        """
      try scenario.write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(
        "run", "tiny.json", "--transports", "websocket", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let trials = try #require(result["trials"] as? [[String: Any]])
      #expect(trials.count == 1)
      let capacity = try #require(trials[0]["capacity"] as? [String: Any])
      let probes = try #require(capacity["probes"] as? [[String: Any]])
      #expect(probes.first?["level"] as? Double == 200)
      #expect(probes.allSatisfy { ($0["level"] as? Double ?? 0) <= 400 })
      #expect(probes.allSatisfy { ($0["waiting"] as? [Int])?.count == 4 })
      #expect(probes.allSatisfy { $0["expected"] as? Int ?? 0 > 0 })
      // Whatever the machine is doing, some load of a few messages holds for 20 s.
      #expect(capacity["held"] is Double)
      let table = try String(
        contentsOf: folder.appending(path: "Out/capacity.csv"), encoding: .utf8)
      #expect(table.split(separator: "\n").count == probes.count + 1)
    }
  }

  @Test("The null server takes and gives all that a real one does, over each transport")
  func null() async throws {
    try await withTemporaryFolder { folder in
      let scenario = """
        {"name": "ways", "clients": 6, "groups": 2, "warmUp": "20 ms", "duration": "1 s",
         "repetitions": 1, "traffic": [
          {"direction": "echo", "rate": "20/s per client", "payload": "20 B"},
          {"direction": "up", "rate": "20/s per client", "payload": "2 KB", "kind": "binary"},
          {"direction": "down", "rate": "20/s per client", "payload": "126 B", "kind": "binary"},
          {"name": "feed", "direction": "broadcast", "rate": "20/s per group", "payload": "64 B"},
          {"name": "talk", "direction": "broadcast", "from": "clients", "rate": "10/s per client",
           "payload": "200 B"}]}
        """
      try scenario.write(to: folder.appending(path: "ways.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(
        "run", "ways.json", "--ceiling", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let ceilings = try #require(result["ceilings"] as? [[String: Any]])
      #expect(
        ceilings.compactMap { $0["transport"] as? String } == ["websocket", "sse", "long-polling"])
      for ceiling in ceilings {
        let probe = try #require(ceiling["probe"] as? [String: Any])
        #expect(probe["expected"] as? Int ?? 0 > 1000)
        #expect(probe["lost"] as? Int == 0, "\(probe)")
        // What is doubled, out of order or damaged is a failure as ever.
        #expect(probe["outcome"] as? String != "failed", "\(probe)")
      }
      #expect(outcome.output.contains("Load generator, sse: at twice the rate or more"))
    }
  }

  @Test("Polling at an interval delivers all, and its bytes reconcile as those of transports do")
  func polling() async throws {
    try await withTemporaryFolder { folder in
      let scenario = """
        {"name": "feed", "clients": 4, "warmUp": "100 ms", "duration": "300 ms", "repetitions": 1,
         "traffic": [
          {"direction": "down", "rate": "30/s per client", "payload": "64 B"},
          {"direction": "echo", "rate": "10/s per client", "payload": "64 B", "kind": "binary"}]}
        """
      try scenario.write(to: folder.appending(path: "feed.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(
        "run", "feed.json", "--transports", "sse", "--control-poll", "50 ms", "--output", "Out",
        in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
      #expect(outcome.output.contains("polling 50 ms (control)"))
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let trials = try #require(result["trials"] as? [[String: Any]])
      let polls = trials.filter { $0["poll"] as? String == "50 ms" }
      #expect(trials.count == 2 && polls.count == 1)
      #expect(polls[0]["failures"] as? [String] == [])
      #expect((polls[0]["bytes"] as? [String: Any])?["messages"] as? Int ?? 0 > 0)
    }
  }
}
