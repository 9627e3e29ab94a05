import Testing
import TestSupport
import Triwire

@Suite("Many sessions", .serialized, .takesTurns)
struct CrowdTests {
  @Test(
    "1,000 sessions at once each get their own messages back", arguments: TransportKind.allCases)
  func thousand(kind: TransportKind) async throws {
    Process.raiseDescriptorLimit()
    try await Rig.run(TrafficTests.addEcho) { rig in
      let sessions = try await within("1,000 sessions open") {
        try await withThrowingTaskGroup(of: Session.self) { tasks in
          for _ in 0..<1000 { tasks.addTask { try await rig.connect("/echo", over: kind) } }
          var sessions: [Session] = []
          for try await session in tasks { sessions.append(session) }
          return sessions
        }
      }
      #expect(await rig.server.sessionCount() == 1000)
      try await within("each has its echoes") {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
          for (number, session) in sessions.enumerated() {
            tasks.addTask {
              let messages = (0..<3).map { Message("\(number) \($0)") }
              for message in messages { try await session.send(message) }
              #expect(try await session.take(3) == messages)
            }
          }
          try await tasks.waitForAll()
        }
      }
      for session in sessions { session.close() }
      for session in sessions { #expect(try await session.end().isClean) }
      try await within("the server has no session left") {
        while await rig.server.sessionCount() > 0 { await Task.yield() }
      }
    }
  }
}
