import FoundationEssentials
import Triwire

/// Runs one trial and measures it: a fresh server in a process of its own, fresh clients in this.
public struct TrialRun: Sendable {
  /// Takes news of a trial, now and then while it runs.
  public typealias Watcher = @Sendable (TrialProgress) -> Void

  let trial: Trial
  let executable: String
  let startedAt: String
  let checksInterface: Bool
  let retries: Int
  /// Whether the server does next to nothing.
  private let isNull: Bool

  /// Prepares a trial.
  ///
  /// - Parameters:
  ///   - trial: What to measure.
  ///   - executable: A program that calls ``TrialServer/run()`` when started with the word
  ///     ``TrialServer/word``; this program itself unless given.
  ///   - startedAt: The moment in UTC (ISO 8601), for the record.
  ///   - checksInterface: Whether to compare what is counted with what the loopback interface carries;
  ///     in a network namespace that nobody else uses, ``InterfaceCount/ownLoopback``.
  ///   - retries: How often a probe of a search is repeated that the machine disturbed; what
  ///     searches for nothing is repeated by whoever runs it.
  public init(
    _ trial: Trial, executable: String? = nil, startedAt: String, checksInterface: Bool = false,
    retries: Int = 0
  ) {
    self.trial = trial
    self.executable = executable ?? ownExecutable
    self.startedAt = startedAt
    self.checksInterface = checksInterface
    self.retries = retries
    isNull = false
  }

  /// Prepares a trial against a server that does next to nothing, or not.
  init(_ trial: Trial, executable: String?, startedAt: String, isNull: Bool) {
    self.trial = trial
    self.executable = executable ?? ownExecutable
    self.startedAt = startedAt
    self.isNull = isNull
    (checksInterface, retries) = (false, 0)
  }

  /// Measures the trial, or searches for the capacity that its scenario asks for.
  ///
  /// Whatever goes wrong stands in ``Measurement/failures``. At most four times a second `watcher`
  /// is told how far it is; without one nobody looks at the clients while they are measured.
  ///
  /// - Parameter watcher: Whom to tell.
  /// - Returns: The numbers of the trial.
  /// - Throws: `CancellationError` when the task is cancelled, and nothing else.
  public func measure(_ watcher: Watcher?) async throws -> Measurement {
    guard let search = trial.scenario.search else { return try await once(watcher) }
    return try await self.search(search, watcher)
  }

  /// Measures the trial once, and notes in `backlog` what waited meanwhile, if somebody asks.
  func once(_ watcher: Watcher?, _ backlog: BacklogBox? = nil) async throws -> Measurement {
    var measurement = Measurement(trial, startedAt: startedAt)
    do {
      let rig = try TrialRig(
        trial, executable: executable, checksInterface: checksInterface, isNull: isNull,
        watcher)
      rig.backlog = backlog
      do {
        try await rig.connect(&measurement)
        try await rig.exchange(&measurement)
        await rig.close()
      } catch {
        await rig.close()
        throw error
      }
    } catch let error as CancellationError {
      throw error
    } catch {
      measurement.failures.append("\(error)")
    }
    return measurement
  }
}
