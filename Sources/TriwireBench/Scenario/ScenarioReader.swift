import Triwire

/// The bounds of what a scenario may ask for.
enum ScenarioLimits {
  /// Clients of one load process; each takes one or two descriptors and a number in the payload.
  static let clients = 100_000
  /// Repetitions of a trial.
  static let repetitions = 100
  /// The longest part of a trial; payloads count nanoseconds in 42 bits, which is 73 minutes for
  /// all parts together.
  static let duration = TimeSpan.seconds(1800)
  /// The smallest message, which has to hold the ``Stamp``.
  static let smallestPayload = ByteCount(Stamp.length)
  /// The largest message: what a server accepts unless told otherwise.
  static let largestPayload = ByteCount(1 << 20)
  /// Messages a sender may send in one flow of a trial; payloads count them in 24 bits.
  static let messagesPerSender = 1 << 24
  /// Messages all senders may send in a trial, as all of them are planned beforehand.
  static let messages = 20_000_000
  /// Messages all receivers may get in a trial, as each of them is accounted for.
  static let deliveries = 200_000_000
  /// Faults of a trial, each time one begins.
  static let faults: UInt64 = 100_000
  /// How often a control may poll: a server forgets a session that does not within 30 s.
  static let poll = (least: TimeSpan.milliseconds(10), most: TimeSpan.seconds(20))
}

/// Turns the values of a scenario file into a scenario, noting all that is wrong on the way.
struct ScenarioReader {
  let place: Place

  /// All that a file says.
  struct Content {
    let scenario: Scenario
    let changes: [Profile: ProfileChanges]
    let isInSuite: Bool
    let sweep: Sweep?
  }

  func read() -> Content? {
    guard let fields = place.fields(of: ScenarioSchema.scenario) else { return nil }
    _ = fields["$schema"]?.text(like: "\"schema/scenario.json\"")
    let head = readHead(fields)
    let clients = readClients(fields)
    let timing = readTiming(fields)
    let slow = fields.value("slow", default: SlowReaders?.none) { place in
      SlowReadersReader(place: place).read().map { $0 }
    }
    let visitors = fields.value("visitors", default: Visitors?.none) { place in
      VisitorsReader(place: place).read().map { $0 }
    }
    let snapshot = fields.value("snapshot", default: ByteCount?.none) { place in
      place.quantity(
        like: "50 KB", from: ScenarioLimits.smallestPayload, to: ScenarioLimits.largestPayload
      ).map { $0 }
    }
    let traffic = readTraffic(fields)
    let transports = fields.value("transports", default: TransportKind.allCases, readTransports)
    let tls = fields.value("tls", default: [.off], readModes)
    let faults = readFaults(fields)
    let reconnect = fields.value("reconnect", default: ReconnectWaits?.none) { place in
      ReconnectReader(place: place).read().map { $0 }
    }
    let network = fields.value("network", default: Network?.none) { place in
      NetworkReader(place: place).read().map { $0 }
    }
    let headers = fields.value("headers", default: HeaderProfile?.none) { place in
      (place.choice() as HeaderProfile?).map { $0 }
    }
    let compression = fields.value("compression", default: [Compression]?.none) { place in
      readCompression(place).map { $0 }
    }
    let published = fields.value("published", default: Published?.none) { place in
      PublishedReader(place: place).read().map { $0 }
    }
    let thresholds = readThresholds(fields, over: transports)
    let search = fields.value("search", default: CapacitySearch?.none) { place in
      CapacityReader(place: place).read().map { $0 }
    }
    let controlPoll = fields.value("controlPoll", default: TimeSpan?.none) { place in
      (place.quantity(
        like: "1 s", from: ScenarioLimits.poll.least, to: ScenarioLimits.poll.most) as TimeSpan?)
        .map { $0 }
    }
    let isInSuite = fields.value("suite", default: true) { $0.truth() }
    let sweep = fields.value("sweep", default: Sweep?.none) { place in
      SweepReader(place: place).read().map { $0 }
    }
    let changes = fields.value("profiles", default: [:]) { ProfileReader(place: $0).read() }
    guard let head, let clients, let timing, let traffic, let transports, let tls, let faults,
      let reconnect, let network, let headers, let compression, let published, let thresholds,
      let search,
      let controlPoll, let snapshot, let slow, let visitors, let isInSuite, let changes, let sweep
    else {
      return nil
    }
    let scenario = Scenario(
      name: head.name, description: head.description, clients: clients.count,
      groups: clients.groups, idle: clients.idle, slow: slow, visitors: visitors,
      snapshot: snapshot, traffic: traffic,
      warmUp: timing.warmUp,
      duration: timing.duration, drain: timing.drain, repetitions: timing.repetitions,
      seed: timing.seed, transports: transports, tls: tls,
      sessions: faults.sessions, faults: faults.faults, reconnect: reconnect,
      network: network, headers: headers,
      compression: compression, published: published,
      thresholds: thresholds.all.isEmpty ? nil : thresholds, controlPoll: controlPoll,
      search: search)
    checkPossible(scenario, fields)
    checkSweep(sweep, scenario, fields)
    for profile in Profile.allCases {
      guard let changed = changes[profile] else { continue }
      let inner = "profiles"
      checkPossible(
        scenario.shortened(to: profile, with: changed), fields, within: "\(inner).\(profile)")
    }
    return Content(scenario: scenario, changes: changes, isInSuite: isInSuite, sweep: sweep)
  }

