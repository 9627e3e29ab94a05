import Triwire
import TriwireBench
import TriwireFaults

extension Command {
  /// `triwire relay`: something between a client and a server that breaks things on demand.
  static let relayCommand = Command(
    name: "relay", summary: "stand between clients and a server, and break things on demand",
    usage: "--listen HOST:PORT --to HOST:PORT [--fault SPEC …]",
    explanation: """
      Passes connections on until it is told to stop (Ctrl-C or SIGTERM), then exits with 0. It
      reads HTTP/1.1 along, so that a fault can concern event streams, say, and nothing else; TLS
      passes unread. Each fault that strikes is a line on standard error, and what passed in all a
      line on standard output at the end.

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
  let relay = FaultRelay(to: server, configuration: configuration)
  let bound = try await relay.start(on: address)
  Output.print("relaying \(bound) to \(server)")
  return try await interruptibly {
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(86_400)) }
    await relay.stop()
    Output.print(await relay.counters().summary)
    return .done
  }
}

extension RelayCounters {
  /// What passed in all, as a line.
  fileprivate var summary: String {
    let struck = Fault.names.compactMap { name in faults[name].map { "\(name) \($0)" } }
    return "\(connections) connections, up \(bytesUp) B, down \(bytesDown) B, "
      + "lost \(lostUp + lostDown) B, faults: "
      + (struck.isEmpty ? "none" : struck.joined(separator: ", "))
  }
}
