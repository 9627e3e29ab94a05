import Testing
import Triwire

@testable import TriwireBench

@Suite("Plan")
struct PlanTests {
  @Test("Six repetitions take three transports in all six orders")
  func orders() throws {
    let plan = Plan([try load(scenario("echo", "1/s per client"))], choosing: .init(profile: .full))
    let orders = (1...6).map { repetition in
      plan.trials.filter { $0.repetition == repetition }.map(\.transport)
    }
    #expect(plan.trials.count == 18)
    #expect(Set(orders).count == 6)
    #expect(orders.allSatisfy { Set($0) == Set(TransportKind.allCases) })
    // Balanced: each transport runs twice in each place.
    for place in 0..<3 {
      for transport in TransportKind.allCases {
        #expect(orders.count { $0[place] == transport } == 2)
      }
    }
  }

  @Test("Three repetitions put each of three transports once in each place, in every scenario")
  func square() throws {
    let files = try (0..<8).map { _ in try load(scenario("echo", "1/s per client")) }
    let plan = Plan(files, choosing: .init(repetitions: 3))
    for start in stride(from: 0, to: plan.trials.count, by: 9) {
      let trials = plan.trials[start..<start + 9].map(\.transport)
      for place in 0..<3 {
        #expect(Set([0, 3, 6].map { trials[$0 + place] }).count == 3)
      }
    }
    // One after the other begins with another transport.
    let first = Plan(files, choosing: .init(repetitions: 1)).trials.map(\.transport)
    #expect(Set([first[0], first[3], first[6]]).count == 3)
    #expect(Set([first[9], first[12], first[15]]).count == 3)
  }

  @Test("A control is the first transport once more, with the same seed, in each place in turn")
  func control() throws {
    let plan = Plan(
      [try load(scenario("echo", "1/s per client"))],
      choosing: .init(repetitions: 4, hasControl: true))
    #expect(plan.trials.count == 16)
    let places = (0..<4).compactMap { repetition in
      plan.trials[repetition * 4..<repetition * 4 + 4].map(\.isControl).firstIndex(of: true)
    }
    #expect(places == [0, 1, 2, 3])
    let controls = plan.trials.filter(\.isControl)
    #expect(controls.allSatisfy { $0.transport == .webSocket && $0.name == "websocket again" })
    for control in controls {
      let twins = plan.trials.filter {
        $0.repetition == control.repetition && $0.transport == .webSocket
      }
      #expect(twins.count == 2 && twins[0].seed == twins[1].seed)
    }
  }

  @Test("Two repetitions take two transports in both orders")
  func both() throws {
    let plan = Plan(
      [try load(scenario("echo", "1/s per client"))],
      choosing: .init(transports: [.webSocket, .serverSentEvents], repetitions: 2))
    let order = plan.trials.map(\.transport)
    #expect(Array(order[..<2]) == order[2...].reversed())
    #expect(Set(order).count == 2)
  }

