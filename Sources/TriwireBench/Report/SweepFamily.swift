import Triwire
import TriwireFaults

/// Scenarios of a report that are the same but for the rate and the payload of their one flow.
struct SweepFamily {
  /// One of them.
  struct Point {
    let comparison: Comparison
    /// Messages that a client gets, or sends where they go up, per second.
    let rate: Double
    /// The size of each, in bytes.
    let payload: Int
  }

  /// What their names have in common.
  let name: String
  /// By rate, and by size where rates are the same.
  let points: [Point]

  /// The families of a report, in the order of their first scenarios; each has two points at least.
  static func all(_ comparisons: [Comparison]) -> [SweepFamily] {
    var groups: [(key: Scenario, members: [Comparison])] = []
    for comparison in comparisons where !comparison.pools.isEmpty {
      guard let key = comparison.scenario.besidesLoad else { continue }
      if let index = groups.firstIndex(where: { $0.key == key }) {
        groups[index].members.append(comparison)
      } else {
        groups.append((key, [comparison]))
      }
    }
    return groups.compactMap { SweepFamily($0.members) }
  }

  private init?(_ members: [Comparison]) {
    points = members.compactMap { comparison -> Point? in
      guard case .fixed(let size) = comparison.scenario.traffic[0].payload else { return nil }
      return Point(
        comparison: comparison, rate: comparison.scenario.ratePerClient, payload: size.bytes)
    }.sorted { ($0.rate, $0.payload) < ($1.rate, $1.payload) }
    let distinct = Set(points.map { "\($0.rate) \($0.payload)" })
    guard points.count > 1, distinct.count == points.count else { return nil }
    let names = points.map(\.comparison.scenario.name)
    let common = names.dropFirst().reduce(names[0]) { $0.commonPrefix(with: $1) }
    let words = common.split(separator: "-")
    // What is cut within a word is no name.
    let isWhole = common.hasSuffix("-") || words.count < 2
    name = (isWhole ? words : words.dropLast()).joined(separator: "-")
  }

  var rates: [Double] { Set(points.map(\.rate)).sorted() }
  var payloads: [Int] { Set(points.map(\.payload)).sorted() }

  /// The contenders of the points, by name, in order.
  var names: [String] {
    points.flatMap { $0.comparison.pools.map(\.name) }.reduce(into: []) { names, name in
      if !names.contains(name) { names.append(name) }
    }
  }

  /// Whether a scenario is one of its points.
  func holds(_ comparison: Comparison) -> Bool {
    points.contains { $0.comparison.scenario.name == comparison.scenario.name }
  }
}

extension Scenario {
  /// All of it but what points of a family differ in; `nil` where it is no point of any.
  fileprivate var besidesLoad: Scenario? {
    guard traffic.count == 1, search == nil, idle == nil, faults == nil,
      case .fixed = traffic[0].payload
    else { return nil }
    var rest = self
    (rest.name, rest.description, rest.seed) = ("", "", 0)
    (rest.thresholds, rest.published) = (nil, nil)
    rest.traffic[0].rate = Rate(1, .client)
    rest.traffic[0].payload = .fixed(ByteCount(1))
    return rest
  }

  /// Messages of its first flow that a client gets, or sends where they go up, per second.
  fileprivate var ratePerClient: Double {
    let flow = traffic[0]
    let senders = senders(of: flow)
    guard flow.direction == .broadcast else {
      return senders.perSecond * Double(senders.count) / Double(clients)
    }
    let members = Double(clients) / Double(groups)
    return senders.perSecond * (flow.from == .server ? 1 : max(0, members - 1))
  }
}

extension String {
  /// What both begin with.
  fileprivate func commonPrefix(with other: String) -> String {
    String(zip(self, other).prefix { $0 == $1 }.map(\.0))
  }
}
