import Glibc
import Triwire

// A client with the default configuration, let loose on an echo behind a proxy; started by cases.py.
// usage: ProxyClient URL [over=TRANSPORT,…] [within=SECONDS] STEP…, with the steps
//   send=N   sends N numbered messages, and waits until all of them came back
//   flow=N   the same, one each 10 ms; says "flowing" when a quarter of them came back
//   quiet=S  says nothing for S seconds
// Each happening is a line of JSON; the last one is "end", or "failed" when nothing opened.

/// What the command line asks for.
struct Wishes {
  enum Step {
    case send(Int)
    case flow(Int)
    case quiet(Double)
  }

  var url: String
  var over: [TransportKind]?
  var within = 60.0
  var steps: [Step] = []

  init(_ arguments: [String]) throws {
    guard let url = arguments.first else { throw Trouble(what: "write a URL") }
    self.url = url
    for argument in arguments.dropFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, set(parts[0], parts[1]) else {
        throw Trouble(what: "cannot understand \(argument)")
      }
    }
  }

  private mutating func set(_ name: String, _ value: String) -> Bool {
    switch (name, Int(value), Double(value)) {
    case ("send", let count?, _) where count > 0: steps.append(.send(count))
    case ("flow", let count?, _) where count > 0: steps.append(.flow(count))
    case ("quiet", _, let seconds?) where seconds > 0: steps.append(.quiet(seconds))
    case ("within", _, let seconds?) where seconds > 0: within = seconds
    case ("over", _, _):
      let kinds = value.split(separator: ",").map { TransportKind(rawValue: String($0)) }
      over = kinds.compactMap(\.self)
      return over?.count == kinds.count
    default: return false
    }
    return true
  }
}

struct Trouble: Error {
  let what: String
}

/// Plays the steps, and says how it stands.
struct Player {
  let wishes: Wishes
  let session: Session
  let echoes = Echoes()
  private let began = ContinuousClock.now

  /// How long opening took is counted from before the client looks the host up.
  static func open(_ wishes: Wishes) async throws -> Player {
    let client = TriwireClient(wishes.url)
    let began = ContinuousClock.now
    let session: Session
    if let over = wishes.over {
      session = try await client.connect(over: over)
    } else {
      session = try await client.connect()
    }
    let took = ContinuousClock.now - began
    Line("open").add("transport", await transport(of: session)).add(
      "milliseconds", took.milliseconds
    )
    .write()
    session.whenRecovered { recovery in
      Line("recovered").add("recovered", recovery.recovered)
        .add("transport", recovery.transport.rawValue)
        .add("missed", recovery.missed.map { "\($0)" } ?? "unknown")
        .add("unacknowledged", recovery.unacknowledged)
        .add("milliseconds", recovery.milliseconds).add("cause", recovery.cause ?? "")
        .write()
    }
    return Player(wishes, session)
  }

  private init(_ wishes: Wishes, _ session: Session) {
    self.wishes = wishes
    self.session = session
  }

  func play() async throws {
    let reading = Task { [echoes, session] in
      defer { echoes.end() }
      for try await message in session.messages { echoes.take(message) }
    }
    let watch = Task { [self] in
      try await Task.sleep(for: .seconds(wishes.within))
      await reportAttempts()
      report(end: "not done within \(wishes.within) s")
      exit(1)
    }
    for step in wishes.steps { try await play(step) }
    watch.cancel()
    await reportAttempts()
    session.close(.normal, "compared")
    let end = await session.ended()
    try await reading.value
    report(end: "\(end.code)")
  }

  private func play(_ step: Wishes.Step) async throws {
    switch step {
    case .quiet(let seconds): try await Task.sleep(for: .seconds(seconds))
    case .send(let count):
      for number in echoes.next(count) { try await session.send(Echoes.message(number)) }
      await echoes.all()
    case .flow(let count):
      let numbers = echoes.next(count)
      let quarter = numbers.lowerBound + count / 4
      let telling = Task { [echoes] in
        await echoes.have(quarter)
        Line("flowing").write()
      }
      for number in numbers {
        try await session.send(Echoes.message(number))
        try await Task.sleep(for: .milliseconds(10))
      }
      await telling.value
      await echoes.all()
    }
    Line("step").add("transport", await Self.transport(of: session))
      .add("at", (ContinuousClock.now - began).milliseconds).write()
  }

  private static func transport(of session: Session) async -> String {
    await withUnsafeContinuation { continuation in
      session.loop.execute { continuation.resume(returning: session.transport.rawValue) }
    }
  }

  /// A session that has ended tells none.
  private func reportAttempts() async {
    for attempt in await session.attempts() {
      Line("attempt").add("transport", attempt.transport.rawValue).add("outcome", attempt.outcome)
        .add("milliseconds", attempt.milliseconds).add("began", attempt.began)
        .add("next", attempt.next).write()
    }
  }

  private func report(end: String) {
    let tally = echoes.tally
    Line("end").add("code", end).add("sent", tally.sent).add("came", tally.came)
      .add("lost", tally.lost).add("doubled", tally.doubled).add("disordered", tally.disordered)
      .add("altered", tally.altered).write()
  }
}

extension Duration {
  var milliseconds: Double { self / .milliseconds(1) }
}

do {
  let player = try await Player.open(Wishes(Array(CommandLine.arguments.dropFirst())))
  try await player.play()
} catch let error as ConnectError {
  for attempt in error.attempts {
    Line("attempt").add("transport", attempt.transport?.rawValue ?? "").add(
      "outcome", attempt.reason
    )
    .add("milliseconds", attempt.milliseconds).write()
  }
  Line("failed").add("why", error.description).write()
  exit(1)
} catch {
  Line("failed").add("why", "\(error)").write()
  exit(1)
}
