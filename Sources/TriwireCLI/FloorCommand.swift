import Glibc
import TriwireBench

extension Command {
  /// `triwire floor`: how far the transports are from bare TCP.
  static let floorCommand = Command(
    name: "floor", summary: "measure how far each transport is from bare TCP on this machine",
    usage: "[OPTION …]",
    explanation: """
      Compares what a message costs the server over each transport, with synchronous and with
      async handlers, with the same bytes over bare TCP on the same event loop. The server is a
      process on a core of its own; the clients run a closed loop, which shows cost and not latency.
      Rounds are interleaved, each with a fresh server; the least and the median are shown. It takes
      about a minute. Tables go to standard output, progress to standard error.
      """,
    options: [
      Option("--rounds", "N", "how often each figure is measured; 3 unless given"),
      Option("--connections", "N", "connections that echo; 50 unless given"),
      Option("--subscribers", "N", "connections that a broadcast goes to; 1000 unless given"),
      Option("--payload", "SIZE", "the size of each message; \"125 B\" unless given"),
      Option("--window", "TIME", "how long each figure is measured; \"600 ms\" unless given"),
    ]
  ) { arguments in
    let plan = try FloorPlan(arguments)
    return try await interruptibly { try await measure(plan) }
  }
}

extension FloorPlan {
  /// What the options ask for.
  fileprivate init(_ arguments: Arguments) throws(UsageError) {
    try arguments.refuseOperands(of: "triwire floor")
    self.init()
    rounds = try arguments.number("--rounds", from: 1, to: 100) ?? rounds
    connections = try arguments.number("--connections", from: 1, to: 10_000) ?? connections
    subscribers = try arguments.number("--subscribers", from: 1, to: 10_000) ?? subscribers
    payload =
      try arguments.quantity("--payload", from: ByteCount(1), to: ByteCount(1 << 16)) ?? payload
    window =
      try arguments.quantity("--window", from: .milliseconds(10), to: .seconds(60)) ?? window
  }
}

/// Measures, shows how far it is, and prints what came of it.
private func measure(_ plan: FloorPlan) async throws -> ExitStatus {
  let line = LiveLine()
  let awake = try AwakeCores(servesHere: true)
  defer { awake.stop() }
  let start = ContinuousClock.now
  let report = try await FloorRun(plan).measure { done, next in
    line.show { progress(done, of: plan, next, since: start) }
    if !line.isLive, done % FloorTrial.all.count == 0 {
      Output.complain("round \(done / FloorTrial.all.count + 1) of \(plan.rounds)")
    }
  }
  line.clear()
  Output.write(report.text(on: .current(STDOUT_FILENO)), to: STDOUT_FILENO)
  guard !report.isComplete else { return .done }
  Output.complain("triwire: stopped, the tables have what was measured")
  return .interrupted
}

private func progress(
  _ done: Int, of plan: FloorPlan, _ next: FloorTrial, since start: ContinuousClock.Instant
) -> [String] {
  let all = plan.rounds * FloorTrial.all.count
  let taken = start.duration(to: .now)
  // Before anything was measured: what a cell takes beyond its window is mostly connecting.
  let each = done > 0 ? taken / done : .seconds(plan.window.seconds * 4 / 3 + 0.1)
  let (count, left) = ("[\(done + 1)/\(all)]", "\(timeLeft(each * (all - done))) left")
  return ["\(count) \(next.name), \(next.load.name), \(left)", "\(count) \(left)"]
}
