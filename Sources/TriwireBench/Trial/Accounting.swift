import Triwire

extension TrialRig {
  /// Fills in what came of the messages and what they cost between two readings.
  func account(
    _ measurement: inout Measurement, from before: Reading, to after: Reading
  ) async throws {
    guard
      case .finished(let served, let serverSlip, let serverEnds, let resumed) =
        try await server.ask(.finish)
    else { throw TrialFailure("the server did not say what came of its messages") }
    var (received, slip, ends) = await clients.finish()
    received.merge(served)
    slip.merge(serverSlip)
    measurement.delivery = .sum(received.deliveries)
    measurement.flows = trial.scenario.traffic.indices.map { index in
      FlowMeasurement(
        name: trial.scenario.traffic[index].name, delivery: received.deliveries[index],
        latencyMicroseconds: Durations(received.latencies[index]))
    }
    measurement.latencyMicroseconds.histogram = received.latencies.reduce(into: Histogram()) {
      $0.merge($1)
    }
    measurement.timeline = Timeline(
      received.timeline, secondsPerPoint: Timeline.secondsPerPoint(of: plan.measuredTime))
    measurement.serviceMicroseconds.histogram = received.service
    measurement.slipMicroseconds.histogram = slip
    look(at: after)
    measurement.target = try await server.target()
    if server.tellsBytes, reconciled != .nothing {
      measurement.target?.isReconciled = reconciled == .bothSides
    }
    measurement.cpu = CPUCost(from: before, to: after, messages: received.measured)
    measurement.validity = Validity(of: measurement, from: before, to: after)
    measurement.failures = failures(received, ends + serverEnds)
    measurement.failures += measurement.visits?.failures.prefix(1) ?? []
    measurement.faults = await clients.faults(resumed)
    measurement.network = await clients.network()
    // The relay works in the clients' process.
    if trial.scenario.isRelayed { measurement.cpu.clientMicrosecondsPerMessage = nil }
    guard reconciled != .nothing else { return }
    measurement.bytes = ByteLedger(
      messages: received.measured,
      up: ByteLayers(from: before.clients, to: after.clients, isAccepting: false),
      down: ByteLayers(downFrom: before, to: after, reconciled))
    measurement.failures += after.disagreements(reconciled)
    measurement.check(\.measuring, "messages were measured", from: before, to: after)
  }

  /// What went wrong with messages and sessions, what was lost first.
  private func failures(_ received: Received, _ ends: [String]) -> [String] {
    let delivery = Delivery.sum(received.deliveries)
    let counts = [
      ("lost", delivery.lost), ("doubled", delivery.duplicated),
      ("out of order", delivery.reordered),
    ].filter { $0.1 > 0 }
    var sentences = counts.map { what, count in
      what == "lost"
        ? "lost \(grouped(count)) of \(grouped(delivery.expected)) messages"
        : "\(grouped(count)) messages were \(what)"
    }
    if received.strays > 0 {
      sentences.append("\(grouped(received.strays)) messages were damaged or came to the wrong one")
    }
    if let first = ends.first {
      sentences.append("\(grouped(ends.count)) sessions ended early, the first: \(first)")
    }
    return sentences
  }
}

extension CPUCost {
  /// The work of both processes between two readings.
  fileprivate init(from before: Reading, to after: Reading, messages: UInt64) {
    let since: (UInt64, UInt64) -> Double = { Double($1 - min($0, $1)) / 1000 }
    wallMicroseconds = since(before.time, after.time)
    if let earlier = before.server, let later = after.server {
      serverMicroseconds = since(earlier.workAfter, later.workBefore)
    }
    clientMicroseconds = since(before.clients.workAfter, after.clients.workBefore)
    if let earlier = before.serverWaited, let later = after.serverWaited {
      serverWaitMicroseconds = since(earlier, later)
    }
    clientWaitMicroseconds = since(before.clientsWaited, after.clientsWaited)
    guard messages > 0 else { return }
    serverMicrosecondsPerMessage = serverMicroseconds.map { $0 / Double(messages) }
    clientMicrosecondsPerMessage = clientMicroseconds / Double(messages)
  }
}