  private func readHead(_ fields: Fields) -> (name: String, description: String)? {
    let description = fields.value("description", default: "") { $0.text(like: "\"what it is\"") }
    guard let place = fields.required("name", like: "\"echo\""),
      let name = place.text(like: "\"echo\""), let description
    else { return nil }
    guard !name.isEmpty, name.utf8.allSatisfy({ isNameByte($0) }) else {
      place.refuse("\"\(name)\" is no name, write lower-case letters, digits and dashes")
      return nil
    }
    return (name, description)
  }

  private func readClients(_ fields: Fields) -> (count: Int, groups: Int, idle: IdleSteps?)? {
    let groups = fields.value("groups", default: 1) {
      $0.whole(from: 1, to: ScenarioLimits.clients)
    }
    if let place = fields["idle"] {
      guard let groups, let idle = readIdle(place), let last = idle.steps.last else { return nil }
      if let clients = fields["clients"], clients.node.value != .number(Double(last)) {
        clients.refuse("remove this, the last of idle.steps says how many clients")
      }
      return (last, groups, idle)
    }
    let count = fields.required("clients", like: "50")?.whole(from: 1, to: ScenarioLimits.clients)
    guard let count, let groups else { return nil }
    return (count, groups, nil)
  }

  private func readTiming(_ fields: Fields) -> Timing? {
    let warmUp = fields.value("warmUp", default: .seconds(5), readPause)
    let duration = fields.value("duration", default: .seconds(30), readDuration)
    let drain = fields.value("drain", default: .seconds(5), readDuration)
    let repetitions = fields.value("repetitions", default: 6) {
      $0.whole(from: 1, to: ScenarioLimits.repetitions)
    }
    let seed = fields.value("seed", default: 1) { $0.whole(from: 0, to: 1 << 53) }
    guard let warmUp, let duration, let drain, let repetitions, let seed else { return nil }
    return Timing(
      warmUp: warmUp, duration: duration, drain: drain, repetitions: repetitions,
      seed: UInt64(seed))
  }

  private struct Timing {
    let warmUp, duration, drain: TimeSpan
    let repetitions: Int
    let seed: UInt64
  }

  private func readTransports(_ place: Place) -> [TransportKind]? {
    let kinds = place.list(of: "transports") { $0.choice() as TransportKind? }
    guard let kinds else { return nil }
    guard Set(kinds).count == kinds.count else {
      place.refuse("a transport stands here twice, remove one")
      return nil
    }
    return kinds
  }

