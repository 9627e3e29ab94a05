import Foundation
import Testing
import Triwire

@Suite("Run with compression", .serialized)
struct CompressionRunTests {
  @Test("Both ways stand beside each other, and every byte is accounted for, TLS or not")
  func both() async throws {
    let scenario = """
      {"name": "small", "clients": 4, "warmUp": "200 ms", "duration": "600 ms", "repetitions": 1,
       "compression": ["off", "on"], "tls": ["off", "1.3"],
       "traffic": [
         {"direction": "down", "rate": "20/s per client", "payload": "2 KB", "content": "json"},
         {"direction": "broadcast", "rate": "10/s per group", "payload": "1 KB", "content": "json"}]}
      """
    try await withTemporaryFolder { folder in
      try scenario.write(to: folder.appending(path: "s.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(
        "run", "s.json", "--profile", "full", "--retries", "0", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.output) \(outcome.complaint)")
      #expect(outcome.output.contains("saved/message"))
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let trials = try #require(result["trials"] as? [[String: Any]])
      #expect(trials.count == 12)
      for trial in trials {
        // The trial itself fails where ledger, sockets and kernel disagree.
        #expect(trial["failures"] as? [String] == [])
        let isOn = trial["compression"] as? String == "on"
        let bytes = try #require(trial["bytes"] as? [String: Any])
        let down = try #require(bytes["down"] as? [String: Int])
        let layers = ["payload", "framing", "control", "http", "tls"]
        let sum = layers.reduce(0) { $0 + (down[$1] ?? 0) } - (down["saved"] ?? 0)
        #expect(sum == down["socket"])
        #expect((down["saved"] ?? 0 > (down["payload"] ?? 0) / 2) == isOn)
      }
    }
  }
}
