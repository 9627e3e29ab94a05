import Foundation
import Testing

@Suite("List and validate")
struct ValidateTests {
  @Test("The shipped suite is listed and correct")
  func shipped() async throws {
    let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let list = try await triwire("list", in: project)
    #expect(list.status == 0)
    #expect(
      list.output == """
        chaos                   100 clients echo while connections are cut, muted, blocked and moved at random (runs when named)
        chat-room               500 clients in 20 rooms, each speaks every 10 s and the 24 others hear it
        collab-editing          80 people edit 10 documents in storms of 5 edits per second, over 60 ms (runs when named)
        crossover               50 clients are sent messages of their own (9 points) (runs when named)
        dashboard               300 dashboards receive 4 KB each second, over 40 ms
        echo                    50 clients send 125-byte messages at random times and get each one back
        faults                  6 clients echo while each kind of fault strikes all of them once (runs when named)
        game-tick               64 players in 8 matches get and send 20 frames a second, over 30 ms (runs when named)
        idle-fleet              up to 10,000 clients connect in steps and idle, then one broadcast reaches all
        iot-telemetry           1,000 sensors send 48 B every 10 s and get a command every 5 min, over 3G (runs when named)
        live-notifications      2,000 clients receive a 300-byte notification about once a minute each
        log-tail                50 clients follow logs of 200 lines a second each, over 40 ms (runs when named)
        lossy-mobile            100 phones send and receive twice a second over a 4G network that loses 2 % (runs when named)
        poll-batching           40 clients, 40 ms away, are sent messages of their own at random (5 points) (runs when named)
        reconnect-storm-hasty   1,500 clients hear a broadcast each second and are all cut off at once, over 40 ms; nobody waits (runs when named)
        reconnect-storm         1,500 clients hear a broadcast each second and are all cut off at once, over 40 ms; waits grow to 10 s (runs when named)
        repro-aquil-2017        one client gets five updates of 39 B in five seconds, as aquil.io measured in 2017 (runs when named)
        repro-bigestans-2014    5 clients send 100 messages and get each back over 3G, as in Bigestans 2014 (runs when named)
        repro-jazz-2025         10 clients get small changes while a file travels on the same connection, as in jazz 2025 (runs when named)
        repro-kaazing-2010      1,000 clients get 20 B each second, as Lubbers and Greco calculated in 2010 (runs when named)
        repro-lasocha-2021      10 clients send 100 texts of 100 B a second and get each back, as in Łasocha and Badurowicz 2021 (runs when named)
        repro-pimentel-2012     10 clients get a reading each 250 ms over a round trip of 270 ms, as in Pimentel and Nickerson 2012 (runs when named)
        repro-rexxars-2014      2,000 clients hear one broadcast a second, as sse-broadcast-benchmark has it since 2014 (runs when named)
        repro-rfc6202-transits  20 clients get two messages a second at random, 50 ms away, as RFC 6202 thinks of it (runs when named)
        repro-shootout-2016     the most clients that get broadcasts of 200 B within 500 ms, as in websocket-shootout (runs when named)
        repro-tangen-2015       100 clients chat in one room, each speaks every 10 s, as in Tangen 2015 (runs when named)
        slow-consumer-none      45 clients get 100 messages a second each (runs when named)
        slow-consumer           45 clients get 100 messages a second while 5 others read at a sixth of that (runs when named)
        stock-ticker-capacity   the most prices per second that 200 clients get within 100 ms (runs when named)
        stock-ticker            200 clients watch one feed of 50 prices per second, with bursts of 250

        """)
    let validate = try await triwire("validate", "Scenarios", in: project)
    #expect(validate.status == 0)
    #expect(validate.output.split(separator: "\n").count == 30)
    #expect(validate.output.hasPrefix("Scenarios/chaos.json: correct, chaos\n"))
  }

  @Test("A name near a scenario's is answered with its file, another with how to list all")
  func nearlyNamed() async throws {
    let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    for (word, answer) in [
      ("echo", ", did you mean Scenarios/echo.json?"),
      ("Scenarios/echo", ", did you mean Scenarios/echo.json?"),
      ("game-tik.json", ", did you mean Scenarios/game-tick.json?"),
      ("nosuchfile.json", "; triwire list shows the scenarios in Scenarios"),
    ] {
      for command in ["run", "validate", "list"] {
        let outcome = try await triwire(command, word, in: project)
        #expect(outcome.status == 65)
        #expect(outcome.complaint == "\(word): there is no such file to read\(answer)\n")
      }
    }
  }

  @Test("A file with a typo ends with 65 and says where, with the others still checked")
  func typo() async throws {
    try await withTemporaryFolder { folder in
      try good.write(to: folder.appending(path: "good.json"), atomically: true, encoding: .utf8)
      try bad.write(to: folder.appending(path: "bad.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire("validate", "bad.json", "good.json", in: folder)
      #expect(outcome.status == 65)
      #expect(outcome.output == "good.json: correct, good\n")
      #expect(
        outcome.complaint
          == "bad.json:2: cleints: this key is not known, did you mean \"clients\"?\n"
          + "bad.json:2: \"clients\" is missing, write \"clients\": 50\n"
      )
    }
  }

  @Test("A run with a wrong file measures nothing and ends with 65", arguments: ["run", "list"])
  func refused(_ command: String) async throws {
    try await withTemporaryFolder { folder in
      try bad.write(to: folder.appending(path: "bad.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(command, "bad.json", "nowhere.json", in: folder)
      #expect(outcome.status == 65)
      #expect(outcome.complaint.contains("bad.json:2: cleints: "))
      #expect(outcome.complaint.hasSuffix("nowhere.json: there is no such file to read\n"))
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "Reports").path()))
    }
  }

  @Test("Two scenarios of one name are refused, since a report could not tell them apart")
  func sameName() async throws {
    try await withTemporaryFolder { folder in
      for name in ["a.json", "b.json"] {
        try good.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
      }
      let outcome = try await triwire("list", ".", in: folder)
      #expect(outcome.status == 65)
      #expect(
        outcome.complaint
          == "./b.json: \"good\" is the name of ./a.json already, give it another\n")
    }
  }

  private let good = """
    {"name": "good", "clients": 2, // a comment
     "traffic": [{"direction": "up", "rate": "1/s per client", "payload": "64 B"}]}
    """
  private let bad = """

    {"name": "bad", "cleints": 2,
     "traffic": [{"direction": "up", "rate": "1/s per client", "payload": "64 B"}]}
    """
}
