import Testing

@Suite("Check")
struct CheckTests {
  @Test("A check runs real trials, prints what was expected and measured, and ends accordingly")
  func framing() async throws {
    try await withTemporaryFolder { folder in
      let outcome = try await triwire("check", "framing", "--retries", "0", in: folder)
      #expect(outcome.output.contains("websocket, framing bytes/message"))
      #expect(outcome.output.contains("sse, framing bytes/message"))
      // A machine that holds messages up lets events share a chunk: that is said, and no mistake.
      let end = [0: "all right", 3: "open"][outcome.status]
      #expect(end.map { outcome.output.contains($0) } == true, "\(outcome.output)")
    }
  }

  @Test("A check that does not exist is refused with those that do")
  func unknown() async throws {
    try await withTemporaryFolder { folder in
      let outcome = try await triwire("check", "packet", in: folder)
      #expect(outcome.status == 64)
      #expect(outcome.complaint.contains("there is no check packet, there are packets, framing"))
      #expect(outcome.complaint.contains("did you mean packets?"))
    }
  }
}
