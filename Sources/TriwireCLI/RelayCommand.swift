import Synchronization
import Triwire
import TriwireBench
import TriwireFaults

extension Command {
  /// `triwire relay`: something between a client and a server that breaks things on demand.
  static let relayCommand = Command(
    name: "relay", summary: "stand between clients and a server, and break things on demand",
    usage: "--listen HOST:PORT --to HOST:PORT [--network NAME] [--fault SPEC …]",
    explanation: """
      Passes connections on until it is told to stop (Ctrl-C or SIGTERM), then exits with 0. It
      reads HTTP/1.1 along, so that a fault can concern event streams, say, and nothing else; TLS
      passes unread. Each fault that strikes is a line on standard error, and what passed in all a
      line on standard output at the end.

      With a network, bytes take as long as they would there: half a round trip each way, at the
      rate of the line, in segments of 1,448 bytes of which each takes 52 bytes more; the first
      byte waits for the round trip that connecting takes. A lost segment holds what is behind it
      until TCP would have sent it again: 200 ms and a round trip, doubled each time it is lost
      again, or as soon as one that arrived behind it tells. Losses are independent, or come in
      bursts (--loss-burst) of so many segments on average. Each connection has a line of its own.
      NAME:

        loopback          nothing added
        lan               1 ms, 1 Gbit/s
        wan               40 ms, 100 Mbit/s down, 20 up
        intercontinental  150 ± 5 ms, 50 Mbit/s down, 10 up
        fast-4g           60 ms, 9 Mbit/s down, 1.5 up
        slow-4g           150 ms, 1.6 Mbit/s down, 0.75 up
        3g                300 ms, 1.6 Mbit/s down, 0.768 up
        slow-3g           400 ms, 0.5 Mbit/s
        satellite         600 ms, 20 Mbit/s down, 3 up
        lossy-4g          slow-4g with a loss of 2 %

      SPEC is a fault, and what it is restricted to:

        FAULT [on KIND,…] [after MOMENT] [nth N | first N | every N] [chance P]

        refuse                reset a connection as soon as it is accepted
        close-port            do not listen at all
        delay-accept TIME     leave a connection alone for a while
        refuse-upgrade [403]  answer a WebSocket handshake with this status
        strip-upgrade         pass a WebSocket handshake on as a plain GET
        fake-upgrade          answer it with 101, and never say a word
        black-hole            take a request and never answer
        http10                pass a request on as HTTP/1.0
        buffer [SIZE] [with-head]    hold an answer's body until so much is there, or it ends
        cut, reset            end a connection with FIN or with RST
        mute [up|down]        take bytes and throw them away
        stall [up|down] [TIME]       pass nothing on for a while, then all
        trickle [up|down]     pass bytes on one by one
        half-close up|down    end one direction

      KIND is websocket, sse, poll (any other GET), post, delete or other. A fault strikes at once,
      or after a MOMENT: TIME, idle TIME, SIZE [up|down] passed on, or answer [SIZE]: the head of
      the answer and so much of its body. Up is from the client to the server. The matches are
      counted for nth, first, every and chance; a chance is above 0 and at most 1.

        triwire relay --listen 127.0.0.1:9000 --to 127.0.0.1:8080 \\
          --fault "refuse-upgrade chance 0.5" --fault "cut on sse after 64 KiB down"
      """,
    options: [
      Option("--listen", "HOST:PORT", "where to listen; port 0 picks a free one and prints it"),
      Option("--to", "HOST:PORT", "where the server is"),
      Option("--network", "NAME", "imitate this network; the next seven options change it"),
      Option("--round-trip", "TIME", "the time of a round trip, such as 40ms"),
      Option("--jitter", "TIME", "how much shorter or longer each way may take"),
      Option("--down", "RATE", "the rate from the server to the client, such as 1.6Mbit/s"),
      Option("--up", "RATE", "the rate from the client to the server"),
      Option("--loss", "PART", "how likely a segment is lost, such as 0.02"),
      Option("--loss-burst", "N", "how many losses come in a row on average, such as 3"),
      Option("--queue", "SIZE", "how much may wait for the line; 64KiB unless given"),
      Option(
        "--fault", "SPEC", "a fault, as above; may stand there several times", repeats: true),
      Option("--seed", "N", "where chances come from; 1 unless given"),
    ]
  ) { arguments in
    try arguments.refuseOperands(of: "triwire relay")
    let address = try arguments.address("--listen", "where to listen", "127.0.0.1:9000")
    let server = try arguments.address("--to", "where the server is", "127.0.0.1:8080")
    var configuration = FaultRelay.Configuration()
    configuration.seed = try arguments.number("--seed", from: 0, to: 1 << 53) ?? 1
    configuration.rules = try arguments.rules()
    configuration.network = try arguments.network()
    configuration.onFault = { Output.complain($0.description) }
    return try await relay(from: address, to: server, configuration)
  }
}

