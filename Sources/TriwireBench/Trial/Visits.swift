import Triwire

/// The lines of visits, as both sides know them.
enum VisitLine {
  /// What the word that this was all begins with.
  private static let mark = "done "

  /// A line of so many bytes.
  static func text(_ size: Int) -> [UInt8] {
    Flow.Content.json.bytes(.text, size)
  }

  /// The last word: when it was due, on the monotonic clock.
  static func last(due: UInt64) -> [UInt8] { Array("\(mark)\(due)".utf8) }

  /// When the last word was due; `nil` of a line.
  static func due(_ bytes: [UInt8]) -> UInt64? {
    guard bytes.starts(with: mark.utf8) else { return nil }
    return UInt64(String(decoding: bytes.dropFirst(mark.utf8.count), as: UTF8.self))
  }
}

/// The visitors of a trial.
final class Visits: @unchecked Sendable {
  // What changes is touched on the loop alone, which is what makes `@unchecked Sendable` hold.

  private let loop: EventLoop
  private let visitors: Visitors
  private var measurement = VisitMeasurement()
  private var coming: Task<Void, Never>?

  init(_ visitors: Visitors, on loop: EventLoop) {
    self.visitors = visitors
    self.loop = loop
  }

  /// Lets visitors come from a moment on, so many, each at its time.
  func begin(
    at start: UInt64, count: Int, to url: String, over transport: TransportKind,
    _ configuration: TriwireClient.Configuration
  ) {
    let every = visitors.every.nanoseconds
    coming = Task { [self] in
      await withTaskGroup(of: Void.self) { tasks in
        for number in 0..<count {
          let due = start + UInt64(number) * every
          let now = EventLoop.clock()
          if due > now { try? await Task.sleep(nanoseconds: due - now) }
          guard !Task.isCancelled else { return }
          tasks.addTask { [self] in await visit(url, transport, configuration) }
        }
      }
    }
  }

  private func visit(
    _ url: String, _ transport: TransportKind, _ configuration: TriwireClient.Configuration
  ) async {
    let began = EventLoop.clock()
    var first: UInt64?
    var (lines, payload) = (0, 0)
    do {
      let session = try await TriwireClient(url, configuration: configuration)
        .connect(over: [transport])
      for try await message in session.messages {
        let now = EventLoop.clock()
        guard let due = VisitLine.due(message.bytes) else {
          if first == nil { first = now }
          (lines, payload) = (lines + 1, payload + message.bytes.count)
          continue
        }
        let traffic = await session.traffic()
        session.close()
        let moved = traffic.streams.reduce(0) { $0 + $1.bytesSent + $1.bytesReceived }
        return note(lines, payload, moved, (first ?? now) - began, now > due ? now - due : 0)
      }
      fail("a visitor's session ended after \(grouped(lines)) lines")
    } catch {
      fail("a visitor got \(grouped(lines)) lines: \(error)")
    }
  }

  private func note(
    _ lines: Int, _ payload: Int, _ moved: UInt64, _ first: UInt64, _ lag: UInt64
  ) {
    loop.execute { [self] in
      measurement.visits += 1
      measurement.lines += UInt64(lines)
      measurement.payload += UInt64(payload)
      measurement.socket += moved
      measurement.firstLineMicroseconds.histogram.record(first)
      measurement.completionMicroseconds.histogram.record(lag)
      if lines != visitors.linesOfVisit {
        measurement.failures.append(
          "a visitor got \(grouped(lines)) of \(grouped(visitors.linesOfVisit)) lines")
      }
    }
  }

  private func fail(_ sentence: String) {
    loop.execute { [self] in
      measurement.visits += 1
      measurement.failures.append(sentence)
    }
  }

  /// Waits for the last visitor to go, until a moment at most.
  func finish(by deadline: UInt64) async -> VisitMeasurement {
    guard let coming else { return measurement }
    let alarm = Task {
      let now = EventLoop.clock()
      if deadline > now { try? await Task.sleep(nanoseconds: deadline - now) }
      if !Task.isCancelled { coming.cancel() }
    }
    await coming.value
    alarm.cancel()
    return await loop.perform { [self] in measurement }
  }

  /// Lets nobody come any more, and those who are there go.
  func stop() async {
    coming?.cancel()
    await coming?.value
  }
}

/// What the server does for one visitor.
final class VisitServed {
  // On the server's loop alone.

  private let session: Session
  private let visitors: Visitors
  private let loop: EventLoop
  private let start = EventLoop.clock()
  private let line: [UInt8]
  private var sent = 0

  init(_ session: Session, _ visitors: Visitors, on loop: EventLoop) {
    self.session = session
    self.visitors = visitors
    self.loop = loop
    line = VisitLine.text(visitors.payload.bytes)
  }

  /// Sends the lines that are due, and comes back for those that are not yet.
  func go() {
    while session.isOpen, sent < visitors.linesOfVisit, due(sent) <= EventLoop.clock() {
      let line = line
      session.sendNow(.text, line.span)
      sent += 1
    }
    guard session.isOpen else { return }
    guard sent == visitors.linesOfVisit else {
      return loop.schedule(at: due(sent)) { [self] in go() }
    }
    let last = VisitLine.last(due: due(sent - 1))
    session.sendNow(.text, last.span)
  }

  private func due(_ number: Int) -> UInt64 {
    start + UInt64(number) * 1_000_000_000 / UInt64(visitors.lines)
  }
}
