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
    var position = 0
    var trialStart = ContinuousClock.now
    /// How long a trial took beyond what it had to, on average so far.
    var overhead = 0.5
    /// How many trials have failed so far.
    var failed = 0
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
    state.withLock { state in
      state.position = position
      state.trialStart = .now
    }
    show(TrialProgress(phase: .connecting))
  }

  /// Which trial it is: `[1/6] echo sse 1/1`, or `[1/12] echo sse TLS 1.3 1/1`.
  private func name(of position: Int, withScenario: Bool = true) -> String {
    let trial = trials[position]
    let count = "\(trials.count)"
    let blanks = String(repeating: " ", count: count.count - "\(position + 1)".count)
    let words = [
      "[\(blanks)\(position + 1)/\(count)]", withScenario ? trial.scenario.name : nil,
      trial.name, "\(trial.repetition)/\(trial.scenario.repetitions)",
    ]
    return words.compactMap { $0 }.joined(separator: " ")
  }

  /// Whom a trial tells how far it is, or `nil` when there is no line to show it in.
  var watcher: TrialRun.Watcher? {
    guard line.isLive else { return nil }
    return { [self] progress in show(progress) }
  }

  private func show(_ progress: TrialProgress) {
    line.show {
      let state = state.withLock { $0 }
      let failed = state.failed > 0 ? "\(state.failed) failed, " : ""
      let left = "\(failed)\(timeLeft(.seconds(remaining(state, .now)))) left"
      let name = name(of: state.position)
      return [
        "\(name): \(progress.line), \(left)", "\(name): \(progress.shortLine), \(left)",
        "\(self.name(of: state.position, withScenario: false)): \(progress.shortLine), \(left)",
      ]
    }
  }

  /// The trial has ended.
  func finish(_ measurement: Measurement) {
    let position = state.withLock { state in
      let taken = seconds(state.trialStart.duration(to: .now))
      let needed = trials[state.position].shortestDuration.seconds
      let done = Double(state.position + 1)
      state.overhead += (max(0, taken - needed) - state.overhead) / done
      if !measurement.failures.isEmpty { state.failed += 1 }
      return state.position
    }
    line.clear()
    guard !isQuiet || !measurement.failures.isEmpty else { return }
    let page = Page.current(STDERR_FILENO)
    let text = page.wrapped("\(name(of: position)): \(measurement.line)", hanging: 2)
    Output.write(measurement.failures.isEmpty ? text : page.red(text), to: STDERR_FILENO)
  }

  /// The trial was disturbed, and starts once more.
  func again(_ measurement: Measurement) {
    let position = state.withLock { state in
      state.trialStart = .now
      return state.position
    }
    line.clear()
    guard !isQuiet else { return }
    let why = measurement.validity.doubts.joined(separator: "; ")
    let page = Page.current(STDERR_FILENO)
    Output.write(
      page.wrapped("\(name(of: position)) was disturbed, once more: \(why)", hanging: 2),
      to: STDERR_FILENO)
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
