import Foundation
import Testing

@Suite("Run against a target", .serialized)
struct TargetRunTests {
  @Test("All that is sent arrives, in the bytes that a server of its own would get")
  func target() async throws {
    try await withServer { url, folder in
      let outcome = try await triwire(
        "run", "tiny.json", "--target", url, "--output", "Far", in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
      #expect(outcome.output.contains("  Target: \(url), one server process for all trials"))
      #expect(outcome.output.contains("  Clocks: both sides read the same one"))
      #expect(outcome.output.contains(/memory\/connection +not measured/))
      let own = try await triwire("run", "tiny.json", "--output", "Own", in: folder)
      #expect(own.status == 0, "\(own.complaint)")
      #expect(!own.output.contains("Target:"))
      let (far, near) = (try trials("Far", in: folder), try trials("Own", in: folder))
      #expect(Set(far.keys) == ["websocket", "sse", "long-polling"])
      for (transport, trial) in far {
        let delivery = try #require(trial["delivery"] as? [String: Int])
        #expect(delivery["expected"] ?? 0 > 0)
        #expect(delivery["delivered"] == delivery["expected"])
        #expect(trial["failures"] as? [String] == [])
        #expect((trial["target"] as? [String: Any])?["isReconciled"] as? Bool == true)
        #expect(trial["unmeasured"] as? [String] == ["memory"])
        // How many messages share an answer is up to the moment; the rest is not.
        let parts =
          transport == "websocket" ? ["payload", "framing", "http", "socket"] : ["payload"]
        for direction in ["up", "down"] {
          let one = try layers(trial, direction)
          let other = try layers(near[transport] ?? [:], direction)
          for part in parts { #expect(one[part] == other[part], "\(transport) \(part)") }
        }
        for part in ["httpBytesUp", "httpBytesDown"] {
          #expect(try opening(trial, part) == opening(near[transport] ?? [:], part), "\(transport)")
        }
      }
    }
  }

  @Test(
    "An https target is trusted by its certificate, and its TLS is counted",
    arguments: ["1.2", "1.3", "1.3-resumed"])
  func secure(_ mode: String) async throws {
    try await withSecureServer { url, folder in
      let words = ["run", "tiny.json", "--tls", mode, "--target", url]
      let outcome = try await triwire(
        words + ["--target-ca", "server.pem", "--output", "Out"], in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
      let result = try trials("Out", in: folder)
      #expect(Set(result.keys) == ["websocket", "sse", "long-polling"])
      for trial in result.values {
        #expect(trial["tls"] as? String == mode)
        #expect(trial["failures"] as? [String] == [])
        #expect((trial["target"] as? [String: Any])?["isReconciled"] as? Bool == true)
        #expect(try layers(trial, "down")["tls"] ?? 0 > 0)
        // Nobody else's certificate comes when a session is resumed.
        let opening = try opening(trial, "tlsBytesDown")
        #expect(mode == "1.3-resumed" ? opening < 800 : opening > 800, "\(opening)")
      }
      let stranger = try await triwire(words, in: folder)
      #expect(stranger.status == 1)
      #expect(stranger.complaint.contains("certificate"), "\(stranger.complaint)")
    }
  }

  @Test("The capacity of a target is searched for, probe by probe", arguments: [false, true])
  func search(isSecure: Bool) async throws {
    let scenario = """
      {"name": "tiny", "clients": 4, "warmUp": "20 ms", "duration": "200 ms", "repetitions": 1,
       "tls": "\(isSecure ? "1.3" : "off")",
       "search": {"vary": "rate", "to": 400, "slo": {"p99": "20 s"}, "precision": 1},
       "traffic": [{"direction": "echo", "rate": "200/s in all", "payload": "20 B"}]}
      """
    func body(_ url: String, _ folder: URL) async throws {
      try scenario.write(
        to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(
        ["run", "tiny.json", "--target", url, "--output", "Out"]
          + (isSecure ? ["--target-ca", "server.pem"] : []), in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
      let result = try trials("Out", in: folder)
      #expect(Set(result.keys) == ["websocket", "sse", "long-polling"])
      for trial in result.values {
        let capacity = try #require(trial["capacity"] as? [String: Any])
        let probes = try #require(capacity["probes"] as? [[String: Any]])
        #expect(probes.first?["level"] as? Double == 200)
        #expect(probes.allSatisfy { $0["expected"] as? Int ?? 0 > 0 })
        #expect(capacity["held"] is Double, "\(capacity)")
      }
    }
    if isSecure {
      try await withSecureServer(body)
    } else {
      try await withServer { url, folder, _ in try await body(url, folder) }
    }
  }

  @Test("A server without --trials, and none at all, are told apart")
  func noTrials() async throws {
    try await withServer(["--message-limit", "1000"], isOpen: false) { url, folder in
      let outcome = try await triwire("run", "tiny.json", "--target", url, in: folder)
      #expect(outcome.status == 1)
      #expect(outcome.complaint.contains("does it run as triwire serve --trials"))
      let nobody = try await triwire(
        "run", "tiny.json", "--target", "http://127.0.0.1:1", in: folder)
      #expect(nobody.status == 1)
      #expect(nobody.complaint.contains("the target http://127.0.0.1:1 is not to be had"))
      #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "Reports").path))
    }
  }

  @Test("The secret is read from a file, and stands in no report")
  func secret() async throws {
    try await withTemporaryFolder { secrets in
      let (right, wrong) = (secrets.appending(path: "right"), secrets.appending(path: "wrong"))
      try "open-sesame\nrest".write(to: right, atomically: true, encoding: .utf8)
      try "open-barley".write(to: wrong, atomically: true, encoding: .utf8)
      try await withServer(["--trials-secret", right.path]) { url, folder in
        let words = ["run", "tiny.json", "--transports", "sse", "--target", url, "--output", "Out"]
        let refused = try await triwire(words + ["--trials-secret", wrong.path], in: folder)
        #expect(refused.status == 1)
        #expect(refused.complaint.contains("the secret is wrong or missing"))
        let outcome = try await triwire(words + ["--trials-secret", right.path], in: folder)
        #expect(outcome.status == 0, "\(outcome.complaint)")
        let data = try String(
          contentsOf: folder.appending(path: "Out/result.json"), encoding: .utf8)
        #expect(!data.contains("open-sesame"))
      }
    }
  }

  @Test("A target that dies in the middle fails its trials with a sentence, and the run with 1")
  func death() async throws {
    try await withServer { url, folder, server in
      let running = try RunningCommand(
        ["run", "long.json", "--profile", "full", "--transports", "websocket"]
          + ["--target", url, "--output", "Out"], in: folder)
      try await waitForSessions(of: server)
      server.signal(SIGKILL)
      let complaints = await running.complaints.reduce(into: "") { $0 += $1 + "\n" }
      #expect(await running.status == 1)
      #expect(complaints.contains("the target \(url)"))
      let result = try trials("Out", in: folder)
      #expect((result["websocket"]?["failures"] as? [String])?.isEmpty == false)
    }
  }

  @Test("Ctrl-C ends the run with 130, and the target is free for the next")
  func interrupt() async throws {
    try await withServer { url, folder, server in
      let running = try RunningCommand(
        ["run", "long.json", "--profile", "full", "--transports", "websocket"]
          + ["--target", url, "--output", "Out"], in: folder)
      try await waitForSessions(of: server)
      running.interrupt()
      #expect(await running.status == 130)
      let outcome = try await triwire(
        "run", "tiny.json", "--transports", "websocket", "--target", url, "--output", "Next",
        in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
    }
  }

  @Test("Routes that know nothing of trials are measured by a file of their URLs")
  func foreign() async throws {
    try await withServer(isOpen: false) { url, folder in
      try """
      {"websocket": "\(url)/echo",
       "sse": {"events": "\(url)/topics/{trial}-{client}", "publish": "\(url)/topics/{trial}-{client}"}}
      """.write(to: folder.appending(path: "urls.json"), atomically: true, encoding: .utf8)
      try """
      {"name": "echoes", "clients": 4, "warmUp": "100 ms", "duration": "200 ms",
       "traffic": [{"direction": "echo", "rate": "50/s per client", "payload": "64 B"}]}
      """.write(to: folder.appending(path: "echoes.json"), atomically: true, encoding: .utf8)
      let words = ["run", "echoes.json", "--foreign", "urls.json"]
      let refused = try await triwire(words, in: folder)
      #expect(refused.status == 64)
      #expect(refused.complaint.contains("runs over long-polling, for which no URL is named"))
      let outcome = try await triwire(
        words + ["--transports", "websocket,sse", "--output", "Out"], in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
      #expect(outcome.output.contains("  Foreign: \(url)/echo, "))
      let result = try trials("Out", in: folder)
      #expect(Set(result.keys) == ["websocket", "sse"])
      for trial in result.values {
        #expect(trial["failures"] as? [String] == [])
        #expect((trial["cpu"] as? [String: Any])?["serverMicroseconds"] == nil)
        #expect((trial["target"] as? [String: Any])?["clock"] as? String == "own")
      }
      let both = try await triwire(words + ["--target", url], in: folder)
      #expect(both.status == 64)
      #expect(both.complaint.contains("write --target or --foreign, not both"))
      let mistaken = try await triwire("run", "echoes.json", "--foreign", "echoes.json", in: folder)
      #expect(mistaken.status == 65)
    }
  }

  @Test("Routes of others are measured over TLS, with their authority to trust")
  func foreignSecure() async throws {
    try await withSecureServer(isOpen: false) { url, folder in
      let topic = "\(url)/topics/{trial}-{client}"
      try """
      {"websocket": "\(url.replacing("https", with: "wss"))/echo",
       "sse": {"events": "\(topic)", "publish": "\(topic)"}}
      """.write(to: folder.appending(path: "urls.json"), atomically: true, encoding: .utf8)
      try """
      {"name": "echoes", "clients": 4, "warmUp": "100 ms", "duration": "200 ms", "tls": "1.3",
       "traffic": [{"direction": "echo", "rate": "50/s per client", "payload": "64 B"}]}
      """.write(to: folder.appending(path: "echoes.json"), atomically: true, encoding: .utf8)
      let words = [
        "run", "echoes.json", "--foreign", "urls.json", "--transports", "websocket,sse",
      ]
      let outcome = try await triwire(
        words + ["--target-ca", "server.pem", "--output", "Out"], in: folder)
      #expect(outcome.status == 0, "\(outcome.complaint)")
      let result = try trials("Out", in: folder)
      #expect(Set(result.keys) == ["websocket", "sse"])
      for trial in result.values {
        #expect(trial["failures"] as? [String] == [])
        #expect(trial["tls"] as? String == "1.3")
        #expect(try layers(trial, "down")["tls"] ?? 0 > 0)
        let delivery = try #require(trial["delivery"] as? [String: Int])
        #expect(delivery["expected"] ?? 0 > 0)
        #expect(delivery["delivered"] == delivery["expected"])
      }
      let stranger = try await triwire(words, in: folder)
      #expect(stranger.status == 1)
      #expect(stranger.complaint.contains("certificate"), "\(stranger.complaint)")
    }
  }

  @Test(
    "What does not go with a target is refused with what to write",
    arguments: [
      (["--target", "127.0.0.1:80"], "write http://HOST:PORT"),
      (["--target-ca", "ca.pem"], "--target-ca is for a target, write --target URL"),
      (["--target", "http://127.0.0.1:1", "--check-interface"], "a target is elsewhere"),
      (["--target", "http://127.0.0.1:1", "--tls", "1.3"], "write --tls off, or an https URL"),
      (["--target", "http://127.0.0.1:1", "--trials-secret", "nothing"], "no text file"),
    ])
  func mistakes(_ words: [String], _ complaint: String) async throws {
    try await withTemporaryFolder { folder in
      try tiny.write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      let outcome = try await triwire(["run", "tiny.json"] + words, in: folder)
      #expect(outcome.status == 64)
      #expect(outcome.complaint.contains(complaint), "\(outcome.complaint)")
    }
  }

  @Test(
    "Options of trials that do not go together are refused with what to write",
    arguments: [
      (["--trials", "--loops", "2"], "--trials serves with one thread, leave --loops out"),
      (["--trials", "--trials-secret", "nothing"], "nothing is no text file that can be read"),
    ])
  func serving(_ words: [String], _ complaint: String) async throws {
    let outcome = try await triwire(["serve", "--listen", "127.0.0.1:0"] + words)
    #expect(outcome.status == 64)
    #expect(outcome.complaint.contains(complaint), "\(outcome.complaint)")
  }

  /// Waits until the clients of a trial are connected, as its descriptors tell.
  private func waitForSessions(of server: RunningCommand) async throws {
    let patience = ContinuousClock.now + .seconds(30)
    while server.descriptors < 20, ContinuousClock.now < patience { await Task.yield() }
    try #require(server.descriptors >= 20)
  }

  private func layers(_ trial: [String: Any], _ direction: String) throws -> [String: Int] {
    let bytes = try #require(trial["bytes"] as? [String: Any])
    return try #require(bytes[direction] as? [String: Int])
  }

  private func opening(_ trial: [String: Any], _ part: String) throws -> Double {
    let connection = try #require(trial["connection"] as? [String: Any])
    return try #require(connection[part] as? Double)
  }

  /// The trials of a result by their transport.
  private func trials(_ name: String, in folder: URL) throws -> [String: [String: Any]] {
    let data = try Data(contentsOf: folder.appending(path: "\(name)/result.json"))
    let result = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let trials = try #require(result["trials"] as? [[String: Any]])
    return Dictionary(
      trials.map { ($0["transport"] as? String ?? "", $0) }, uniquingKeysWith: { $1 })
  }

  private func withServer(
    _ words: [String] = [], isOpen: Bool = true, _ body: (String, URL) async throws -> Void
  ) async throws {
    try await withServer(words, isOpen: isOpen) { url, folder, _ in try await body(url, folder) }
  }

  /// The same with a server of https, whose certificate is in `server.pem`.
  private func withSecureServer(
    isOpen: Bool = true, _ body: @escaping (String, URL) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { certificates in
      let file = certificates.appending(path: "server.pem")
      try await withServer(["--tls-self-signed", "--tls-write", file.path], isOpen: isOpen) {
        url, folder, _ in
        try FileManager.default.copyItem(at: file, to: folder.appending(path: "server.pem"))
        try await body(url, folder)
      }
    }
  }

  /// A folder with two scenarios, and a server that offers trials beside it.
  private func withServer(
    _ words: [String] = [], isOpen: Bool = true,
    _ body: (String, URL, RunningCommand) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      try tiny.write(to: folder.appending(path: "tiny.json"), atomically: true, encoding: .utf8)
      try tiny.replacing("\"200 ms\"", with: "\"60 s\"")
        .write(to: folder.appending(path: "long.json"), atomically: true, encoding: .utf8)
      let server = try RunningCommand(
        ["serve", "--listen", "127.0.0.1:0"] + (isOpen ? ["--trials"] : []) + words)
      defer { server.signal(SIGKILL) }
      let line = try #require(await server.outputs.first { $0.contains("listening on") })
      let url = try #require(line.wholeMatch(of: /listening on (https?:\/\/127\.0\.0\.1:\d+)/)?.1)
      try await body(String(url), folder, server)
    }
  }

  private let tiny = """
    {
      "name": "tiny", "description": "all ways at once", "clients": 8, "groups": 2,
      "traffic": [
        { "direction": "echo", "rate": "100/s per client", "payload": "20 B" },
        { "direction": "up", "rate": "100/s per client", "payload": "125 B", "kind": "binary" },
        { "direction": "down", "rate": "100/s per client", "payload": "126 B", "kind": "binary" },
        { "name": "feed", "direction": "broadcast", "rate": "100/s per group", "payload": "64 B" },
        { "name": "talk", "direction": "broadcast", "from": "clients", "rate": "10/s per client",
          "payload": { "lognormal": ["80 B", "2 KB"] } }
      ],
      "warmUp": "100 ms", "duration": "200 ms", "repetitions": 1
    }
    """
}