  /// One mode, or a list of them.
  private func readModes(_ place: Place) -> [TLSMode]? {
    let read = { (place: Place) in
      place.choice(insteadOfTrue: TLSMode.v1_3, insteadOfFalse: .off)
    }
    guard case .array = place.node.value else { return read(place).map { [$0] } }
    let modes = place.list(of: "modes", read)
    guard let modes else { return nil }
    guard Set(modes).count == modes.count else {
      place.refuse("a mode stands here twice, remove one")
      return nil
    }
    return modes
  }

  /// One way, or a list of them.
  private func readCompression(_ place: Place) -> [Compression]? {
    let read = { (place: Place) in
      place.choice(insteadOfTrue: Compression.on, insteadOfFalse: .off)
    }
    guard case .array = place.node.value else { return read(place).map { [$0] } }
    let ways = place.list(of: "\"off\" and \"on\"", read)
    guard let ways else { return nil }
    guard Set(ways).count == ways.count else {
      place.refuse("one of them stands here twice, remove one")
      return nil
    }
    return ways
  }

  private func readTraffic(_ fields: Fields) -> [Flow]? {
    guard let place = fields["traffic"] else {
      guard fields["idle"] == nil else { return [] }
      place.refuse("there is nothing to measure, write \"traffic\": [ … ] or \"idle\": { … }")
      return nil
    }
    let flows = place.list(of: "flows of messages { … }") { FlowReader(place: $0).read() }
    guard let flows else { return nil }
    guard flows.count <= Stamp.flows else {
      place.refuse("\(flows.count) flows are too many, write up to \(Stamp.flows)")
      return nil
    }
    for (index, flow) in flows.enumerated()
    where flows[..<index].contains(where: { $0.name == flow.name }) {
      place.refuse("two flows are named \"\(flow.name)\", give each a \"name\" of its own")
    }
    return flows
  }
}

// Values that are right each by themselves but do not go together.
extension ScenarioReader {
  private func checkPossible(_ scenario: Scenario, _ fields: Fields, within path: String? = nil) {
    let place = path.map {
      Place(
        node: fields["profiles"]?.node ?? self.place.node, path: $0,
        problems: self.place.problems)
    }
    if path != nil, (scenario.idle == nil) != (fields["idle"] == nil) {
      place?.refuse("a profile can change \"idle\" only when the scenario has it")
    }
    if scenario.groups > scenario.clients {
      (place ?? fields["groups"])?.refuse(
        "\(grouped(scenario.groups)) groups are more than the \(grouped(scenario.clients)) clients")
    }
    if scenario.groups > 1, !scenario.traffic.contains(where: { $0.direction == .broadcast }) {
      (place ?? fields["groups"])?.refuse(
        "groups are for broadcasts, and no flow is one: remove it")
    }
    checkFaults(scenario, fields, at: place)
    checkSearch(scenario, fields, at: place)
    checkSlow(scenario, fields, at: place)
    checkPoll(scenario, fields, at: place)
    checkVisitors(scenario, fields, at: place)
    checkReconnect(scenario, fields)
    for (index, flow) in scenario.traffic.enumerated() {
      check(flow, of: scenario, at: place ?? flowPlace(index, fields))
    }
    checkLoad(scenario, at: place ?? fields["traffic"])
  }

  /// Notes when more messages are sent or arrive than a trial can account for.
  func checkLoad(_ scenario: Scenario, at place: Place?, _ when: String = "") {
    let messages = scenario.traffic.reduce(0) { $0 + scenario.senders(of: $1).messages }
    if messages > Double(ScenarioLimits.messages) {
      place?.refuse(
        "\(when)about \(grouped(Int(messages))) messages to send are too many, "
          + "the limit is \(grouped(ScenarioLimits.messages)): lower a rate or the duration")
    } else {
      checkDeliveries(scenario, at: place, when)
    }
  }

  private func checkDeliveries(_ scenario: Scenario, at place: Place?, _ when: String) {
    let deliveries = scenario.traffic.reduce(0) { sum, flow in
      sum + scenario.senders(of: flow).messages * scenario.receivers(of: flow)
    }
    guard deliveries > Double(ScenarioLimits.deliveries) else { return }
    place?.refuse(
      "\(when)about \(grouped(Int(deliveries))) deliveries are too many, "
        + "the limit is \(grouped(ScenarioLimits.deliveries)): lower a rate, the duration, or clients"
    )
  }

