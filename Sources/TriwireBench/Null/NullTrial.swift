import Triwire

/// The server's part of a trial with next to no work: what the load generator alone can do.
///
/// The same messages go the same ways in the same bytes as in ``ServedTrial``.
final class NullTrial: TrialService, @unchecked Sendable {
  // What changes is touched on the server's one loop alone, which is what makes `@unchecked Sendable`
  // hold.

  private let scenario: Scenario
  private let plan: SendPlan
  private let receiver: Receiver
  private let greeting: [UInt8]
  private let server = TriwireServer(configuration: MeasuredConnections.server)
  /// All connections, which nobody else keeps.
  private var connections: [NullConnection] = []
  /// By the number of the client, the connection that goes down to it.
  private var ways: [NullConnection?]
  private var loop: EventLoop?
  private var pacer: Pacer?

  let certificate: String? = nil

  init(_ setup: TrialSetup) {
    scenario = setup.scenario
    plan = SendPlan(setup.scenario, seed: setup.seed)
    receiver = Receiver(setup.scenario, plan, of: .server)
    greeting = Greeting.bytes(setup.scenario.snapshot)
    ways = Array(repeating: nil, count: setup.scenario.clients)
  }

  /// No client of such a trial reads slowly.
  func readSlow() async -> SlowServed { SlowServed() }

  func listen() async throws -> UInt16? {
    _ = try await server.start(on: "127.0.0.1:0")
    return try server.acceptPlainStreams(on: "127.0.0.1") { [self] stream in
      loop = stream.loop
      let connection = NullConnection(
        stream,
        opened: { [unowned self] connection, client in
          let greeting = greeting
          connection.send(.text, greeting.span)
          if ways.indices.contains(client) { ways[client] = connection }
        }
      ) { [unowned self] kind, message, client in received(kind, message, from: client) }
      connections.append(connection)
    }.port
  }

  private func received(_ kind: MessageKind, _ message: Span<UInt8>, from client: Int) {
    guard ways.indices.contains(client), let stamp = Stamp(of: message),
      scenario.traffic.indices.contains(stamp.flow)
    else { return }
    switch scenario.traffic[stamp.flow].direction {
    case .up, .down: receiver.receive(stamp, at: client)
    case .echo: ways[client]?.send(kind, message)
    case .broadcast: broadcast(kind, message, to: client % scenario.groups, except: client)
    }
  }

  private func broadcast(
    _ kind: MessageKind, _ message: Span<UInt8>, to group: Int, except sender: Int = -1
  ) {
    var bytes: [UInt8] = []
    for client in stride(from: group, to: ways.count, by: scenario.groups) where client != sender {
      guard let way = ways[client] else { continue }
      guard way.isStream else {
        way.send(kind, message)
        continue
      }
      // All clients of a trial have the same transport.
      if bytes.isEmpty { bytes = way.encoded(kind, message) }
      way.sendThrough(bytes.span)
    }
  }

  func start(at start: UInt64, upTo end: UInt64) async {
    guard let loop else { return }
    await loop.perform { [self] in
      receiver.start = start
      let pacer =
        pacer
        ?? Pacer(
          plan.fromServer, of: scenario, measuredFrom: plan.measuredFrom, on: loop
        ) { [self] send, kind, message in
          if scenario.traffic[Int(send.flow)].direction == .broadcast {
            broadcast(kind, message, to: Int(send.sender))
          } else {
            ways[Int(send.sender)]?.send(kind, message)
          }
        }
      self.pacer = pacer
      pacer.begin(at: start, upTo: end)
    }
  }

  /// Only the work of the process; its connections count nothing.
  func read() async -> WireReading { WireReading(of: [], at: "null server") }

  func progress() async -> ControlReply {
    guard let loop else { return .progress(arrived: 0, isComplete: true) }
    return await loop.perform { [self] in
      .progress(arrived: receiver.arrived, isComplete: receiver.isComplete)
    }
  }

  func finish() async -> ControlReply {
    guard let loop else { return .failed("no client has connected") }
    return await loop.perform { [self] in
      pacer?.stop()
      return .finished(
        receiver.finish(), slip: pacer?.slip ?? Histogram(), ends: [], resumed: [])
    }
  }
}
