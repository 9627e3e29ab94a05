import Testing
import Triwire

@testable import TriwireBench

@Suite("Pacer")
struct PacerTests {
  @Test("What is measured waits for its own start, however long the warm-up is over")
  func phases() async throws {
    let scenario = try load(
      """
      {"name": "x", "clients": 2, "warmUp": "100 ms", "duration": "100 ms", "traffic": [
        {"direction": "up", "rate": "100/s per client", "payload": "64 B"}
      ]}
      """
    ).scenario
    let plan = SendPlan(scenario, seed: 1)
    let inWarmUp = plan.fromClients.count { $0.at < plan.measuredFrom }
    #expect(inWarmUp > 0 && inWarmUp < plan.fromClients.count)
    let group = try EventLoopGroup(count: 1)
    let loop = group.next()
    let sent = await loop.perform {
      var sent: [SendPlan.Send] = []
      let pacer = Pacer(
        plan.fromClients, of: scenario, measuredFrom: plan.measuredFrom, on: loop
      ) { send, _, _ in sent.append(send) }
      // All of it is due already; a batch of the pacer has room for it.
      pacer.begin(at: 1, upTo: plan.measuredFrom)
      let early = sent.count
      pacer.begin(at: 1, upTo: plan.end)
      return (early, sent)
    }
    #expect(sent.0 == inWarmUp)
    #expect(sent.1 == plan.fromClients)
    await group.stop()
  }
}