extension Validity {
  /// What speaks against the figures of a trial that was measured between two readings.
  fileprivate init(of measurement: Measurement, from before: Reading, to after: Reading) {
    self.init()
    let cpu = measurement.cpu
    let part = { (share: Double) in cpu.wallMicroseconds > 0 ? share / cpu.wallMicroseconds : 0 }
    sentLateP99 = measurement.slipMicroseconds.histogram.soundPercentile(99).map {
      Double($0) / 1000
    }
    serverWaited = cpu.serverWaitMicroseconds.map(part)
    clientsWaited = part(cpu.clientWaitMicroseconds)
    serverBusy = cpu.serverMicroseconds.map(part)
    clientsBusy = part(cpu.clientMicroseconds)
    if let earlier = before.pressure, let later = after.pressure {
      pressure = part(Double(later - min(later, earlier)))
    }
    let raw = Double(after.rawTime - before.rawTime)
    clockDrift = raw > 0 ? Double(after.time - before.time) / raw - 1 : 0
    growth = measurement.timeline.growth
    let median = measurement.latencyMicroseconds.histogram.soundPercentile(50)
    judge(medianLatency: median.map { Double($0) / 1000 })
  }
}

extension ByteLayers {
  /// What went down to the clients between two readings: as the server sent it, or as it arrived
  /// where something in between makes something else of it, or the server does not tell.
  fileprivate init(
    downFrom before: Reading, to after: Reading, _ reconciled: TrialRig.Reconciled
  ) {
    if reconciled == .bothSides, let earlier = before.server, let later = after.server {
      self.init(from: earlier, to: later, isAccepting: true)
    } else {
      self.init(arrivedFrom: before.clients, to: after.clients)
    }
  }
}

extension ConnectionCost {
  /// What opening all sessions cost, from the clients' stamps and two readings around it.
  init(
    _ openings: [Opening], _ tls: TLSMode, from before: Reading, to after: Reading,
    _ reconciled: TrialRig.Reconciled
  ) {
    opened = UInt64(openings.count)
    for opening in openings {
      connectMicroseconds.histogram.record(opening.connected - opening.started)
      if opening.secured > 0 {
        secureMicroseconds.histogram.record(opening.secured - opening.connected)
      }
      openMicroseconds.histogram.record(opening.opened - opening.started)
      firstMessageMicroseconds.histogram.record(
        opening.firstMessage - min(opening.firstMessage, opening.started))
    }
    guard opened > 0 else { return }
    let count = Double(opened)
    roundTrips = Double(tls.roundTrips) + Double(openings.reduce(0) { $0 + $1.waits }) / count
    let up = ByteLayers(from: before.clients, to: after.clients, isAccepting: false)
    let down = ByteLayers(downFrom: before, to: after, reconciled)
    wireBytesUp = Double(up.wire) / count
    wireBytesDown = Double(down.wire) / count
    httpBytesUp = Double(up.http) / count
    httpBytesDown = Double(down.http) / count
    tlsBytesUp = Double(up.tls) / count
    tlsBytesDown = Double(down.tls) / count
    clientSystemCalls = Double(after.clients.systemCalls - before.clients.systemCalls) / count
    guard let earlier = before.server, let later = after.server else { return }
    serverSystemCalls = Double(later.systemCalls - earlier.systemCalls) / count
    serverCPUMicroseconds = Double(later.workBefore - earlier.workAfter) / 1000 / count
  }
}

extension Opening {
  /// How often the client had to wait for the server until its session was open: for the
  /// connection, and for the answer to its request; what TLS adds depends on its version.
  fileprivate var waits: Int {
    [(started, connected), (requested, answered)].count { $0 > 0 && $1 > $0 }
  }
}