  @Test("The seed decides the orders: the same gives the same, and others all there are")
  func seededOrders() {
    #expect(
      shuffledOrders(of: [0, 1, 2], seed: 5)
        == shuffledOrders(of: [0, 1, 2], seed: 5))
    let first = (0..<100).map { shuffledOrders(of: [0, 1, 2], seed: $0)[0] }
    #expect(Set(first).count == 6)
    for turn in 0..<6 {
      #expect(Set(shuffledOrders(of: [0, 1, 2], seed: 5, turn: turn)).count == 6)
    }
  }

  @Test(
    "Any number of contenders stands equally often in each place and after each other",
    arguments: 1...12)
  func balance(count: Int) {
    let orders = balancedOrders(of: Array(0..<count))
    #expect(orders.count == (count.isMultiple(of: 2) || count == 1 ? count : 2 * count))
    let rounds = orders.count / count
    var places = [[Int]: Int]()
    var pairs = [[Int]: Int]()
    for order in orders {
      for (place, element) in order.enumerated() { places[[place, element], default: 0] += 1 }
      for (one, next) in zip(order, order.dropFirst()) { pairs[[one, next], default: 0] += 1 }
    }
    #expect(places.count == count * count)
    #expect(places.values.allSatisfy { $0 == rounds })
    #expect(pairs.count == count * (count - 1))
    #expect(pairs.values.allSatisfy { $0 == rounds })
  }

  @Test("Modes of TLS are interleaved with the transports, all with the same seed")
  func modes() throws {
    let plan = Plan(
      [try load(scenario("echo", "1/s per client"))],
      choosing: .init(tls: [.off, .v1_3], repetitions: 6))
    #expect(plan.scenarios[0].tls == [.off, .v1_3])
    #expect(plan.trials.count == 36)
    for repetition in 1...6 {
      let trials = plan.trials.filter { $0.repetition == repetition }
      #expect(Set(trials.map(\.contender)).count == 6)
      #expect(Set(trials.map(\.seed)).count == 1)
      // Never one mode as a block after the other.
      let modes = trials.map(\.contender.tls)
      #expect(Set(modes[..<3]).count == 2)
    }
    #expect(plan.trials.contains { $0.name == "websocket no TLS" })
  }

  @Test("Choices override transports, repetitions and seed")
  func choices() throws {
    let plan = Plan(
      [try load(scenario("echo", "1/s per client"))],
      choosing: .init(profile: .smoke, transports: [.longPolling], repetitions: 2, seed: 99))
    #expect(plan.trials.map(\.transport) == [.longPolling, .longPolling])
    #expect(plan.scenarios.first?.seed == 99)
    #expect(plan.trials[0].seed != plan.trials[1].seed)
  }

  @Test("All transports of a repetition are given the same seed, repetitions differ")
  func seeds() throws {
    let plan = Plan(
      [try load(scenario("echo", "1/s per client"))], choosing: .init(profile: .quick))
    let seeds = Dictionary(grouping: plan.trials, by: \.repetition).mapValues {
      Set($0.map(\.seed))
    }
    #expect(seeds.values.allSatisfy { $0.count == 1 })
    #expect(Set(seeds.values.flatMap { $0 }).count == 3)
  }

  @Test("The same seed gives the same messages, another seed others")
  func determinism() throws {
    let file = try load(scenario("echo", "20/s per client"))
    let plan = SendPlan(file.scenario, seed: 5)
    #expect(plan.fromClients == SendPlan(file.scenario, seed: 5).fromClients)
    #expect(plan.fromClients != SendPlan(file.scenario, seed: 6).fromClients)
    #expect(plan.fromServer.isEmpty)
  }

  @Test("The first sends of a plan are the same on every machine")
  func golden() throws {
    let plan = SendPlan(try load(scenario("echo", "20/s per client")).scenario, seed: 5)
    let first = plan.fromClients.prefix(4).map { "\($0.at) \($0.sender) \($0.sequence)" }
    #expect(first == ["2110050 2 0", "4963423 0 0", "26494508 3 0", "35554194 1 0"])
  }

  @Test("A client that sends rarely sends once in the warm-up as well, so that its way up is open")
  func rare() throws {
    let file = try load(scenario("up", "2/min per client"))
    let plan = SendPlan(file.scenario, seed: 1)
    let senders = Dictionary(grouping: plan.fromClients, by: \.sender)
    #expect(!senders.isEmpty)
    for (_, sends) in senders {
      #expect(sends.map(\.sequence) == Array(0..<UInt32(sends.count)))
      #expect(sends.contains { $0.at < plan.measuredFrom })
      #expect(sends.contains { $0.at >= plan.measuredFrom } || sends.count == 1)
    }
    // What the server sends opens nothing.
    let down = SendPlan(try load(scenario("down", "2/min per client")).scenario, seed: 1)
    #expect(down.fromServer.contains { $0.sequence == 0 && $0.at >= down.measuredFrom })
  }

  @Test("Periodic senders keep their distance, and start at different moments")
  func periodic() throws {
    let plan = SendPlan(
      try load(scenario("up", "10/s per client", more: #""arrivals": "periodic","#)).scenario,
      seed: 1)
    let first = plan.fromClients.filter { $0.sender == 0 && $0.at < plan.measuredFrom }.map(\.at)
    #expect(first.count == 50)
    #expect(zip(first, first.dropFirst()).allSatisfy { abs(Int($1 - $0) - 100_000_000) <= 1 })
    #expect(Set(plan.fromClients.filter { $0.sequence == 0 }.map(\.at)).count == 4)
  }

  @Test("Poisson arrivals have the wanted rate, and gaps spread as an exponential")
  func poisson() throws {
    let plan = SendPlan(try load(scenario("up", "500/s per client")).scenario, seed: 1)
    let expected = 4 * 500 * 35.0
    #expect(abs(Double(plan.fromClients.count) - expected) < 4 * expected.squareRoot())
    let times = plan.fromClients.filter { $0.sender == 2 && $0.at < plan.measuredFrom }.map(\.at)
    let gaps = zip(times, times.dropFirst()).map { Double($1 - $0) }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    #expect(abs(variance.squareRoot() / mean - 1) < 0.1)
  }

  @Test("Nothing is sent in the quiet between warm-up and measuring, or after the end")
  func quiet() throws {
    let plan = SendPlan(try load(scenario("up", "200/s per client")).scenario, seed: 1)
    #expect(plan.measuredFrom == 5_300_000_000)
    #expect(plan.end == 35_300_000_000)
    #expect(!plan.fromClients.contains { $0.at >= 5_000_000_000 && $0.at < plan.measuredFrom })
    #expect(plan.fromClients.allSatisfy { $0.at < plan.end })
    let counted = plan.fromClients.reduce(into: [UInt32](repeating: 0, count: 4)) {
      $0[Int($1.sender)] += 1
    }
    #expect(plan.counts == [counted])
  }

  @Test("A burst raises the rate for its length, the first one half a period in")
  func burst() throws {
    let plan = SendPlan(
      try load(
        scenario(
          "down", "100/s per client",
          more: #""burst": {"factor": 5, "length": "200 ms", "every": "5 s"},"#)
      ).scenario, seed: 1)
    let times = plan.fromServer.map { $0.at >= plan.measuredFrom ? $0.at - 300_000_000 : $0.at }
    let inBurst = times.filter { (2_500_000_000..<2_700_000_000).contains($0 % 5_000_000_000) }
    let expected = 4 * 500 * 0.2 * 7
    #expect(abs(Double(inBurst.count) - expected) < 4 * expected.squareRoot())
    let calm = 4 * 100 * 4.8 * 7
    #expect(abs(Double(times.count - inBurst.count) - calm) < 4 * calm.squareRoot())
  }

  @Test("Bursts that are apart are as long and as many, but at times of each sender's own")
  func burstsApart() throws {
    let burst = #"""
      "burst": {"factor": 500, "length": "1 s", "every": "5 s", "apart": true}, "arrivals": "periodic",
      """#
    let plan = SendPlan(
      try load(scenario("down", "0.1/s per client", more: burst)).scenario, seed: 1)
    for sender in 0..<Int32(4) {
      let times = plan.fromServer.filter { $0.sender == sender }
        .map { $0.at >= plan.measuredFrom ? $0.at - 300_000_000 : $0.at }
      #expect(times == times.sorted())
      // 35 s are seven periods of 50 messages in the burst and 0.4 beside it.
      #expect((340...364).contains(times.count))
      let gaps = zip(times, times.dropFirst()).map { $1 - $0 }.filter { $0 > 1_000_000_000 }
      #expect((6...16).contains(gaps.count), "a burst, one message perhaps, the next burst")
    }
    let firsts = (0..<Int32(4)).compactMap { sender in
      plan.fromServer.first { $0.sender == sender }?.at
    }
    #expect(Set(firsts.map { $0 / 50_000_000 }).count > 1)
  }

  @Test("Sizes stay within their bounds, and lognormal ones centre on the geometric mean")
  func sizes() throws {
    let text = scenario("up", "500/s per client")
    let uniform = SendPlan(
      try load(text.replacing("\"64 B\"", with: #"{"uniform": ["80 B", "200 B"]}"#)).scenario,
      seed: 1
    ).fromClients.map { Int($0.size) }
    #expect(uniform.min() == 80 && uniform.max() == 200)
    let lognormal = SendPlan(
      try load(text.replacing("\"64 B\"", with: #"{"lognormal": ["80 B", "200 B"]}"#)).scenario,
      seed: 1
    ).fromClients.map { Int($0.size) }.sorted()
    #expect(lognormal.first == 80 && lognormal.last == 200)
    #expect((125...128).contains(lognormal[lognormal.count / 2]))
  }

  private func scenario(_ direction: String, _ rate: String, more: String = "") -> String {
    """
    {"name": "x", "clients": 4, "traffic": [
      {"direction": "\(direction)", \(more) "rate": "\(rate)", "payload": "64 B"}
    ]}
    """
  }
}
