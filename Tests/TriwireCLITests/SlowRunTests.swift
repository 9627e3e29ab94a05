import Foundation
import Testing
import Triwire

@Suite("Run with slow clients", .serialized)
struct SlowRunTests {
  private func run(_ policy: String) async throws -> [[String: Any]] {
    let scenario = """
      {"name": "slow", "clients": 3, "warmUp": "0 s", "duration": "1500 ms", "repetitions": 1,
       "slow": {"clients": 2, "reads": "2 KB", "receiveBuffer": "4 KiB", "policy": "\(policy)",
                "queue": "16 KiB"},
       "traffic": [{"direction": "down", "rate": "300/s per client", "payload": "4 KB"}]}
      """
    return try await withTemporaryFolder { folder in
      try scenario.write(to: folder.appending(path: "s.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(
        "run", "s.json", "--profile", "full", "--retries", "0", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.output) \(outcome.complaint)")
      #expect(outcome.output.contains("of it dropped"))
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let trials = try #require(result["trials"] as? [[String: Any]])
      #expect(trials.count == 3)
      return try trials.map { trial in
        // All that the others had to get has come, and every byte of theirs is accounted for.
        #expect(trial["failures"] as? [String] == [])
        #expect(trial["bytes"] != nil)
        return try #require(trial["slow"] as? [String: Any])
      }
    }
  }

  @Test("Who reads too slowly loses messages, and the others none")
  func dropped() async throws {
    for slow in try await run("drop-oldest") {
      let numbers = ["offered", "read", "dropped", "closed"].map { slow[$0] as? Int ?? -1 }
      #expect(numbers[0] > 0 && numbers[2] > 0 && numbers[3] == 0)
      #expect(numbers[1] >= 0 && numbers[1] + numbers[2] <= numbers[0])
    }
  }

  @Test("Who reads too slowly is cut off where the policy says so, and the others are not")
  func disconnected() async throws {
    for slow in try await run("disconnect") {
      #expect(slow["closed"] as? Int == 2)
      #expect(slow["dropped"] as? Int == 0)
    }
  }
}
