/// Accounts for every message that one side of a trial has to receive.
///
/// For each receiver and each sender it hears, the audit knows which messages the plan has, and
/// sees from sequence numbers which came in order, late, twice, or not at all. All messages are
/// audited, also those of the warm-up.
struct Audit {
  /// What an arriving message turned out to be.
  enum Verdict: Equatable {
    /// The first arrival of a message, in order.
    case inOrder
    /// The first arrival of a message that a later one overtook.
    case late
    /// A message that was there already.
    case again
    /// A message that does not belong here.
    case stray
  }

  /// A message that did not come.
  struct Lost: Equatable {
    let flow: Int
    let receiver: Int
    let sender: Int
    let sequence: UInt32
  }

  private let flows: [Route]
  private var tables: [Table]
  private(set) var strays: UInt64 = 0

  /// Prepares for all messages that clients (or the server) have to receive by the plan.
  init(_ scenario: Scenario, _ plan: SendPlan, of side: Side) {
    flows = scenario.traffic.indices.map {
      Route(scenario, flow: $0, counts: plan.counts[$0], to: side)
    }
    tables = flows.map { Table(next: [UInt32](repeating: 0, count: $0.size)) }
  }

  /// Who receives.
  enum Side: Sendable { case clients, server }

  /// Accounts for one message that arrived.
  mutating func receive(_ stamp: Stamp, at receiver: Int) -> Verdict {
    guard stamp.flow < flows.count,
      let slot = flows[stamp.flow].slot(receiver: receiver, sender: stamp.sender),
      stamp.sequence < flows[stamp.flow].counts[stamp.sender]
    else {
      strays += 1
      return .stray
    }
    return tables[stamp.flow].receive(stamp.sequence, in: slot)
  }

  /// Notes a message that could not be read at all.
  mutating func receiveDamaged() { strays += 1 }

  /// Whether everything has come that had to.
  var isComplete: Bool {
    zip(flows, tables).allSatisfy { $0.expected == $1.delivered }
  }

  /// What came of each flow, in the order of the scenario.
  var deliveries: [Delivery] {
    zip(flows, tables).map { route, table in
      Delivery(
        expected: route.expected, delivered: table.delivered,
        lost: route.expected - table.delivered, duplicated: table.duplicated,
        reordered: table.reordered)
    }
  }

  /// The messages that did not come.
  var lost: [Lost] {
    flows.indices.flatMap { index in
      flows[index].pairs.flatMap { receiver, sender in
        tables[index].absent(
          in: flows[index].slot(receiver: receiver, sender: sender) ?? 0,
          of: flows[index].counts[sender]
        ).map { Lost(flow: index, receiver: receiver, sender: sender, sequence: $0) }
      }
    }
  }
}

/// Who hears whom in one flow.
private struct Route {
  let counts: [UInt32]
  /// How many messages all receivers together have to get.
  let expected: UInt64
  /// How many pairs of a receiver and a sender there is room for.
  let size: Int
  private let pattern: Pattern
  private let clients: Int
  private let groups: Int
  /// For each client that broadcasts anything, its place among those of its group; -1 for others.
  private let places: [Int32]
  /// How many clients of a group broadcast anything, at most.
  private let width: Int

  private enum Pattern { case nobody, oneToOne, groupToMembers, memberToOthers }

  init(_ scenario: Scenario, flow index: Int, counts: [UInt32], to side: Audit.Side) {
    let flow = scenario.traffic[index]
    self.counts = counts
    clients = scenario.clients
    groups = scenario.groups
    switch (flow.direction, side) {
    case (.up, .server), (.down, .clients), (.echo, .clients): pattern = .oneToOne
    case (.broadcast, .clients): pattern = flow.from == .server ? .groupToMembers : .memberToOthers
    case (.up, .clients), (.down, .server), (.echo, .server), (.broadcast, .server):
      pattern = .nobody
    }
    (places, width) = Route.places(of: pattern == .memberToOthers ? counts : [], in: groups)
    let members: (Int) -> Int = { [clients, groups] in (clients - $0 + groups - 1) / groups }
    let sent = counts.enumerated()
    switch pattern {
    case .nobody: (size, expected) = (0, 0)
    case .oneToOne: (size, expected) = (clients, counts.reduce(0) { $0 + UInt64($1) })
    case .groupToMembers:
      (size, expected) = (
        clients, sent.reduce(0) { $0 + UInt64($1.element) * UInt64(members($1.offset)) }
      )
    case .memberToOthers:
      size = clients * width
      expected = sent.reduce(0) { [groups] in
        $0 + UInt64($1.element) * UInt64(members($1.offset % groups) - 1)
      }
    }
  }

  /// Numbers the senders of each group that send anything, so that a large group in which few
  /// speak takes little room.
  private static func places(of counts: [UInt32], in groups: Int) -> ([Int32], Int) {
    var used = [Int32](repeating: 0, count: groups)
    let places = counts.enumerated().map { sender, count -> Int32 in
      guard count > 0 else { return -1 }
      used[sender % groups] += 1
      return used[sender % groups] - 1
    }
    return (places, Int(used.max() ?? 0))
  }

  /// Where this pair is accounted for, or `nil` when the one never hears the other.
  func slot(receiver: Int, sender: Int) -> Int? {
    guard sender < counts.count, receiver < clients else { return nil }
    switch pattern {
    case .nobody: return nil
    case .oneToOne: return sender == receiver ? receiver : nil
    case .groupToMembers: return sender == receiver % groups ? receiver : nil
    case .memberToOthers:
      // Nobody is told what it said itself.
      guard sender != receiver, sender % groups == receiver % groups, places[sender] >= 0 else {
        return nil
      }
      return receiver * width + Int(places[sender])
    }
  }

  /// All receivers with each sender they hear.
  var pairs: [(receiver: Int, sender: Int)] {
    switch pattern {
    case .nobody: []
    case .oneToOne: (0..<clients).map { ($0, $0) }
    case .groupToMembers: (0..<clients).map { ($0, $0 % groups) }
    case .memberToOthers:
      (0..<clients).flatMap { receiver in
        stride(from: receiver % groups, to: clients, by: groups)
          .filter { $0 != receiver && places[$0] >= 0 }.map { (receiver, $0) }
      }
    }
  }
}

/// What has arrived in one flow.
private struct Table {
  /// The sequence number that comes next in order, for each slot.
  var next: [UInt32]
  /// Numbers below `next` that have not arrived, for the few slots that have such.
  private var gaps: [Int: Set<UInt32>] = [:]
  private(set) var delivered: UInt64 = 0
  private(set) var duplicated: UInt64 = 0
  private(set) var reordered: UInt64 = 0

  init(next: [UInt32]) { self.next = next }

  mutating func receive(_ sequence: UInt32, in slot: Int) -> Audit.Verdict {
    if sequence >= next[slot] {
      if sequence > next[slot] { gaps[slot, default: []].formUnion(next[slot]..<sequence) }
      next[slot] = sequence + 1
      delivered += 1
      return .inOrder
    }
    guard gaps[slot]?.remove(sequence) != nil else {
      duplicated += 1
      return .again
    }
    delivered += 1
    reordered += 1
    return .late
  }

  /// The numbers below `count` that have not arrived, ascending.
  func absent(in slot: Int, of count: UInt32) -> [UInt32] {
    (gaps[slot]?.sorted() ?? []) + Array(next[slot]..<max(next[slot], count))
  }
}
