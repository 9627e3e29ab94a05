import Triwire

/// Runs the checks of the instrument and keeps what they found.
public struct CheckRun: Sendable {
  /// What became of one check.
  public struct Outcome: Sendable {
    /// The check.
    public let check: InstrumentCheck
    /// A finding for each of its figures.
    public let findings: [InstrumentCheck.Finding]

    /// Whether all figures are what they have to be.
    public var isMet: Bool { findings.allSatisfy(\.isMet) }
    /// Whether another try may tell: all that is not met was disturbed.
    public var isOpen: Bool { findings.allSatisfy { $0.isMet || $0.isDisturbed } && !isMet }
  }

  private let retries: Int
  private let executable: String?

  /// Prepares to run checks.
  ///
  /// - Parameters:
  ///   - retries: How often a check is repeated that does not hold and was disturbed.
  ///   - executable: A program that calls ``TrialServer/run()`` when started with the word
  ///     ``TrialServer/word``; this program itself unless given.
  public init(retries: Int = 1, executable: String? = nil) {
    self.retries = retries
    self.executable = executable
  }

  /// Runs one check, again where it was disturbed and does not hold.
  ///
  /// - Parameters:
  ///   - check: The check.
  ///   - startedAt: The moment in UTC (ISO 8601), for the record.
  ///   - watcher: Whom to tell before each trial: how many are done.
  /// - Returns: What became of it.
  /// - Throws: `CancellationError` when the task is cancelled, and nothing else.
  public func run(
    _ check: InstrumentCheck, startedAt: String, _ watcher: (@Sendable (Int) -> Void)? = nil
  ) async throws -> Outcome {
    for _ in 0..<retries {
      let outcome = try await once(check, startedAt, watcher)
      guard outcome.isOpen else { return outcome }
    }
    return try await once(check, startedAt, watcher)
  }

  private func once(
    _ check: InstrumentCheck, _ startedAt: String, _ watcher: (@Sendable (Int) -> Void)?
  ) async throws -> Outcome {
    var measurements: [Measurement] = []
    let (start, before) = (EventLoop.clock(), ProcessReading.pressure)
    for trial in check.trials {
      watcher?(measurements.count)
      let run = TrialRun(trial, executable: executable, startedAt: startedAt)
      measurements.append(try await run.measure(nil))
    }
    let time = Double(EventLoop.clock() - start) / 1000
    let pressure = before.flatMap { before in
      ProcessReading.pressure.map { Double($0 - min($0, before)) / max(time, 1) }
    }
    return Outcome(check: check, findings: check.findings(measurements, pressure: pressure))
  }
}

extension CheckRun.Outcome {
  /// What was expected and found, as a table below the claim.
  ///
  /// - Parameter page: What it is written on.
  /// - Returns: Lines with a line end each.
  package func text(on page: Page) -> String {
    let mark = { (finding: InstrumentCheck.Finding) in
      finding.isMet ? "ok" : finding.isDisturbed ? "open" : "WRONG"
    }
    let table = page.table(
      [check.name, "expected", "measured", ""],
      findings.map { [$0.what, $0.expected, $0.measured, mark($0)] })
    let reasons = findings.map(\.reason).filter { !$0.isEmpty }
    let why = reasons.enumerated().filter { reasons.firstIndex(of: $0.element) == $0.offset }
      .map { page.red(page.wrapped("  likely reason: \($0.element)", hanging: 4)) }
    return page.narrowed(to: 95).wrapped(check.claim) + table + why.joined() + "\n"
  }
}
