import Testing

@Suite("Help")
struct HelpTests {
  @Test("Every help text is what its snapshot says", arguments: helpSnapshots)
  func help(_ snapshot: Snapshot) async throws {
    for words in [snapshot.words + ["--help"], snapshot.words + ["-h"], ["help"] + snapshot.words] {
      let outcome = try await triwire(words)
      #expect(outcome.status == 0)
      #expect(outcome.output == snapshot.text)
      #expect(outcome.complaint == "")
    }
  }

  @Test("The version is a line of its own")
  func version() async throws {
    let outcome = try await triwire("--version")
    #expect(outcome.status == 0)
    #expect(outcome.output.wholeMatch(of: /triwire \d+\.\d+\.\d+\n/) != nil)
  }

  @Test("No help text is wider than a terminal")
  func width() {
    for snapshot in helpSnapshots {
      for line in snapshot.text.split(separator: "\n") { #expect(line.count <= 95) }
    }
  }
}
