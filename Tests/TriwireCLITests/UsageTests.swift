import Testing

@Suite("Usage errors")
struct UsageTests {
  /// Words that are wrong, and what is said about them.
  private static let wrong: [(words: [String], message: String, help: String)] = [
    (
      [],
      "write what to do: run, report, compare, baseline, explain, floor, check, list, validate, "
        + "schema, serve, relay",
      "triwire --help"
    ),
    (["rum"], "there is no command rum, did you mean run?", "triwire --help"),
    (["benchmark"], "there is no command benchmark", "triwire --help"),
    (["--versoin"], "triwire has no option --versoin, did you mean --version?", "triwire --help"),
    (
      ["run", "--transport", "sse"],
      "triwire run has no option --transport, did you mean --transports?", "triwire run --help"
    ),
    (
      ["run", "--transports", "ws"],
      "--transports does not know \"ws\", it knows websocket, sse, long-polling, did you mean "
        + "websocket?", "triwire run --help"
    ),
    (
      ["run", "--duration", "5s", "x.json"],
      "triwire run has no option --duration: the scenario file says it (\"duration\": \"10 s\"), and "
        + "--profile smoke, quick or full chooses how long to measure", "triwire run --help"
    ),
    (
      ["run", "x.json", "-o", "new"], "triwire run has no option -o, did you mean --output?",
      "triwire run --help"
    ),
    (["run", "-x"], "triwire run has no option -x", "triwire run --help"),
    (
      ["serve", "--port", "8090"],
      "triwire serve has no option --port, did you mean --listen 127.0.0.1:8090?",
      "triwire serve --help"
    ),
    (
      ["serve", "--port=many"],
      "triwire serve has no option --port, did you mean --listen 127.0.0.1:PORT?",
      "triwire serve --help"
    ),
    (
      ["report", "x", "--format", "pdf"],
      "--format does not know \"pdf\", it knows html, markdown, csv, junit, hdr, "
        + "github-action-benchmark, bencher", "triwire report --help"
    ),
    (
      ["explain", "p99"],
      "there is no figure \"p99\", did you mean \"latency.p99\", \"sentLate.p99\" or "
        + "\"latency.p99.9\"?", "triwire explain --help"
    ),
    (
      ["explain", "framing"],
      "there is no figure \"framing\", did you mean \"framingBytesPerMessage\"?",
      "triwire explain --help"
    ),
    (
      ["explain", "websocket.latency.p50"],
      "there is no figure \"websocket.latency.p50\", did you mean \"latency.p50\"?",
      "triwire explain --help"
    ),
    (
      ["explain", "beauty"], "there is no figure \"beauty\"; triwire explain lists all",
      "triwire explain --help"
    ),
    (
      ["compare", "a", "b", "--metric", "latency"],
      "--metric: there is no figure \"latency\", did you mean \"latency.p50\", \"latency.p90\" or "
        + "\"latency.p99\"?", "triwire compare --help"
    ),
    (
      ["run", "--transports=sse,sse"], "--transports names sse twice, write it once",
      "triwire run --help"
    ),
    (
      ["run", "--tls", "off,1.1"],
      "--tls does not know \"1.1\", it knows off, 1.2, 1.3, 1.3-resumed, did you mean 1.2?",
      "triwire run --help"
    ),
    (
      ["run", "--tls", "off,1.3,off"], "--tls names off twice, write it once", "triwire run --help"
    ),
    (
      ["run", "--profile", "fast"], "--profile does not know \"fast\", it knows smoke, quick, full",
      "triwire run --help"
    ),
    (
      ["run", "--repetitions", "0"], "--repetitions is 0, write a whole number from 1 to 100",
      "triwire run --help"
    ),
    (
      ["run", "--seed", "x"], "--seed is x, write a whole number from 0 to 9007199254740992",
      "triwire run --help"
    ),
    (["run", "--seed"], "--seed needs a value, write --seed N", "triwire run --help"),
    (
      ["run", "--output", "--quiet"], "--output needs a value, write --output DIR",
      "triwire run --help"
    ),
    (["run", "--quiet=yes"], "--quiet takes no value", "triwire run --help"),
    (
      ["run", "--quiet", "--quiet"], "--quiet stands there twice, write it once",
      "triwire run --help"
    ),
    (["floor", "5"], "triwire floor takes no 5, only options", "triwire floor --help"),
    (
      ["floor", "--rounds", "many"], "--rounds is many, write a whole number from 1 to 100",
      "triwire floor --help"
    ),
    (
      ["floor", "--payload", "125"],
      "--payload: \"125\" has no unit; for a size, write a number and a unit of B, KB, KiB, MB or "
        + "MiB: \"64 B\"", "triwire floor --help"
    ),
    (
      ["floor", "--window", "1 ms"], "--window: 1 ms is out of range, write 10 ms to 1 min",
      "triwire floor --help"
    ),
    (
      ["run", "--resume", "Reports/a", "--profile", "full"],
      "--resume goes on with the scenarios and settings that the run began with: leave --profile out",
      "triwire run --help"
    ),
    (["validate"], "write which scenario files to check", "triwire validate --help"),
    (["serve"], "write where to listen: --listen 127.0.0.1:8080", "triwire serve --help"),
    (
      ["serve", "--listen", "8080"],
      "--listen is 8080, write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080",
      "triwire serve --help"
    ),
    (["version"], "there is no command version, did you mean --version?", "triwire --help"),
    (["relay"], "write where to listen: --listen 127.0.0.1:9000", "triwire relay --help"),
    (
      ["relay", "--listen", "127.0.0.1:0"], "write where the server is: --to 127.0.0.1:8080",
      "triwire relay --help"
    ),
    (
      ["relay", "--listen", "127.0.0.1:0", "--to", "8080"],
      "--to is 8080, write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080", "triwire relay --help"
    ),
    (
      [
        "relay", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:8080", "--fault", "refuse",
        "--fault", "mute on ws",
      ],
      "--fault: \"ws\" after on is no kind of request, write some of websocket, sse, poll, post, "
        + "delete, other, separated by commas without blanks", "triwire relay --help"
    ),
    (["serve", "8080"], "triwire serve takes no 8080, only options", "triwire serve --help"),
  ]

  @Test("What is wrong is told with what to write instead, and the status is 64", arguments: wrong)
  func usage(_ words: [String], _ message: String, _ help: String) async throws {
    let outcome = try await triwire(words)
    #expect(outcome.status == 64)
    #expect(outcome.output == "")
    #expect(outcome.complaint == "triwire: \(message)\ntry: \(help)\n")
  }

  @Test("Without a folder Scenarios, run and list say what to do")
  func noSuite() async throws {
    try await withTemporaryFolder { folder in
      for command in ["run", "list"] {
        let outcome = try await triwire(command, in: folder)
        #expect(outcome.status == 64)
        #expect(
          outcome.complaint == """
            triwire: there is no folder Scenarios here: go to the project's folder, or name a scenario file
            try: triwire \(command) --help

            """)
      }
    }
  }
}
