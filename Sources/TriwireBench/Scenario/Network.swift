public import TriwireFaults

/// The network between the clients of a scenario and its server.
public enum Network: Sendable, Equatable {
  /// One that has a name.
  case profile(NetworkProfile)
  /// One that is described by its values.
  case values(NetworkValues)

  /// What it does to each connection.
  public var conditions: NetworkConditions {
    switch self {
    case .profile(let profile): profile.conditions
    case .values(let values): values.conditions
    }
  }

  /// It in a few words, with all it does.
  var summary: String {
    let values = NetworkValues(conditions).summary
    return if case .profile(let profile) = self { "\(profile.rawValue) (\(values))" } else {
      values
    }
  }
}

/// The values of a network, as scenario files write them.
public struct NetworkValues: Sendable, Equatable, Codable {
  /// A round trip, of which each direction takes half.
  public var roundTrip: TimeSpan?
  /// How much shorter or longer the way of a segment may take.
  public var jitter: TimeSpan?
  /// From the server to the client; `nil` is no limit.
  public var down: BitRate?
  /// From the client to the server; `nil` is no limit.
  public var up: BitRate?
  /// How likely a segment is lost at first.
  public var loss: Double?
  /// How many losses come in a row on average; `nil` is that each comes by itself.
  public var lossBurst: Double?
  /// How much may wait for the line beyond what is on it.
  public var queue: ByteCount?

  /// Sets the values; what is left out is nothing, no limit, or 64 KiB of queue.
  public init(
    roundTrip: TimeSpan? = nil, jitter: TimeSpan? = nil, down: BitRate? = nil, up: BitRate? = nil,
    loss: Double? = nil, lossBurst: Double? = nil, queue: ByteCount? = nil
  ) {
    self.roundTrip = roundTrip
    self.jitter = jitter
    self.down = down
    self.up = up
    self.loss = loss
    self.lossBurst = lossBurst
    self.queue = queue
  }

  /// The values of conditions.
  package init(_ conditions: NetworkConditions) {
    func span(_ time: Duration) -> TimeSpan? {
      time > .zero ? TimeSpan(nanoseconds: UInt64(time / .nanoseconds(1))) : nil
    }
    var lossBurst: Double?
    if case .bursts(let mean) = conditions.losses { lossBurst = mean }
    self.init(
      roundTrip: span(conditions.roundTrip), jitter: span(conditions.jitter),
      down: conditions.downRate.map { BitRate($0) }, up: conditions.upRate.map { BitRate($0) },
      loss: conditions.loss > 0 ? conditions.loss : nil, lossBurst: lossBurst,
      queue: ByteCount(conditions.queueBytes))
  }

  /// What a relay does with them.
  package var conditions: NetworkConditions {
    func duration(_ span: TimeSpan?) -> Duration { .nanoseconds(Int64(span?.nanoseconds ?? 0)) }
    var conditions = NetworkConditions(
      roundTrip: duration(roundTrip), jitter: duration(jitter), downRate: down?.bitsPerSecond,
      upRate: up?.bitsPerSecond, loss: loss ?? 0,
      losses: lossBurst.map { .bursts(mean: $0) } ?? .independent)
    if let queue { conditions.queueBytes = queue.bytes }
    return conditions
  }

  /// The values in a few words: `round trip 40 ms, down 100 Mbit/s, up 20 Mbit/s`.
  package var summary: String {
    let words = [
      roundTrip.map { "round trip \($0)" }, jitter.map { "each way ± \($0)" },
      down.map { "down \($0)" }, up.map { "up \($0)" },
      loss.map { "loss \(plain(($0 * 1e6).rounded() / 1e4)) %" },
      lossBurst.map { "in bursts of \(plain($0))" },
    ].compactMap { $0 }
    return words.isEmpty ? "nothing added" : words.joined(separator: ", ")
  }
}

/// The bounds of networks.
package enum NetworkLimits {
  /// The longest round trip.
  package static let roundTrip = TimeSpan.seconds(10)
  /// The lowest rate.
  package static let lowest = BitRate(1000)
  /// The highest rate.
  package static let highest = BitRate(100_000_000_000)
  /// The smallest queue: one segment.
  package static let smallestQueue = ByteCount(1500)
  /// The largest queue.
  package static let largestQueue = ByteCount(64 << 20)
  /// The largest share of segments that are lost.
  package static let loss = 0.5
  /// The most losses in a row, on average.
  package static let lossBurst = 100.0
  /// Losses in a row, on average, unless a number is given.
  package static let usualBurst = 3.0
}

/// How many bits pass in a second, as scenario files write it: `"1.6 Mbit/s"`.
public struct BitRate: Sendable, Hashable, Comparable {
  /// Bits per second.
  public let bitsPerSecond: Int

  /// So many bits per second.
  public init(_ bitsPerSecond: Int) { self.bitsPerSecond = bitsPerSecond }

