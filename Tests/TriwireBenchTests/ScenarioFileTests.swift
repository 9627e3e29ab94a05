import Foundation
import Testing
import Triwire

@testable import TriwireBench

@Suite("Scenario files")
struct ScenarioFileTests {
  /// The smallest file that is correct.
  private static let smallest = """
    {"name": "x", "clients": 2, "traffic": [
      {"direction": "echo", "rate": "10/s per client", "payload": "64 B"}
    ]}
    """

  @Test("What a file leaves out gets its documented default")
  func defaults() throws {
    let scenario = try load(Self.smallest).scenario
    #expect(scenario.groups == 1)
    #expect(scenario.warmUp == .seconds(5))
    #expect(scenario.duration == .seconds(30))
    #expect(scenario.drain == .seconds(5))
    #expect(scenario.repetitions == 6)
    #expect(scenario.transports == [.webSocket, .serverSentEvents, .longPolling])
    #expect(scenario.tls == [.off])
    let flow = try #require(scenario.traffic.first)
    #expect(flow.name == "echo")
    #expect(flow.arrivals == .poisson)
    #expect(flow.kind == .text)
    #expect(flow.payload == .fixed(ByteCount(64)))
  }

  @Test("A count per time span is the rate of the shortest unit in which it is a whole number")
  func spans() throws {
    for (text, rate) in [
      ("1/5 s per client", "12/min per client"), ("1/5s per client", "12/min per client"),
      ("10/2 s in all", "5/s in all"), ("1/2 h per group", "0.5/h per group"),
      ("3/1.5 min in all", "2/min in all"), ("1/min in all", "1/min in all"),
    ] {
      #expect(try Rate(parsing: text).description == rate)
    }
    // No unit makes it a whole number.
    #expect(try Rate(parsing: "1/7 s in all").perSecond == 1.0 / 7)
  }

  @Test("TLS is one mode or a list of them")
  func modes() throws {
    for (text, modes) in [(#""1.3""#, [TLSMode.v1_3]), (#"["off", "1.2"]"#, [.off, .v1_2])] {
      let file = try load(
        Self.smallest.replacing("\"clients\"", with: "\"tls\": \(text), \"clients\""))
      #expect(file.scenario.tls == modes)
    }
  }

  @Test("A resolved scenario is written as JSON that a scenario file may contain")
  func roundTrip() throws {
    for path in try ScenarioFile.paths(in: shippedFolder) {
      let scenario = try ScenarioFile(path: path).scenario(for: .smoke)
      let json = try JSONEncoder().encode(scenario)
      #expect(try JSONDecoder().decode(Scenario.self, from: json) == scenario)
      #expect(try ScenarioFile(text: [UInt8](json), path: path).scenario == scenario)
    }
  }

  @Test("A profile shortens a scenario and never lengthens it")
  func profiles() throws {
    let file = try load(Self.smallest)
    #expect(file.scenario(for: .smoke).duration == .seconds(3))
    #expect(file.scenario(for: .smoke).repetitions == 1)
    #expect(file.scenario(for: .quick).duration == .seconds(10))
    #expect(file.scenario(for: .quick).repetitions == 3)
    #expect(file.scenario(for: .full) == file.scenario)
    let short = try load(
      Self.smallest.replacing("\"clients\"", with: "\"duration\": \"1 s\", \"clients\""))
    #expect(short.scenario(for: .quick).duration == .seconds(1))
  }

  @Test("A file says for each profile what to change")
  func profileChanges() throws {
    let file = try load(
      Self.smallest.replacing(
        "\"clients\"", with: "\"profiles\": {\"smoke\": {\"clients\": 7}}, \"clients\""))
    #expect(file.scenario(for: .smoke).clients == 7)
    #expect(file.scenario(for: .quick).clients == 2)
  }

  @Test("The shipped suite is correct, named for its files, and complete")
  func shipped() throws {
    let files = try ScenarioFile.paths(in: shippedFolder).map { try ScenarioFile(path: $0) }
    #expect(
      files.map(\.scenario.name)
        == [
          "chaos", "chat-room", "collab-editing", "crossover", "dashboard", "echo", "faults",
          "game-tick",
          "idle-fleet", "iot-telemetry", "live-notifications", "log-tail", "lossy-mobile",
          "poll-batching", "reconnect-storm-hasty", "reconnect-storm", "repro-aquil-2017",
          "repro-bigestans-2014",
          "repro-jazz-2025",
          "repro-kaazing-2010",
          "repro-lasocha-2021", "repro-pimentel-2012", "repro-rexxars-2014",
          "repro-rfc6202-transits", "repro-shootout-2016", "repro-tangen-2015",
          "slow-consumer-none",
          "slow-consumer", "stock-ticker-capacity", "stock-ticker",
        ])
    for file in files {
      #expect(file.path.hasSuffix("/\(file.scenario.name).json"))
      #expect(!file.scenario.description.isEmpty)
      // What breaks things takes its time, and is asked for.
      #expect(!file.isInSuite || file.scenario.faults == nil)
    }
    // Together they end within two minutes in smoke.
    #expect(
      files.filter(\.isInSuite).map(\.scenario.name) == [
        "chat-room", "dashboard", "echo", "idle-fleet", "live-notifications", "stock-ticker",
      ])
  }

  @Test("What is wrong is named with line, key path and what to write instead", arguments: refusals)
  func refusal(_ refusal: Refusal) {
    do {
      let file = try load(refusal.text)
      Issue.record("accepted as \(file.scenario)")
    } catch {
      #expect(error.description == refusal.message)
    }
  }

  @Test("Several mistakes are told at once, in the order of the file")
  func several() {
    let text = """
      {
        "name": "x",
        "clinets": 5,
        "duration": "10",
        "traffic": [{"direction": "sideways", "rate": "1/s in all", "payload": "64 B"}]
      }
      """
    let messages = """
      x.json:1: "clients" is missing, write "clients": 50
      x.json:3: clinets: this key is not known, did you mean "clients"?
      x.json:4: duration: "10" has no unit; for a time, write a number and a unit of ms, s or min: "10 s"
      x.json:5: traffic[0].direction: "sideways" is not one of "up", "down", "echo", "broadcast"
      """
    #expect(throws: ScenarioError.self) { try load(text) }
    do { _ = try load(text) } catch { #expect(error.description == messages) }
  }

  @Test("A file that is not there, and a folder without scenarios, are errors too")
  func missing() {
    do {
      _ = try ScenarioFile(path: "nowhere.json")
    } catch {
      #expect(error.description == "nowhere.json: there is no such file to read")
    }
    do {
      _ = try ScenarioFile.paths(in: "nowhere")
    } catch {
      #expect(error.description == "nowhere: this folder has no scenario file (*.json)")
    }
  }
}

/// The folder of the scenarios that ship with the project.
let shippedFolder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "Scenarios").path()

func load(_ text: String) throws(ScenarioError) -> ScenarioFile {
  try ScenarioFile(text: [UInt8](text.utf8), path: "x.json")
}
