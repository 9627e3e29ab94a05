import Glibc
import Synchronization

/// How much longer something takes, in a word or two.
func timeLeft(_ duration: Duration) -> String {
  let whole = Int((max(.zero, duration) / .seconds(1)).rounded(.up))
  return whole < 120 ? "\(whole) s" : "\((whole + 59) / 60) min"
}

/// One line on the terminal that is written over and over while something runs.
///
/// It goes to standard error, so that results can be piped, is written at most ten times a second
/// however often news come, and never wraps. Where standard error is no terminal, or one that
/// cannot erase, it stays silent.
final class LiveLine: Sendable {
  /// Whether there is a terminal to show it on.
  let isLive: Bool
  private let lastShown = Mutex<ContinuousClock.Instant?>(nil)

  private static let interval = Duration.milliseconds(100)

  init(isQuiet: Bool = false) {
    isLive = !isQuiet && Output.canErase(STDERR_FILENO)
  }

  /// Shows a text in place of what stood there, unless the last one is too recent.
  ///
  /// - Parameter versions: The same news in ever fewer words, asked for only if it is shown; the
  ///   first that fits is shown, or else as much of the last as does.
  func show(_ versions: () -> [String]) {
    guard isLive else { return }
    let isDue = lastShown.withLock { last in
      let now = ContinuousClock.now
      if let last, last.duration(to: now) < LiveLine.interval { return false }
      last = now
      return true
    }
    guard isDue else { return }
    // A terminal that is written to its last column may wrap already.
    let width = (Output.width(STDERR_FILENO) ?? 80) - 1
    let versions = versions()
    let text = versions.first { $0.count <= width } ?? (versions.last ?? "").prefix(width - 1) + "…"
    Output.write("\r\u{1B}[K\(text)", to: STDERR_FILENO)
  }

  /// Takes the line away; the next one is shown however soon it comes.
  func clear() {
    guard isLive else { return }
    lastShown.withLock { $0 = nil }
    Output.write("\r\u{1B}[K", to: STDERR_FILENO)
  }
}
