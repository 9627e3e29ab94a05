import Testing

@testable import TriwireBench

@Suite("Audit")
struct AuditTests {
  @Test("Messages that all come in order leave nothing to say")
  func clean() throws {
    var (audit, plan) = try audit("echo", "10/s per client")
    for send in plan.fromClients {
      #expect(audit.receive(stamp(send), at: Int(send.sender)) == .inOrder)
    }
    #expect(audit.isComplete)
    #expect(audit.lost.isEmpty)
    let delivery = Delivery.sum(audit.deliveries)
    let count = UInt64(plan.fromClients.count)
    #expect(delivery == Delivery(expected: count, delivered: count))
  }

  @Test("A message that does not come is lost, one that comes twice or late is told apart")
  func gaps() throws {
    var (audit, plan) = try audit("down", "10/s per client")
    let mine = plan.fromServer.filter { $0.sender == 1 }
    #expect(audit.receive(stamp(mine[0]), at: 1) == .inOrder)
    #expect(audit.receive(stamp(mine[3]), at: 1) == .inOrder)
    #expect(audit.receive(stamp(mine[1]), at: 1) == .late)
    #expect(audit.receive(stamp(mine[1]), at: 1) == .again)
    #expect(audit.receive(stamp(mine[0]), at: 1) == .again)
    let delivery = Delivery.sum(audit.deliveries)
    #expect(delivery.delivered == 3)
    #expect(delivery.reordered == 1)
    #expect(delivery.duplicated == 2)
    #expect(delivery.lost == delivery.expected - 3)
    let absent = audit.lost.filter { $0.receiver == 1 }.map(\.sequence)
    #expect(absent == [2] + (4..<UInt32(mine.count)))
    #expect(UInt64(audit.lost.count) == delivery.lost)
    #expect(!audit.isComplete)
  }

  @Test("A message at the wrong client, from nobody, or beyond the plan is a stray")
  func strays() throws {
    var (audit, plan) = try audit("down", "10/s per client")
    var stamp = stamp(plan.fromServer[0])
    #expect(audit.receive(stamp, at: (stamp.sender + 1) % 4) == .stray)
    stamp.sequence = 60_000
    #expect(audit.receive(stamp, at: stamp.sender) == .stray)
    stamp.sender = 4
    #expect(audit.receive(stamp, at: 4) == .stray)
    stamp.flow = 1
    #expect(audit.receive(stamp, at: 0) == .stray)
    #expect(audit.strays == 4)
    #expect(Delivery.sum(audit.deliveries).delivered == 0)
  }

  @Test("A broadcast of the server reaches every member of its group, five clients in two groups")
  func serverBroadcast() throws {
    var (audit, plan) = try audit(
      "broadcast", "10/s per group", more: #""groups": 2,"#, clients: 5)
    let expected = plan.fromServer.reduce(0) { $0 + ($1.sender == 0 ? 3 : 2) }
    #expect(Delivery.sum(audit.deliveries).expected == UInt64(expected))
    for send in plan.fromServer {
      for client in stride(from: Int(send.sender), to: 5, by: 2) {
        #expect(audit.receive(stamp(send), at: client) == .inOrder)
      }
    }
    #expect(audit.isComplete)
    #expect(
      audit.receive(stamp(plan.fromServer[0]), at: 1 - Int(plan.fromServer[0].sender)) == .stray)
  }

  @Test("A broadcast of a client reaches all others of its group, and nobody else")
  func clientBroadcast() throws {
    var (audit, plan) = try audit(
      "broadcast", "1/s per client", more: #""groups": 2,"#, clients: 5, from: "clients")
    for send in plan.fromClients {
      for client in stride(from: Int(send.sender) % 2, to: 5, by: 2) where client != send.sender {
        #expect(audit.receive(stamp(send), at: client) == .inOrder)
      }
    }
    #expect(audit.isComplete)
    #expect(audit.lost.isEmpty)
    let first = stamp(plan.fromClients[0])
    #expect(audit.receive(first, at: first.sender) == .stray)
    #expect(audit.receive(first, at: (first.sender + 1) % 5) == .stray)
  }

  @Test("What clients send up is for the server to receive, and the other way round")
  func sides() throws {
    let scenario = try scenario("up", "10/s per client", more: "", clients: 4, from: nil)
    let plan = SendPlan(scenario, seed: 1)
    #expect(Audit(scenario, plan, of: .clients).isComplete)
    var server = Audit(scenario, plan, of: .server)
    #expect(!server.isComplete)
    for send in plan.fromClients { _ = server.receive(stamp(send), at: Int(send.sender)) }
    #expect(server.isComplete)
  }

  private func audit(
    _ direction: String, _ rate: String, more: String = "", clients: Int = 4, from: String? = nil
  ) throws -> (Audit, SendPlan) {
    let scenario = try scenario(direction, rate, more: more, clients: clients, from: from)
    let plan = SendPlan(scenario, seed: 1)
    return (Audit(scenario, plan, of: .clients), plan)
  }

  private func scenario(
    _ direction: String, _ rate: String, more: String, clients: Int, from: String?
  ) throws -> Scenario {
    let origin = from.map { "\"from\": \"\($0)\"," } ?? ""
    return try load(
      """
      {"name": "x", "clients": \(clients), \(more) "traffic": [
        {"direction": "\(direction)", \(origin) "rate": "\(rate)", "payload": "64 B"}
      ]}
      """
    ).scenario
  }

  private func stamp(_ send: SendPlan.Send) -> Stamp {
    Stamp(
      intended: send.at, slip: 0, sender: Int(send.sender), flow: Int(send.flow),
      sequence: send.sequence)
  }
}