  /// The slower of the two comes first.
  public static func < (one: BitRate, other: BitRate) -> Bool {
    one.bitsPerSecond < other.bitsPerSecond
  }
}

extension BitRate: Quantity {
  private static let units: [(name: String, bits: Int)] = [
    ("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000), ("kbit/s", 1000), ("bit/s", 1),
  ]

  package init(parsing text: String) throws(QuantityError) {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let unit = text[digits.endIndex...].trimmed
    guard let number = Double(digits), let known = BitRate.units.first(where: { $0.name == unit }),
      number * Double(known.bits) < 1e15
    else {
      throw QuantityError(
        description: "\"\(text)\" is not a rate of bits, write a number and a unit of kbit/s, "
          + "Mbit/s or Gbit/s: \"1.6 Mbit/s\"")
    }
    self.init(Int((number * Double(known.bits)).rounded()))
  }

  /// The largest unit in which it is at least 1: `1.6 Mbit/s`.
  public var description: String {
    let unit =
      BitRate.units.first { bitsPerSecond >= $0.bits } ?? BitRate.units[BitRate.units.count - 1]
    return "\(plain(Double(bitsPerSecond) / Double(unit.bits))) \(unit.name)"
  }
}

extension Network: Codable {
  /// Reads a name or an object of values.
  ///
  /// - Throws: `DecodingError` when it is neither.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let profile = try? container.decode(NetworkProfile.self) {
      self = .profile(profile)
    } else {
      self = .values(try container.decode(NetworkValues.self))
    }
  }

  /// Writes the name, or the values.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .profile(let profile): try container.encode(profile)
    case .values(let values): try container.encode(values)
    }
  }
}

/// Reads the network of a scenario file.
struct NetworkReader {
  let place: Place

  func read() -> Network? {
    guard case .object = place.node.value else {
      if case .string = place.node.value {
        return (place.choice() as NetworkProfile?).map { .profile($0) }
      }
      place.refuse("this is \(place.node.kind), write a name like \"wan\", or an object { … }")
      return nil
    }
    guard let fields = place.fields(of: ScenarioSchema.network) else { return nil }
    let values = NetworkValues(
      roundTrip: fields["roundTrip"].flatMap(readTime),
      jitter: fields["jitter"].flatMap(readTime),
      down: fields["down"].flatMap(readRate), up: fields["up"].flatMap(readRate),
      loss: fields["loss"].flatMap { $0.number(above: 0, to: NetworkLimits.loss) },
      lossBurst: fields["lossBurst"].flatMap(readBurst),
      queue: fields["queue"].flatMap {
        $0.quantity(
          like: "64 KiB", from: NetworkLimits.smallestQueue, to: NetworkLimits.largestQueue)
      })
    guard !fields.places.isEmpty else {
      place.refuse("there is nothing in it, write a \"roundTrip\" or a name like \"wan\"")
      return nil
    }
    if let place = fields["lossBurst"], fields["loss"] == nil {
      place.refuse("nothing is lost, write a \"loss\" beside it, such as 0.02")
    }
    let half = (values.roundTrip?.nanoseconds ?? 0) / 2
    if let jitter = values.jitter, jitter.nanoseconds > half {
      fields["jitter"]?.refuse("\(jitter) is too much, write at most half of roundTrip")
    }
    return .values(values)
  }

  /// A number, or true for the usual one.
  private func readBurst(_ place: Place) -> Double? {
    if case .bool(let isThere) = place.node.value {
      return isThere ? NetworkLimits.usualBurst : nil
    }
    return place.number(above: 1, to: NetworkLimits.lossBurst)
  }

  private func readTime(_ place: Place) -> TimeSpan? {
    place.quantity(like: "40 ms", from: TimeSpan(nanoseconds: 0), to: NetworkLimits.roundTrip)
  }

  private func readRate(_ place: Place) -> BitRate? {
    place.quantity(like: "1.6 Mbit/s", from: NetworkLimits.lowest, to: NetworkLimits.highest)
  }
}

extension Scenario {
  /// A pause long enough for what was sent before it to be over: longer than TCP may delay an
  /// acknowledgement (200 ms), two round trips, and what a loss takes.
  var quiet: TimeSpan {
    guard let conditions = network?.conditions else { return SendPlan.quiet }
    let trips = 2 * UInt64(conditions.roundTrip / .nanoseconds(1))
    let loss: UInt64 = conditions.loss > 0 ? 500_000_000 : 0
    return TimeSpan(nanoseconds: SendPlan.quiet.nanoseconds + trips + loss)
  }

  /// How long to wait for what is under way at the end: what the last segment may be held by losses
  /// comes on top.
  var patience: TimeSpan {
    guard let conditions = network?.conditions, conditions.loss > 0 else { return drain }
    return TimeSpan(nanoseconds: drain.nanoseconds + Wire.longestHold(conditions))
  }
}
