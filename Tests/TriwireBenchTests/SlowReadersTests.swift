import Testing
import Triwire

@testable import TriwireBench

@Suite("Scenarios with slow clients")
struct SlowReadersTests {
  private func scenario(_ slow: String, more: String = "", direction: String = "down") throws
    -> Scenario
  {
    try load(
      """
      {"name": "x", "clients": 4, "duration": "10 s", \(more) "slow": \(slow), "traffic": [
        {"direction": "\(direction)", "rate": "10/s per client", "payload": "64 B"}]}
      """
    ).scenario
  }

  @Test("Slow clients have defaults, and come back from JSON as they were")
  func reading() throws {
    let read = try scenario("{\"clients\": 2, \"reads\": \"8 KB\"}")
    #expect(
      read.slow
        == SlowReaders(
          clients: 2, reads: ByteCount(8000), receiveBuffer: ByteCount(16_384),
          policy: .dropOldest, queue: ByteCount(262_144)))
    let again: Scenario = try decodeLine(
      String(decoding: try encodeLine(read), as: UTF8.self))
    #expect(again == read)
  }

  @Test("The server's limits for them are those of the policy, whatever it is")
  func limits() throws {
    for policy in SlowReaders.Policy.allCases {
      let slow = try scenario(
        "{\"clients\": 1, \"reads\": \"1 KB\", \"queue\": \"8 KiB\", \"policy\": \"\(policy.rawValue)\"}"
      ).slow
      let limits = try #require(slow).limits(from: SessionLimits())
      #expect(limits.slowConsumer == policy.inServer)
      #expect(limits.queuedBytes == 8192 && limits.queuedBytesHard == 8192)
      #expect(limits.slowConsumerBytes == 8192)
    }
  }

  @Test(
    "What does not go is refused with what to write instead",
    arguments: [
      (
        "{\"clients\": 5, \"reads\": \"8 KB\"}", "", "down",
        "5 slow clients are more than the 4 others"
      ),
      ("{\"clients\": 1}", "", "down", "reads"),
      ("{\"clients\": 1, \"reads\": \"8 KB\"}", "", "up", "the server sends nothing"),
      (
        "{\"clients\": 1, \"reads\": \"8 KB\"}",
        "\"faults\": [{\"at\": \"1 s\", \"fault\": \"cut\"}],", "down",
        "a resumable session keeps what is not read"
      ),
      (
        "{\"clients\": 1, \"reads\": \"8 KB\", \"policy\": \"drop\"}", "", "down",
        "\"drop\" is not one of"
      ),
    ])
  func refusals(_ slow: String, _ more: String, _ direction: String, _ sentence: String) throws {
    let error = #expect(throws: ScenarioError.self) {
      try scenario(slow, more: more, direction: direction)
    }
    #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
  }
}