  /// What a control has to ask for may still be there at the end.
  private func checkPoll(_ scenario: Scenario, _ fields: Fields, at profile: Place?) {
    guard let poll = scenario.controlPoll, let place = fields["controlPoll"] else { return }
    if scenario.faults != nil {
      place.refuse("a control that polls keeps no session that faults could break, remove this")
    }
    if scenario.traffic.isEmpty {
      place.refuse("there are no messages to poll for, write \"traffic\": [ … ] as well")
    }
    if scenario.drain.nanoseconds < 2 * poll.nanoseconds {
      (profile ?? place).refuse(
        "what is sent last is asked for up to \(poll) later: write \"drain\": "
          + "\"\(TimeSpan(nanoseconds: 2 * poll.nanoseconds))\" or more")
    }
  }

  func check(_ flow: Flow, of scenario: Scenario, at place: Place?) {
    let senders = scenario.senders(of: flow)
    if senders.messages / Double(senders.count) >= Double(ScenarioLimits.messagesPerSender) {
      place?.refuse(
        "a sender would send more than \(grouped(ScenarioLimits.messagesPerSender)) messages: "
          + "lower the rate or the duration")
    }
    if flow.direction == .broadcast, flow.from == .clients, scenario.clients < 2 * scenario.groups {
      place?.refuse(
        "a client speaks to the others of its group and some group has none: "
          + "write at least twice as many clients as groups")
    }
  }

  private func flowPlace(_ index: Int, _ fields: Fields) -> Place? {
    guard let traffic = fields["traffic"], case .array(let nodes) = traffic.node.value else {
      return nil
    }
    return Place(
      node: nodes[index], path: "\(traffic.path)[\(index)]", problems: traffic.problems)
  }
}

extension Scenario {
  /// How many clients (or the server) each message of a flow reaches, on average.
  fileprivate func receivers(of flow: Flow) -> Double {
    guard flow.direction == .broadcast else { return 1 }
    let members = Double(clients) / Double(groups)
    return flow.from == .server ? members : members - 1
  }

  /// Who sends the messages of a flow, how often each, and about how many in all.
  func senders(of flow: Flow) -> (count: Int, perSecond: Double, messages: Double) {
    let count = flow.direction == .broadcast && flow.from == .server ? groups : clients
    let share =
      switch flow.rate.scope {
      case .client: flow.rate.perSecond * Double(clients) / Double(count)
      case .group: flow.rate.perSecond
      case .all: flow.rate.perSecond / Double(count)
      }
    let raised = flow.burst.map { 1 + ($0.factor - 1) * $0.length.seconds / $0.every.seconds } ?? 1
    return (count, share, share * raised * Double(count) * (warmUp.seconds + duration.seconds))
  }
}

func readDuration(_ place: Place) -> TimeSpan? {
  place.quantity(like: "10 s", from: .milliseconds(10), to: ScenarioLimits.duration)
}

func readPause(_ place: Place) -> TimeSpan? {
  place.quantity(like: "1 s", from: TimeSpan(nanoseconds: 0), to: ScenarioLimits.duration)
}

func readIdle(_ place: Place) -> IdleSteps? {
  guard let fields = place.fields(of: ScenarioSchema.idle) else { return nil }
  let steps = fields.required("steps", like: "[500, 1000]")?.list(of: "numbers of clients") {
    $0.whole(from: 1, to: ScenarioLimits.clients)
  }
  let hold = fields.value("hold", default: .seconds(10), readPause)
  guard let steps, let hold else { return nil }
  guard steps.count >= 2, zip(steps, steps.dropFirst()).allSatisfy(<) else {
    fields["steps"]?.refuse("write at least two numbers of clients, each more than the one before")
    return nil
  }
  return IdleSteps(steps: steps, hold: hold)
}

private func isNameByte(_ byte: UInt8) -> Bool {
  (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
}
