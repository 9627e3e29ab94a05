import FoundationEssentials
import Glibc
import TriwireBench

extension Command {
  /// `triwire check`: whether the instrument itself is right here.
  static let checkCommand = Command(
    name: "check",
    summary: "check the instrument itself on this machine, by figures that are known",
    usage: "[CHECK …] [OPTION …]",
    explanation: """
      Runs real trials, some over an imitated network, whose figures are known beforehand: packets
      per message, framing bytes, the latency that polls add, round trips until a first message
      (which takes most of the time), the kernel's memory per connection, losses, and how many
      messages an answer to a poll has. They say nothing about which transport is better: where one
      is wrong, the figures of other runs on this machine are to be doubted. All take about three
      minutes; names, such as packets, choose some.

      Exits with 0 when all are right, 1 when one is wrong, and 3 when one is not right and the
      machine was busy otherwise meanwhile, which is repeated once unless --retries says otherwise.
      """,
    options: [
      Option(
        "--retries", "N", "repeat a disturbed check that is not right so often; 1 unless given")
    ]
  ) { arguments in
    let checks = try arguments.checks()
    let run = CheckRun(retries: try arguments.number("--retries", from: 0, to: 10) ?? 1)
    let awake = try AwakeCores(servesHere: true)
    defer { awake.stop() }
    return try await interruptibly {
      do {
        return try await perform(checks, run)
      } catch is CancellationError {
        Output.complain("triwire: stopped before all checks had ended")
        return .interrupted
      }
    }
  }
}

/// Runs checks one after the other, and prints what came of each.
private func perform(_ checks: [InstrumentCheck], _ run: CheckRun) async throws -> ExitStatus {
  let line = LiveLine()
  var (isWrong, isOpen) = (false, false)
  for check in checks {
    let outcome = try await run.run(check, startedAt: Date().formatted(.iso8601)) { done in
      line.show { ["\(check.name): trial \(done + 1) of \(check.trials.count)"] }
    }
    line.clear()
    Output.write(outcome.text(on: .current(STDOUT_FILENO)), to: STDOUT_FILENO)
    isWrong = isWrong || !(outcome.isMet || outcome.isOpen)
    isOpen = isOpen || outcome.isOpen
  }
  Output.print(isWrong ? "wrong" : isOpen ? "open: the machine was busy otherwise" : "all right")
  return isWrong ? .failed : isOpen ? .inconclusive : .done
}

extension Arguments {
  /// The checks that operands name; all without any.
  fileprivate func checks() throws(UsageError) -> [InstrumentCheck] {
    guard !operands.isEmpty else { return InstrumentCheck.all }
    var checks: [InstrumentCheck] = []
    for word in operands {
      let names = InstrumentCheck.all.map(\.key)
      guard let check = InstrumentCheck.all.first(where: { $0.key == word }) else {
        let hint = Suggestion.phrase(for: word, among: names, quoted: "")
        throw UsageError(
          message: "there is no check \(word), there are \(names.joined(separator: ", "))\(hint)")
      }
      guard !checks.contains(where: { $0.key == word }) else {
        throw UsageError(message: "\(word) is named twice, write it once")
      }
      checks.append(check)
    }
    return checks
  }
}
