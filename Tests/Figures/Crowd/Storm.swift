import Triwire

/// Sessions over WebSocket that lose their server all at once, and come back when it is there again.
struct Storm {
  let server: String
  let clients: Int

  private struct Course {
    /// Attempts within half a second after the loss.
    var soon = 0
    /// Attempts until the session was back.
    var attempts = 0
    /// The shortest wait before an attempt, in milliseconds.
    var leastWait = Double.infinity
  }

  func run() async throws {
    let comebacks = Comebacks()
    let client = TriwireClient("http://\(server)/echo")
    let sessions = try await each(clients) { number in
      let session = try await client.connect(over: [.webSocket])
      comebacks.watch(number, session)
      try await Self.echo("before", session)
      return session
    }
    // The script kills the server now, and starts it again later.
    tell("ready")
    await comebacks.have(clients)
    tell("back")
    _ = try await each(clients) { number in try await Self.echo("after", sessions[number]) }
    let recoveries = comebacks.all
    var courses: [Course] = []
    for (number, session) in sessions.enumerated() {
      guard let first = recoveries[number]?.first else { continue }
      courses.append(try Self.course(await session.attempts(), first))
    }
    report(courses, recoveries.values.map { $0 })
    for session in sessions { session.abort() }
  }

  private static func echo(_ text: String, _ session: Session) async throws {
    try await session.send(text)
    for try await message in session.messages {
      guard message.text == text else { throw Trouble(what: "\(message.text) came for \(text)") }
      return
    }
    throw Trouble(what: "the session ended: \(await session.ended())")
  }

  /// Reads the trace of a session: its opening, then attempts that failed, then the one that held.
  private static func course(
    _ attempts: [TransportAttempt], _ recovery: SessionRecovery
  ) throws -> Course {
    let opens = attempts.indices.filter { attempts[$0].outcome == "open" }
    guard opens.count > 1, opens[0] == 0 else {
      throw Trouble(what: "a trace without a return: \(attempts)")
    }
    let last = attempts[opens[1]]
    let lost = last.began + last.milliseconds - recovery.milliseconds
    var course = Course()
    var idle = lost
    for attempt in attempts[1...opens[1]] {
      course.attempts += 1
      if attempt.began < lost + 500 { course.soon += 1 }
      course.leastWait = min(course.leastWait, attempt.began - idle)
      idle = attempt.began + attempt.milliseconds
    }
    return course
  }

  private func report(_ courses: [Course], _ recoveries: [[SessionRecovery]]) {
    let away = recoveries.compactMap(\.first?.milliseconds).sorted()
    let soon = courses.map(\.soon)
    tell(
      "end",
      [
        ("clients", "\(clients)"), ("back", "\(courses.count)"),
        ("told", "\(recoveries.count { $0.first?.recovered == false })"),
        ("lostAgain", "\(recoveries.count { $0.count > 1 })"),
        ("soonMost", "\(soon.max() ?? 0)"),
        (
          "soon",
          "[\((0...4).map { number in "\(soon.count { $0 == number })" }.joined(separator: ", "))]"
        ),
        ("attemptsMost", "\(courses.map(\.attempts).max() ?? 0)"),
        ("leastWait", "\(courses.map(\.leastWait).min() ?? 0)"),
        ("awayMedian", "\(away[away.count / 2])"), ("awayMost", "\(away[away.count - 1])"),
      ])
  }
}
