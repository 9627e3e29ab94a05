import FoundationEssentials
import Glibc
import TriwireBench

/// How the command ends, for scripts (64 and 65 as in sysexits.h, 130 as shells say for SIGINT).
enum ExitStatus: Int32, CaseIterable {
  case done = 0
  case failed = 1
  case worse = 2
  case inconclusive = 3
  case better = 4
  case usage = 64
  case badScenario = 65
  case thresholdBroken = 99
  case interrupted = 130

  /// What it stands for, in help.
  var meaning: String {
    switch self {
    case .done: "all went well"
    case .failed: "a trial failed, or the command could not do its work"
    case .worse: "something is worse than before (compare)"
    case .better: "something is better than before, and nothing worse (compare)"
    case .inconclusive: "the runs do not tell; more repetitions may"
    case .usage: "the command line is wrong"
    case .badScenario: "a scenario file is wrong"
    case .thresholdBroken: "a strict threshold of a scenario is broken"
    case .interrupted: "stopped by Ctrl-C or SIGTERM; what was measured is kept"
    }
  }
}

extension Page {
  /// What a descriptor leads to.
  static func current(_ descriptor: Int32) -> Page {
    Page(width: Output.width(descriptor), isColoured: Output.isColoured(descriptor))
  }
}

/// Where the command writes.
enum Output {
  /// Writes results: to standard output.
  static func print(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

  /// Writes progress and complaints: to standard error.
  static func complain(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

  /// Writes text as it is.
  static func write(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = unsafe rest.withUnsafeBytes { bytes in
        unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
      }
      // A reader that went away (EPIPE) wants no more.
      guard written > 0 || errno == EINTR else { return }
      rest = rest.dropFirst(max(0, written))
    }
  }

  /// How many characters fit in a line; `nil` where there is no terminal, or it does not say.
  static func width(_ descriptor: Int32) -> Int? {
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return nil
    }
    return Int(size.ws_col)
  }

  /// Whether a descriptor is a terminal that knows how to erase a line and to colour text.
  static func canErase(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// Whether text for a descriptor may be coloured: unless NO_COLOR is set (no-color.org).
  static func isColoured(_ descriptor: Int32) -> Bool {
    canErase(descriptor) && ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
  }
}
