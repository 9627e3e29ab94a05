/// Reads one flow of a scenario file.
struct FlowReader {
  let place: Place

  func read() -> Flow? {
    guard let fields = place.fields(of: ScenarioSchema.flow) else { return nil }
    let direction: Flow.Direction? = fields.required("direction", like: "\"echo\"")?.choice()
    let rate = fields.required("rate", like: "\"10/s per client\"").flatMap(readRate)
    let payload = fields.required("payload", like: "\"64 B\"").flatMap(readPayload)
    let arrivals = fields.value("arrivals", default: Flow.Arrivals.poisson) { $0.choice() }
    let format: RecordFormat? = if case .record(let format)? = payload { format } else { nil }
    let kind = fields.value("kind", default: format?.kind ?? .text) { $0.choice() }
    let burst = fields.value("burst", default: Burst?.none) { place in readBurst(place).map { $0 } }
    let from = fields.value("from", default: Flow.Origin.server) { $0.choice() }
    let content = fields.value("content", default: Flow.Content?.none) { place in
      (place.choice() as Flow.Content?).map { $0 }
    }
    guard let direction, let rate, let payload, let arrivals, let kind, let burst, let from,
      let content
    else {
      return nil
    }
    let name = fields.value("name", default: direction.rawValue) { $0.text(like: "\"prices\"") }
    guard let name else { return nil }
    if let format, kind != format.kind {
      fields["kind"]?.refuse(
        "a record in \(format.rawValue) is \(format.kind.rawValue), write that or remove this")
    }
    if format != nil, content != nil {
      fields["content"]?.refuse("a record is its own content, remove this")
    }
    if content == .json, kind == .binary {
      fields["content"]?.refuse("JSON is text, write \"random\" or another kind")
    }
    checkScope(fields, direction: direction, from: from, rate: rate)
    return Flow(
      name: name, direction: direction, from: direction == .broadcast ? from : origin(direction),
      rate: rate, arrivals: arrivals, burst: burst, payload: payload, kind: kind, content: content)
  }

  private func origin(_ direction: Flow.Direction) -> Flow.Origin {
    direction == .down ? .server : .clients
  }

  private func checkScope(
    _ fields: Fields, direction: Flow.Direction, from: Flow.Origin, rate: Rate
  ) {
    if direction != .broadcast, from != origin(direction), let place = fields["from"] {
      place.refuse(
        "remove this, \"\(direction.rawValue)\" comes from \(origin(direction).rawValue); "
          + "only a broadcast has a choice")
    }
    let isServerBroadcast = direction == .broadcast && from == .server
    if isServerBroadcast, rate.scope == .client {
      fields["rate"]?.refuse(
        "the server broadcasts to groups, write the rate \"per group\" or \"in all\"")
    }
    if !isServerBroadcast, rate.scope == .group {
      fields["rate"]?.refuse(
        "only a broadcast from the server has a rate per group, write \"per client\" or \"in all\"")
    }
  }

  private func readRate(_ place: Place) -> Rate? {
    guard let rate: Rate = place.quantity(like: "10/s per client") else { return nil }
    guard rate.count > 0, rate.perSecond <= 1_000_000 else {
      place.refuse("\(rate) is out of range, write more than 0 and up to 1000000/s")
      return nil
    }
    return rate
  }

  private func readBurst(_ place: Place) -> Burst? {
    guard let fields = place.fields(of: ScenarioSchema.burst) else {
      return nil
    }
    let factor = fields.required("factor", like: "5")?.number(above: 1, to: 1000)
    let length = fields.required("length", like: "\"200 ms\"").flatMap(readDuration)
    let every = fields.required("every", like: "\"5 s\"").flatMap(readDuration)
    let apart = fields.value("apart", default: Bool?.none) { $0.truth().map { $0 } }
    guard let factor, let length, let every, let apart else { return nil }
    guard length.nanoseconds * 2 <= every.nanoseconds else {
      fields["length"]?.refuse("\(length) is too long, write up to half of every (\(every))")
      return nil
    }
    return Burst(factor: factor, length: length, every: every, apart: apart)
  }

  private func readPayload(_ place: Place) -> PayloadSize? {
    guard case .object = place.node.value else { return readSize(place).map { .fixed($0) } }
    guard let fields = place.fields(of: ScenarioSchema.sizes) else { return nil }
    if fields.places.count == 1, let uniform = fields["uniform"] {
      return readBounds(uniform).map { .uniform($0, $1) }
    }
    if fields.places.count == 1, let lognormal = fields["lognormal"] {
      return readBounds(lognormal).map { .lognormal($0, $1) }
    }
    if fields.places.count == 1, let record = fields["record"] {
      return (record.choice() as RecordFormat?).map { .record($0) }
    }
    place.refuse(
      "write a size \"64 B\", or one of uniform and lognormal with two sizes, or record with a format"
    )
    return nil
  }

  private func readBounds(_ place: Place) -> (ByteCount, ByteCount)? {
    guard let bounds = place.list(of: "two sizes", readSize) else { return nil }
    guard bounds.count == 2, bounds[0] < bounds[1] else {
      place.refuse("write two sizes, the smaller first: [\"80 B\", \"200 B\"]")
      return nil
    }
    return (bounds[0], bounds[1])
  }

  private func readSize(_ place: Place) -> ByteCount? {
    place.quantity(
      like: "64 B", from: ScenarioLimits.smallestPayload, to: ScenarioLimits.largestPayload)
  }
}

/// Reads what a scenario file changes for each profile.
struct ProfileReader {
  let place: Place

  func read() -> [Profile: ProfileChanges]? {
    guard let fields = place.fields(of: ScenarioSchema.profiles) else { return nil }
    var changes: [Profile: ProfileChanges] = [:]
    for profile in Profile.allCases {
      if let place = fields[profile.rawValue] { changes[profile] = readChanges(place) }
    }
    return changes
  }

  private func readChanges(_ place: Place) -> ProfileChanges? {
    guard let fields = place.fields(of: ScenarioSchema.changes) else { return nil }
    return ProfileChanges(
      clients: fields["clients"]?.whole(from: 1, to: ScenarioLimits.clients),
      idle: fields["idle"].flatMap(readIdle), warmUp: fields["warmUp"].flatMap(readPause),
      duration: fields["duration"].flatMap(readDuration),
      drain: fields["drain"].flatMap(readDuration),
      repetitions: fields["repetitions"]?.whole(from: 1, to: ScenarioLimits.repetitions))
  }
}
