import Foundation
import Testing
import Triwire

@testable import TriwireBench

@Suite("A target", .serialized)
struct TargetTests {
  @Test("What a server of trials and a driver of it count on a direct way is the same to the byte")
  func direct() async throws {
    try await withTarget { address in
      for transport in TransportKind.allCases {
        let trial = try trial(over: transport)
        let server = TargetServer(address)
        let rig = try TrialRig(trial, on: server, checksInterface: false, nil)
        var measurement = Measurement(trial, startedAt: "", on: .server(address))
        try await rig.connect(&measurement)
        let before = try await Reading.agreed(rig)
        try await rig.exchange(&measurement)
        let after = try await Reading.agreed(rig)
        await rig.close()
        #expect(measurement.failures == [])
        #expect(measurement.delivery.expected > 0)
        #expect(measurement.delivery.delivered == measurement.delivery.expected)
        #expect(measurement.target?.isReconciled == true)
        #expect(measurement.target?.clock == .shared)
        #expect(measurement.unmeasured == ["memory"])
        // What arrived, as the clients' kernel counts it, is what the server says it has sent.
        let sent = ByteLayers(
          from: try #require(before.server), to: try #require(after.server), isAccepting: true)
        var arrived = ByteLayers(arrivedFrom: before.clients, to: after.clients)
        #expect(arrived.retransmitted == nil)
        arrived.retransmitted = sent.retransmitted
        #expect(arrived == sent, "\(transport)")
      }
    }
  }

  @Test("One driver measures at a time, and the next may when it has gone")
  func oneAtATime() async throws {
    try await withTarget { address in
      let first = TargetServer(address)
      _ = try await first.greet()
      let error = await #expect(throws: ReportError.self) { try await address.greet() }
      #expect(error?.description.contains("somebody else measures here, one at a time") == true)
      await first.stop()
      let record = try await address.greet()
      #expect(record.triwireVersion == Environment.version)
      #expect(record.url == address.url)
    }
  }

  @Test("Who does not know the secret is told so, and who does is let in")
  func secret() async throws {
    try await withTarget(secret: "open-sesame") { address in
      for secret in [nil, "open", "open-sesamf"] {
        let wrong = try TargetAddress(url: address.url, secret: secret)
        let error = await #expect(throws: ReportError.self) { try await wrong.greet() }
        #expect(error?.description.contains("the secret is wrong or missing") == true)
      }
      _ = try await TargetAddress(url: address.url + "/", secret: "open-sesame").greet()
    }
  }

  @Test("Other versions are refused by both sides, with both in the sentence")
  func versions() async throws {
    try await withTarget { address in
      var configuration = TriwireClient.Configuration()
      configuration.resume = nil
      configuration.proxy = .none
      let session = try await TriwireClient(
        address.url + TrialPath.control, configuration: configuration
      ).connect()
      let greeting = TargetGreeting(trials: 1, results: 5, triwire: "0.0.9")
      try await session.send(Message(.text, [UInt8](JSONEncoder().encode(greeting))))
      let words = try #require(try await session.messages.first { _ in true })
      let answer = try JSONDecoder().decode(TargetAnswer.self, from: Data(words.bytes))
      #expect(answer.server == nil)
      #expect(
        answer.refusal
          == "the driver is Triwire 0.0.9 (trials 1, results 5) and the target is Triwire "
          + "\(Environment.version) (trials 1, results \(Report.currentSchema)): "
          + "use the same build for both")
      session.close()
    }
    let other = TriwireServer()
    other.session(at: TrialPath.control) { session in
      for try await _ in session.messages {
        let answer = TargetAnswer(greeting: TargetGreeting(trials: 2))
        try await session.send(Message(.text, [UInt8](JSONEncoder().encode(answer))))
      }
    }
    let url = "http://\(try await other.start(on: "127.0.0.1:0"))"
    let error = await #expect(throws: ReportError.self) {
      try await TargetAddress(url: url).greet()
    }
    #expect(error?.description.hasPrefix("the driver is Triwire") == true)
    #expect(error?.description.contains("(trials 2, ") == true)
    await other.stop()
  }

  @Test("A trial that no scenario file could ask for is refused with the limit")
  func limits() async throws {
    try await withTarget { address in
      let server = TargetServer(address)
      _ = try await server.greet()
      var scenario = try trial(over: .webSocket).scenario
      scenario.clients = 100_001
      let setup = TrialSetup(scenario: scenario, tls: .off, compression: .off, seed: 1)
      let error = await #expect(throws: TrialFailure.self) {
        try await server.ask(.configure(setup))
      }
      #expect(error?.description.contains("100,001 is out of range") == true)
      await server.stop()
    }
  }

  @Test("Who opens a session of trials while none runs is sent away")
  func stranger() async throws {
    try await withTarget { address in
      var configuration = TriwireClient.Configuration()
      configuration.resume = nil
      configuration.proxy = .none
      let session = try await TriwireClient(
        address.url + TrialPath.client("0"), configuration: configuration
      ).connect(over: [.webSocket])
      let end = await session.ended()
      #expect(end.code == .policyViolation)
      #expect(end.reason == "no trial runs here")
    }
  }

  @Test("Every shipped scenario means the same after it has travelled to a target")
  func travelled() throws {
    for path in try ScenarioFile.paths(in: shippedFolder) {
      let file = try ScenarioFile(path: path)
      for profile in Profile.allCases {
        let scenario = file.scenario(for: profile)
        let text = try encodeLine(scenario)
        let again = try ScenarioFile(text: text, path: path).scenario
        let decoded: Scenario = try decodeLine(String(decoding: text, as: UTF8.self))
        #expect(again == decoded, "\(path) \(profile)")
      }
    }
  }

  @Test(
    "What a target cannot do is said before anything runs",
    arguments: [
      (#""idle": {"steps": [2, 4], "hold": "1 s"}"#, "http://h", "not fresh"),
      (#""tls": "1.3""#, "http://h", "write --tls off, or an https URL"),
      (#""tls": "off""#, "https://h", "write --tls 1.3"),
      (#""tls": "1.3", "network": "wan""#, "https://h", "no relay can stand before"),
    ])
  func objections(_ key: String, _ url: String, _ words: String) throws {
    let file = try load(
      """
      {"name": "x", "description": "", "clients": 4, \(key),
       "traffic": [{"direction": "echo", "rate": "10/s per client", "payload": "64 B"}]}
      """)
    let target = Target.server(try TargetAddress(url: url))
    #expect(target.objection(to: Plan([file]))?.contains(words) == true)
  }

  private func trial(over transport: TransportKind) throws -> Trial {
    let file = try load(
      """
      {"name": "x", "description": "", "clients": 4, "warmUp": "100 ms", "duration": "200 ms",
       "traffic": [{"direction": "echo", "rate": "50/s per client", "payload": "64 B"},
                   {"direction": "up", "rate": "50/s per client", "payload": "64 B"},
                   {"name": "feed", "direction": "broadcast", "rate": "50/s in all", "payload": "64 B"}]}
      """)
    let trials = Plan([file], choosing: .init(profile: .full, transports: [transport])).trials
    return try #require(trials.first)
  }

  private func withTarget(
    secret: String? = nil, _ body: (TargetAddress) async throws -> Void
  ) async throws {
    let server = TriwireServer(configuration: TriwireServer.Configuration().settingsOfTrials)
    server.addTrialRoutes(secret: secret)
    let url = "http://\(try await server.start(on: "127.0.0.1:0"))"
    do {
      try await body(TargetAddress(url: url, secret: secret))
    } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }
}
