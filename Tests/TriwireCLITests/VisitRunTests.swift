import Foundation
import Testing
import Triwire

@Suite("Run with visitors", .serialized)
struct VisitRunTests {
  @Test("Each visitor gets all its lines and the last word, beside those who stay, TLS or not")
  func visits() async throws {
    let scenario = """
      {"name": "tail", "clients": 2, "warmUp": "200 ms", "duration": "1500 ms", "repetitions": 1,
       "tls": ["off", "1.3"],
       "visitors": {"every": "200 ms", "stays": "400 ms", "lines": 50, "payload": "100 B"},
       "traffic": [{"direction": "down", "rate": "20/s per client", "payload": "80 B"}]}
      """
    try await withTemporaryFolder { folder in
      try scenario.write(to: folder.appending(path: "s.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(
        "run", "s.json", "--profile", "full", "--retries", "0", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.output) \(outcome.complaint)")
      #expect(outcome.output.contains("overhead of visits"))
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let trials = try #require(result["trials"] as? [[String: Any]])
      #expect(trials.count == 6)
      for trial in trials {
        #expect(trial["failures"] as? [String] == [])
        #expect(trial["bytes"] != nil)
        let visits = try #require(trial["visits"] as? [String: Any])
        #expect(visits["visits"] as? Int == 6)
        #expect(visits["lines"] as? Int == 120)
        #expect(visits["payload"] as? Int == 12_000)
        #expect(visits["socket"] as? Int ?? 0 > 12_000)
        for times in ["firstLineMicroseconds", "completionMicroseconds"] {
          #expect((visits[times] as? [String: Any])?["count"] as? Int == 6)
        }
      }
    }
  }
}
