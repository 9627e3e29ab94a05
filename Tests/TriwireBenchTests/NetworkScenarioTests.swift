import Testing
import Triwire
import TriwireFaults

@testable import TriwireBench

@Suite("Scenarios with a network")
struct NetworkScenarioTests {
  private func scenario(_ network: String) throws -> Scenario {
    try load(
      """
      {"name": "x", "clients": 4, "network": \(network), "traffic": [
        {"direction": "echo", "rate": "10/s per client", "payload": "64 B"}]}
      """
    ).scenario
  }

  @Test("A network is a name or its values, and comes back from JSON as it was")
  func reading() throws {
    let named = try scenario("\"3g\"")
    #expect(named.network == .profile(.threeG))
    let own = try scenario(
      """
      {"roundTrip": "60 ms", "jitter": "10 ms", "down": "1.6 Mbit/s", "up": "750 kbit/s",
       "loss": 0.02, "lossBurst": 4, "queue": "16 KiB"}
      """)
    let conditions = try #require(own.network?.conditions)
    #expect(
      conditions
        == NetworkConditions(
          roundTrip: .milliseconds(60), jitter: .milliseconds(10), downRate: 1_600_000,
          upRate: 750_000, loss: 0.02, losses: .bursts(mean: 4), queueBytes: 16_384))
    #expect(
      own.network?.summary
        == "round trip 60 ms, each way ± 10 ms, down 1.6 Mbit/s, up 750 kbit/s, loss 2 %, "
        + "in bursts of 4")
    for scenario in [named, own] {
      let text = try encodeLine(scenario)
      let again: Scenario = try decodeLine(String(decoding: text, as: UTF8.self))
      #expect(again == scenario)
    }
    #expect(try scenario("{\"roundTrip\": \"60 ms\"}").network?.conditions.queueBytes == 65_536)
    let usual = try scenario("{\"loss\": 0.01, \"lossBurst\": true}")
    #expect(usual.network?.conditions.losses == .bursts(mean: 3))
    let none = try scenario("{\"loss\": 0.01, \"lossBurst\": false}")
    #expect(none.network?.conditions.losses == .independent)
  }

  @Test(
    "What is no network is refused with what to write instead",
    arguments: [
      ("\"wam\"", "did you mean \"wan\"?"),
      ("{}", "there is nothing in it"),
      ("7", "this is a number, write a name like \"wan\", or an object"),
      ("{\"rtt\": \"5 ms\"}", "this key is not known"),
      ("{\"roundTrip\": \"11 s\"}", "out of range"),
      ("{\"roundTrip\": \"10 ms\", \"jitter\": \"6 ms\"}", "at most half of roundTrip"),
      ("{\"down\": \"5 Mbps\"}", "kbit/s"), ("{\"up\": \"1 bit/s\"}", "out of range"),
      ("{\"loss\": 0.6}", "out of range"),
      ("{\"loss\": 0.1, \"lossBurst\": 1}", "a number above 1, up to 100"),
      ("{\"lossBurst\": 3}", "nothing is lost, write a \"loss\" beside it"),
      ("{\"queue\": \"1 B\"}", "out of range"),
    ])
  func refusals(_ network: String, _ sentence: String) throws {
    let error = #expect(throws: ScenarioError.self) { try scenario(network) }
    #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
  }

  @Test("The pause before measuring is longer than what the network has under way")
  func quiet() throws {
    #expect(try scenario("\"loopback\"").quiet == SendPlan.quiet)
    #expect(try scenario("\"satellite\"").quiet == .milliseconds(1500))
    #expect(try scenario("\"lossy-4g\"").quiet == .milliseconds(1100))
  }

  @Test("What may still be held by losses at the end is waited for on top of the drain")
  func patience() throws {
    #expect(try scenario("\"wan\"").patience == .seconds(5))
    #expect(try scenario("\"lossy-4g\"").patience == .milliseconds(5000 + 350 * 64))
  }

  @Test("Rates of bits are read and written in the unit in which they are at least 1")
  func rates() throws {
    #expect(try BitRate(parsing: "1.6 Mbit/s") == BitRate(1_600_000))
    #expect(BitRate(1_600_000).description == "1.6 Mbit/s")
    #expect(BitRate(750_000).description == "750 kbit/s")
    #expect(BitRate(1_000_000_000).description == "1 Gbit/s")
    #expect(throws: QuantityError.self) { try BitRate(parsing: "fast") }
  }
}
