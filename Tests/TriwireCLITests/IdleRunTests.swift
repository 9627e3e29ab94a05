import Foundation
import Testing
import Triwire

@Suite("Run with idle clients", .serialized)
struct IdleRunTests {
  @Test("Heartbeats are measured over each transport, and told by the hour")
  func heartbeats() async throws {
    let scenario = """
      {"name": "idle", "repetitions": 1, "tls": ["off", "1.3"],
       "idle": {"steps": [2, 4, 6], "hold": "10 ms"}}
      """
    try await withTemporaryFolder { folder in
      try scenario.write(to: folder.appending(path: "s.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(
        "run", "s.json", "--profile", "full", "--retries", "0", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.output) \(outcome.complaint)")
      #expect(outcome.output.contains("heartbeats/hour"))
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let trials = try #require(result["trials"] as? [[String: Any]])
      #expect(trials.count == 6)
      for trial in trials {
        let beat = try #require(trial["heartbeat"] as? [String: Any])
        #expect(beat["beats"] as? Int == 3)
        #expect(beat["secondsBetween"] as? Int == 25)
        // A comment of 9 bytes, and more over the others: each with its headers of TCP and IP.
        #expect(beat["wireBytesDown"] as? Double ?? 0 >= 61)
        #expect(beat["packets"] as? Double ?? 0 >= 2)
      }
    }
  }
}
