import Foundation
import Testing
import Triwire

@Suite("Run over a network", .serialized)
struct NetworkRunTests {
  @Test("Nothing is lost, nothing arrives too early, and the bytes of both sides agree")
  func imitated() async throws {
    try await withTemporaryFolder { folder in
      try scenario.write(to: folder.appending(path: "far.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire("run", "far.json", "--output", "Out", in: folder)
      #expect(outcome.status == 0, "\(outcome.output) \(outcome.complaint)")
      #expect(outcome.output.contains("Network: round trip 30 ms, each way ± 1 ms, down 5 Mbit/s"))
      let data = try Data(contentsOf: folder.appending(path: "Out/result.json"))
      let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let trials = try #require(result["trials"] as? [[String: Any]])
      #expect(trials.count == 6)
      for trial in trials {
        #expect(trial["failures"] as? [String] == [])
        let delivery = try #require(trial["delivery"] as? [String: Int])
        #expect(delivery["expected"] ?? 0 > 0 && delivery["delivered"] == delivery["expected"])
        // There and back, each way 15 ms, less 1 ms of jitter; a message stands for its intended time.
        let latency = try #require(trial["latencyMicroseconds"] as? [String: Any])
        #expect(latency["min"] as? Double ?? 0 >= 28_000)
        // Connecting and the request of the session are two round trips.
        let connection = try #require(trial["connection"] as? [String: Any])
        let open = try #require(connection["openMicroseconds"] as? [String: Any])
        #expect(open["min"] as? Double ?? 0 >= 58_000)
        let network = try #require(trial["network"] as? [String: Any])
        #expect(network["segments"] as? Int ?? 0 > 0)
        let late = try #require(network["lateMicroseconds"] as? [String: Any])
        #expect(late["count"] as? Int ?? 0 > 0)
        #expect(trial["bytes"] != nil)
      }
      let text = try String(contentsOf: folder.appending(path: "Out/report.md"), encoding: .utf8)
      #expect(text.contains("\n\nNetwork: round trip 30 ms"))
    }
  }

  @Test("A relay says which network it imitates, and at the end how late it was")
  func relay() async throws {
    let server = try RunningCommand(["serve", "--listen", "127.0.0.1:0"])
    let line = try #require(await server.outputs.first { _ in true })
    let address = try #require(line.split(separator: "/").last.map(String.init))
    let relay = try RunningCommand([
      "relay", "--listen", "127.0.0.1:0", "--to", address, "--network", "lossy-4g",
      "--round-trip", "20ms", "--jitter=2 ms", "--loss", "0.001", "--down", "8 Mbit/s",
    ])
    let said = try #require(await relay.outputs.first { _ in true })
    let pattern =
      /relaying (127\.0\.0\.1:\d+) to .* over round trip 20 ms, each way ± 2 ms, down 8 Mbit\/s, up 750 kbit\/s, loss 0.1 %/
    let near = try #require(said.wholeMatch(of: pattern), "\(said)")
    let session = try await TriwireClient("http://\(near.1)/echo").connect(over: [.webSocket])
    try await session.send("hello")
    #expect(try await session.messages.first { _ in true }?.text == "hello")
    session.abort()
    relay.interrupt()
    #expect(await relay.status == 0)
    var lines: [String] = []
    for await line in relay.outputs { lines.append(line) }
    #expect(
      lines.last?.wholeMatch(
        of: /network: \d+ segments, \d+ lost at first; let go late: p50 .*, p99 .*, max \d+ µs/)
        != nil, "\(lines)")
    server.interrupt()
    #expect(await server.status == 0)
  }

  @Test(
    "A network that cannot be is refused with status 64",
    arguments: [
      (["--network", "wam"], "did you mean wan?"),
      (["--loss", "0.9"], "write a part from 0 to 0.5"),
      (["--jitter", "5ms"], "at most half of the round trip"),
      (["--down", "5 Mbps"], "kbit/s"), (["--round-trip", "1 h"], "unit of ms, s or min"),
    ])
  func refused(_ words: [String], _ sentence: String) async throws {
    let outcome = try await triwire(
      ["relay", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1"] + words)
    #expect(outcome.status == 64)
    #expect(outcome.complaint.contains(sentence), "\(outcome.complaint)")
  }
}

private let scenario = """
  {
    "name": "far",
    "description": "6 clients echo over TLS and without it, far away",
    "clients": 6,
    "network": {"roundTrip": "30 ms", "jitter": "1 ms", "down": "5 Mbit/s", "up": "5 Mbit/s"},
    "tls": ["off", "1.3"],
    "warmUp": "200 ms",
    "duration": "1 s",
    "drain": "30 s",
    "traffic": [{"direction": "echo", "rate": "10/s per client", "payload": "64 B"}]
  }
  """