extension Arguments {
  fileprivate func address(
    _ name: String, _ what: String, _ example: String
  ) throws(UsageError) -> String {
    guard let address = text(name) else {
      throw UsageError(message: "write \(what): \(name) \(example)")
    }
    guard SocketAddress.split(address) != nil else {
      throw UsageError(
        message: "\(name) is \(address), write HOST:PORT, such as \(example) or [::1]:8080")
    }
    return address
  }

  /// The network that the options describe; `nil` without any.
  fileprivate func network() throws(UsageError) -> NetworkConditions? {
    let names = [
      "--network", "--round-trip", "--jitter", "--down", "--up", "--loss", "--loss-burst",
      "--queue",
    ]
    guard names.contains(where: has) else { return nil }
    let profile: NetworkProfile? = try choice("--network")
    var values = NetworkValues(profile?.conditions ?? NetworkConditions())
    let times = (TimeSpan(nanoseconds: 0), NetworkLimits.roundTrip)
    let rates = (NetworkLimits.lowest, NetworkLimits.highest)
    let sizes = (NetworkLimits.smallestQueue, NetworkLimits.largestQueue)
    values.roundTrip = try quantity("--round-trip", from: times.0, to: times.1) ?? values.roundTrip
    values.jitter = try quantity("--jitter", from: times.0, to: times.1) ?? values.jitter
    values.down = try quantity("--down", from: rates.0, to: rates.1) ?? values.down
    values.up = try quantity("--up", from: rates.0, to: rates.1) ?? values.up
    values.queue = try quantity("--queue", from: sizes.0, to: sizes.1) ?? values.queue
    if let text = text("--loss") {
      guard let loss = Double(text), loss >= 0, loss <= NetworkLimits.loss else {
        throw UsageError(
          message: "--loss is \(text), write a part from 0 to \(NetworkLimits.loss), such as 0.02")
      }
      values.loss = loss
    }
    if let text = text("--loss-burst") { values.lossBurst = try burst(text, values) }
    if let jitter = values.jitter, jitter.nanoseconds > (values.roundTrip?.nanoseconds ?? 0) / 2 {
      throw UsageError(
        message: "--jitter is \(jitter), write at most half of the round trip (--round-trip)")
    }
    return values.conditions
  }

  private func burst(_ text: String, _ values: NetworkValues) throws(UsageError) -> Double {
    guard let mean = Double(text), mean > 1, mean <= NetworkLimits.lossBurst else {
      throw UsageError(
        message: "--loss-burst is \(text), write a number above 1, up to "
          + "\(Int(NetworkLimits.lossBurst)), such as 3")
    }
    guard (values.loss ?? 0) > 0 else {
      throw UsageError(message: "nothing is lost in a burst without --loss, such as --loss 0.02")
    }
    return mean
  }

  fileprivate func rules() throws(UsageError) -> [FaultRule] {
    var rules: [FaultRule] = []
    for spec in texts("--fault") {
      do throws(FaultSpecError) {
        rules.append(try FaultRule(parsing: spec))
      } catch {
        throw UsageError(message: "--fault: \(error)")
      }
    }
    return rules
  }
}

/// Relays until a signal comes.
private func relay(
  from address: String, to server: String, _ configuration: FaultRelay.Configuration
) async throws -> ExitStatus {
  Process.raiseDescriptorLimit()
  let late = Lateness()
  var configuration = configuration
  if configuration.network != nil {
    configuration.onRelease = { time in late.histogram.withLock { $0.record(time) } }
  }
  let relay = FaultRelay(to: server, configuration: configuration)
  let bound = try await listening { try await relay.start(on: address) }
  let isNetwork = configuration.network != nil
  let network = configuration.network.map { " over \(NetworkValues($0).summary)" } ?? ""
  return try await interruptibly {
    Output.print("relaying \(bound) to \(server)\(network)")
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(86_400)) }
    await relay.stop()
    let counters = await relay.counters()
    Output.print(counters.summary)
    if isNetwork { Output.print(counters.network(late)) }
    return .done
  }
}

/// How much later than they were due the relay let go of bytes.
private final class Lateness: Sendable {
  let histogram = Mutex(Histogram())
}

extension RelayCounters {
  /// What the network did, and how late the relay was, as a line.
  fileprivate func network(_ late: Lateness) -> String {
    let histogram = late.histogram.withLock { $0 }
    let times = [("p50", 50.0), ("p99", 99)].map { name, percent in
      let time = histogram.soundPercentile(percent).map { "\($0 / 1000) µs" } ?? "unknown"
      return "\(name) \(time)"
    }
    return "network: \(segments) segments, \(lostSegments) lost at first; let go late: "
      + "\(times.joined(separator: ", ")), max \(histogram.maximum / 1000) µs"
  }

  /// What passed in all, as a line.
  fileprivate var summary: String {
    let struck = Fault.names.compactMap { name in faults[name].map { "\(name) \($0)" } }
    return "\(connections) connections, up \(bytesUp) B, down \(bytesDown) B, "
      + "lost \(lostUp + lostDown) B, faults: "
      + (struck.isEmpty ? "none" : struck.joined(separator: ", "))
  }
}
