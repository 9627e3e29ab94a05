import FoundationEssentials
import Triwire

/// Runs one trial and measures it: fresh clients in this process, and a fresh server in a process of
/// its own, unless there is a target.
public struct TrialRun: Sendable {
  /// Takes news of a trial, now and then while it runs.
  public typealias Watcher = @Sendable (TrialProgress) -> Void

  let trial: Trial
  let target: Target?
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
  ///   - target: The server that runs already; `nil` starts one for the trial.
  ///   - executable: A program that calls ``TrialServer/run()`` when started with the word
  ///     ``TrialServer/word``; this program itself unless given.
  ///   - startedAt: The moment in UTC (ISO 8601), for the record.
  ///   - checksInterface: Whether to compare what is counted with what the loopback interface carries;
  ///     in a network namespace that nobody else uses, ``InterfaceCount/ownLoopback``.
  ///   - retries: How often a probe of a search is repeated that the machine disturbed; what
  ///     searches for nothing is repeated by whoever runs it.
  public init(
    _ trial: Trial, on target: Target? = nil, executable: String? = nil, startedAt: String,
    checksInterface: Bool = false, retries: Int = 0
  ) {
    self.trial = trial
    self.target = target
    self.executable = executable ?? ownExecutable
    self.startedAt = startedAt
    self.checksInterface = checksInterface
    self.retries = retries
    isNull = false
  }

  /// The server to measure.
  private func server() throws -> any MeasuredServer {
    guard let target else { return try OwnServer(executable: executable) }
    return target.server(for: trial)
  }

  /// Prepares a trial against a server that does next to nothing, or not.
  init(_ trial: Trial, executable: String?, startedAt: String, isNull: Bool) {
    self.trial = trial
    self.executable = executable ?? ownExecutable
    self.startedAt = startedAt
    self.isNull = isNull
    target = nil
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
    var measurement = Measurement(trial, startedAt: startedAt, on: target)
    do {
      let rig = try TrialRig(
        trial, on: server(), checksInterface: checksInterface, isNull: isNull, watcher)
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
      measurement.failures.append(target?.sentence(of: error) ?? "\(error)")
    }
    return measurement
  }
}
