import FoundationEssentials
import Glibc
import Synchronization
import Triwire
import TriwireBench

/// Shows how a run goes: a live line on a terminal, plain lines otherwise, nothing when quiet.
///
/// All of it goes to standard error, so that tables can be piped.
final class Progress: Sendable {
  private struct State {
    var prefix = ""
    var position = 0
    var trialStart = ContinuousClock.now
    /// How long a trial took beyond what it had to, on average so far.
    var overhead = 0.5
  }

  private let trials: [Trial]
  private let line: LiveLine
  private let isQuiet: Bool
  private let state = Mutex(State())

  init(of plan: Plan, isQuiet: Bool) {
    trials = plan.trials
    self.isQuiet = isQuiet
    line = LiveLine(isQuiet: isQuiet)
  }

  /// A trial starts, counted from 0.
  func start(_ position: Int) {
    let trial = trials[position]
    let count = "\(trials.count)"
    let number = String(repeating: " ", count: count.count - "\(position + 1)".count)
    state.withLock { state in
      state.position = position
      state.trialStart = .now
      state.prefix =
        "[\(number)\(position + 1)/\(count)] \(trial.scenario.name) \(trial.transport.rawValue) "
        + "\(trial.repetition)/\(trial.scenario.repetitions)"
    }
    show(TrialProgress(phase: .connecting))
  }

  /// Whom a trial tells how far it is, or `nil` when there is no line to show it in.
  var watcher: TrialRun.Watcher? {
    guard line.isLive else { return nil }
    return { [self] progress in show(progress) }
  }

  private func show(_ progress: TrialProgress) {
    line.show { _ in
      state.withLock { state in
        let left = timeLeft(.seconds(remaining(state, .now)))
        return "\(state.prefix): \(progress.line), \(left) left"
      }
    }
  }

  /// The trial has ended.
  func finish(_ measurement: Measurement) {
    let prefix = state.withLock { state in
      let taken = seconds(state.trialStart.duration(to: .now))
      let needed = trials[state.position].shortestDuration.seconds
      let done = Double(state.position + 1)
      state.overhead += (max(0, taken - needed) - state.overhead) / done
      return state.prefix
    }
    line.clear()
    guard !isQuiet || !measurement.failures.isEmpty else { return }
    let page = Page.current(STDERR_FILENO)
    let text = "\(prefix): \(measurement.line)"
    Output.complain(measurement.failures.isEmpty ? text : page.red(text))
  }

  /// Takes the live line away.
  func clear() { line.clear() }

  /// How many seconds the trials that have not ended will still take.
  private func remaining(_ state: State, _ now: ContinuousClock.Instant) -> Double {
    let all = trials[state.position...].reduce(0) {
      $0 + $1.shortestDuration.seconds + state.overhead
    }
    return max(0, all - seconds(state.trialStart.duration(to: now)))
  }

  private func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }
}
