import Triwire

@testable import TriwireBench

/// What a sample report is made of; what is not said is alike for all transports.
struct Sample {
  var repetitions = 3
  var transports = TransportKind.allCases
  var tls: [TLSMode]?
  var direction = "down"
  var description = "a sample"
  var messages: UInt64 = 1000
  /// How many times as much latency a transport takes, one message taking up to 2 ms.
  var latency: [TransportKind: Double] = [:]
  /// How many times as much CPU time a transport takes, 10 µs for each message.
  var cpu: [TransportKind: Double] = [:]
  /// By which part figures scatter from run to run.
  var scatter = 0.01
  /// Where the scatter comes from.
  var seed: UInt64 = 3
  /// Whether it holds only what results are compared by: no timeline, no cost of opening.
  var isComparedAlone = false
  /// More keys of the scenario file, each with a comma at its end.
  var keys = ""
  /// What the server's memory grows by with each connection, in bytes; `nil` is not read.
  var memory: Double?
  /// Files to run in place of the usual scenario.
  var files: [ScenarioFile] = []

  /// The report with all its trials.
  func report() throws -> Report {
    let usual = [
      try load(
        """
        {"name": "x", "description": "\(description)", "clients": 4, \(keys)
         "traffic": [{"direction": "\(direction)", "rate": "10/s per client", "payload": "64 B"}]}
        """)
    ]
    let plan = Plan(
      files.isEmpty ? usual : files,
      choosing: .init(transports: transports, tls: tls, repetitions: repetitions))
    var report = Report(plan, on: .sample)
    var source = RandomSource(seed: seed)
    for trial in plan.trials {
      report.add(measurement(of: trial, times: 1 + scatter * (2 * source.fraction() - 1)))
    }
    return report
  }

  private func measurement(of trial: Trial, times scatter: Double) -> Measurement {
    var result = Measurement(trial, startedAt: "2026-01-02T03:04:05Z")
    let factor = (latency[trial.transport] ?? 1) * scatter
    result.latencyMicroseconds.histogram = durations(by: factor)
    if !isComparedAlone { result.timeline = timeline(by: factor) }
    result.delivery = Delivery(expected: messages, delivered: messages)
    var bytes = ByteLedger()
    bytes.messages = messages
    let payload = UInt64(trial.scenario.traffic.first?.payload.smallest.bytes ?? 64)
    bytes.down = ByteLayers(
      payload: payload * messages, framing: 2 * messages, socket: (payload + 2) * messages,
      tcpip: 52 * messages, segments: messages)
    bytes.up = ByteLayers(tcpip: 52 * messages, segments: messages, acknowledgements: messages)
    result.bytes = bytes
    result.cpu.wallMicroseconds = 1_000_000
    result.cpu.serverMicroseconds =
      10 * Double(messages) * (cpu[trial.transport] ?? 1) * scatter
    if !isComparedAlone { result.connection = opening() }
    if let memory { result.memory = grown(by: memory * scatter, of: trial.scenario) }
    if trial.scenario.idle != nil {
      result.heartbeat = HeartbeatMeasurement(
        beats: 3, wireBytesUp: 52 * scatter, wireBytesDown: 61, packets: 2, secondsBetween: 25)
    }
    return result
  }

  // Loops by hand: a range's iterator is slow in builds without optimisation, and there are many.
  private func durations(by factor: Double) -> Histogram {
    var histogram = Histogram()
    var step: UInt64 = 1
    while step <= messages {
      histogram.record(UInt64(Double(step) * 2_000_000 / Double(messages) * factor))
      step += 1
    }
    return histogram
  }

  private func timeline(by factor: Double) -> Timeline {
    var seconds = Array(repeating: Histogram(), count: 8)
    var step: UInt64 = 0
    while step < messages {
      seconds[Int(step % 8)].record(UInt64(Double(step) * 2_000_000 / Double(messages) * factor))
      step += 1
    }
    return Timeline(seconds, secondsPerPoint: 1)
  }

  private func opening() -> ConnectionCost {
    var connection = ConnectionCost()
    connection.opened = 40
    for step in UInt64(1)...40 {
      connection.connectMicroseconds.histogram.record(step * 1000)
      connection.openMicroseconds.histogram.record(step * 3000)
      connection.firstMessageMicroseconds.histogram.record(step * 4000)
    }
    return connection
  }

  private func grown(by bytes: Double, of scenario: Scenario) -> MemoryCost {
    let steps = scenario.idle?.steps ?? (1...4).map { scenario.clients * $0 / 4 }
    return MemoryCost(
      steps: steps.enumerated().map { index, clients in
        MemoryCost.Step(
          clients: clients, proportional: 0,
          // A little off the line, up and down in turn.
          privateDirty: UInt64(
            5_000_000 + bytes * (Double(clients) + (index.isMultiple(of: 2) ? 0.02 : -0.02))),
          anonymous: 0, descriptors: 10 + clients, cpuShare: 0)
      })
  }
}
