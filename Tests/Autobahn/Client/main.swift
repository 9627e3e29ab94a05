import Triwire

// Plays the cases of an Autobahn fuzzing server: echoes each message of each case, then asks for
// the report. usage: AutobahnClient URL AGENT [FILE], the certificate to trust for wss

/// Opens WebSockets to the fuzzing server, and plays its cases on their loop.
struct Player {
  let url: String
  let agent: String
  let group: EventLoopGroup
  let authority: String?

  func open(_ path: String) async throws -> Session {
    var configuration = TriwireClient.Configuration()
    configuration.resume = nil
    configuration.group = group
    if let authority { configuration.tls.caFile = .file(authority) }
    configuration.proxy = .none
    // The fuzzing server may still be busy with the case before.
    configuration.connectSeconds = 120
    configuration.openSeconds = 120
    configuration.session.messageBytes = 64 << 20
    configuration.session.queuedBytesHard = 64 << 20
    var deflate = DeflateOptions()
    deflate.windowBits = 15
    deflate.peerWindowBits = 15
    deflate.threshold = 0
    configuration.deflate = deflate
    return try await TriwireClient(url + path, configuration: configuration)
      .connect(over: [.webSocket])
  }

  /// - Returns: How many cases there were.
  func play() async throws -> Int {
    var count = 0
    let counting = try await open("/getCaseCount")
    for try await message in counting.messages { count = Int(message.text) ?? 0 }
    for number in 1...max(count, 1) {
      let session = try await open("/runCase?case=\(number)&agent=\(agent)")
      do {
        for try await message in session.messages { try await session.send(message) }
      } catch {
        // Many cases end in a failure on purpose; the fuzzing server judges how.
      }
      _ = await session.ended()
    }
    let report = try await open("/updateReports?agent=\(agent)")
    for try await _ in report.messages {}
    return count
  }
}

// On the loop itself, so that an echo leaves before what follows its message is judged.
let group = try EventLoopGroup(count: 1)
let player = Player(
  url: CommandLine.arguments[1], agent: CommandLine.arguments[2], group: group,
  authority: CommandLine.arguments.count > 3 ? CommandLine.arguments[3] : nil)
let playing = Task(executorPreference: group.loops[0]) { try await player.play() }
print("\(try await playing.value) cases played")
