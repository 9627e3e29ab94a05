import FoundationEssentials
import Triwire

/// A `triwire serve --trials` that runs already: asked over a session of its own, as a child process
/// is over its pipes.
final class TargetServer: MeasuredServer {
  private let address: TargetAddress
  private var session: Session?
  private var before: ClockAgreement?
  private var isSameMachine = false

  /// Seconds a target may take to answer; a large trial's histograms are megabytes.
  private static let patience = 60.0
  /// Questions about the time, and nanoseconds after which those that were asked are enough.
  private static let questions = (most: 64, fewest: 8, time: 2_000_000_000 as UInt64)

  init(_ address: TargetAddress) { self.address = address }

  var isElsewhere: Bool { true }
  var tellsBytes: Bool { true }
  private(set) var roundTrip: UInt64 = 0

  /// Says hello, and hears what the target is.
  ///
  /// - Throws: ``TrialFailure`` when it is not there, offers no trials, or is another version;
  ///   `CancellationError`.
  func greet() async throws -> TargetAnswer {
    let session = try await connect()
    self.session = session
    let words = try await exchange([UInt8](JSONEncoder().encode(TargetGreeting())))
    guard let answer = try? JSONDecoder().decode(TargetAnswer.self, from: Data(words)) else {
      throw TrialFailure("the target \(address.url) answers what this version does not understand")
    }
    if let refusal = answer.refusal {
      throw TrialFailure("the target \(address.url) says: \(refusal)")
    }
    if let difference = TargetGreeting().disagreement(with: answer.greeting) {
      throw TrialFailure(difference)
    }
    return answer
  }

  private func connect() async throws -> Session {
    var configuration = TriwireClient.Configuration()
    configuration.resume = nil
    // Measured connections go there without one as well.
    configuration.proxy = .none
    configuration.session = OfferedTrials.limits
    if let authorities = address.authorities { configuration.tls.caFile = .text(authorities) }
    if let secret = address.secret {
      configuration.headers.append("authorization", "Bearer \(secret)")
    }
    do {
      return try await TriwireClient(
        address.url + TrialPath.control, configuration: configuration
      ).connect()
    } catch let error as ConnectError {
      let statuses = error.attempts.compactMap { $0.refusal?.status }
      let hint =
        statuses.contains(.notFound)
        ? "; does it run as triwire serve --trials, and does what is in between pass on "
          + "\(TrialPath.prefix)?" : ""
      throw TrialFailure("the target \(address.url) is not to be had: \(error)\(hint)")
    }
  }

  func prepare(_ setup: TrialSetup) async throws -> TrialPlace {
    guard setup.slowdown == nil else {
      throw TrialFailure("a target is not slowed down on purpose: unset \(Slowdown.variable)")
    }
    let answer = try await greet()
    guard setup.compression == .off || answer.compresses == true else {
      throw TrialFailure(
        "the target \(address.url) does not compress: start it with --deflate and --gzip")
    }
    let clock = try await agreeOnTime()
    roundTrip = clock.roundTrip
    before = clock
    isSameMachine = answer.bootID.map { $0 == OfferedTrials.bootID && !$0.isEmpty } ?? false
    guard case .ready = try await ask(.configure(setup)) else {
      throw TrialFailure("the target did not say that it is ready")
    }
    return address.place
  }

  /// Whether the clock there is the one here.
  private var sharesClock: Bool { isSameMachine && before?.canBeOne ?? false }

  /// Asks for the time, again and again.
  private func agreeOnTime() async throws -> ClockAgreement {
    var questions: [ClockAgreement.Question] = []
    let start = EventLoop.clock()
    while questions.count < TargetServer.questions.most,
      questions.count < TargetServer.questions.fewest
        || EventLoop.clock() - start < TargetServer.questions.time
    {
      let asked = EventLoop.clock()
      guard case .time(let there) = try await ask(.time) else { break }
      questions.append(.init(asked: asked, there: there, answered: EventLoop.clock()))
    }
    guard let agreement = ClockAgreement(questions) else {
      throw TrialFailure("the target did not say what time it is there")
    }
    return agreement
  }

  func ask(_ request: ControlRequest) async throws -> ControlReply {
    var request = request
    if case .start(let start, let end) = request, let before, !sharesClock {
      request = .start(at: before.there(start), upTo: end)
    }
    let words = try await exchange([UInt8](JSONEncoder().encode(request)))
    let reply = try JSONDecoder().decode(ControlReply.self, from: Data(words))
    if case .failed(let reason) = reply { throw TrialFailure("the target says: \(reason)") }
    return reply
  }

  /// Sends one message and waits for the next.
  private func exchange(_ bytes: [UInt8]) async throws -> [UInt8] {
    guard let session else { throw TrialFailure("the target was not greeted") }
    let alarm = Task {
      try await Task.sleep(for: .seconds(TargetServer.patience))
      session.abort()
    }
    defer { alarm.cancel() }
    do {
      try await session.send(Message(.text, bytes))
      for try await message in session.messages { return message.bytes }
    } catch {
      try Task.checkCancellation()
      throw TrialFailure("the target \(address.url) was lost in the middle: \(error)")
    }
    try Task.checkCancellation()
    let end = await session.ended()
    throw TrialFailure(
      "the target \(address.url) ended the trial: \(end.code) \(end.reason)")
  }

  func process() async throws -> ServerReading? {
    guard case .process(let reading) = try await ask(.readProcess) else { return nil }
    return reading
  }

  /// Others have used the process before, so that what it holds says nothing about these clients.
  func memory(clients: Int, cpuShare: Double) -> MemoryCost.Step? { nil }

  func target() async throws -> TargetMeasurement? {
    guard let before else { return nil }
    let after = try await agreeOnTime()
    return TargetMeasurement(before, after, isShared: sharesClock && after.canBeOne)
  }

  func stop() async {
    guard let session else { return }
    session.close()
    // The next trial is refused while this one is not over.
    _ = await session.ended()
  }
}

extension TargetAddress {
  /// Says hello, and hears what the target is.
  ///
  /// - Returns: The record of it for a report.
  /// - Throws: ``ReportError`` when it is not there, offers no trials, or is another version.
  public func greet() async throws -> TargetRecord {
    let server = TargetServer(self)
    do {
      let answer = try await server.greet()
      await server.stop()
      guard var record = answer.server else {
        throw TrialFailure("the target \(url) did not say what it is")
      }
      record.url = url
      return record
    } catch let failure as TrialFailure {
      await server.stop()
      throw ReportError(description: failure.description)
    }
  }
}
