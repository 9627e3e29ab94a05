import FoundationEssentials
import Glibc
import TriwireBench

extension Command {
  /// `triwire run`: measure and compare.
  static let runCommand = Command(
    name: "run", summary: "run scenarios over each transport and compare them",
    usage: "[FILE|DIR …] [OPTION …]",
    explanation: """
      Runs scenario files, all files of a folder, or, without any, the shipped suite: those in the
      folder Scenarios of the current directory that do not say "suite": false. Each trial has a
      server process of its own. A table per scenario goes to standard output, progress to standard
      error, and the report to a folder: result.json with all figures and report.md with the
      tables, written after every trial, and at the end report.html to look at, result.csv with a
      row for each figure, and junit.xml. Ctrl-C ends the run and keeps what was measured, and
      --resume goes on with the trials that are missing. A folder that holds a result already is
      refused, so that no run replaces another.
      Strict thresholds of the files decide the exit status: 99 when one is broken, 3 when one
      cannot be told.

      Profiles: smoke measures each transport once for 3 seconds, quick 3 times for 10 seconds,
      full as often and as long as the scenario files say. A file may change that for itself.
      """,
    options: [
      Option("--transports", "LIST", "only these of websocket,sse,long-polling"),
      Option("--tls", "LIST", "compare these of off,1.2,1.3,1.3-resumed, whatever the files say"),
      Option("--profile", "NAME", "smoke, quick or full; smoke unless given"),
      Option("--repetitions", "N", "so many of each trial, whatever profile and file say"),
      Option("--retries", "N", "repeat a disturbed trial so often; smoke 0, quick 1, full 2"),
      Option("--control", nil, "run the first transport twice, to see what chance alone does"),
      Option("--control-poll", "TIME", "a control that asks at this interval, such as \"1 s\""),
      Option("--output", "DIR", "where to write the report; a new folder in Reports unless given"),
      Option("--resume", "DIR", "go on with a stopped run, as its report in this folder says"),
      Option("--more-rounds", "N", "with --resume: measure so many more repetitions"),
      Option(
        "--check-interface", nil, "compare all bytes with the interface's, in a network namespace"),
      Option("--target", "URL", "measure a triwire serve --trials that runs already, anywhere"),
      Option("--foreign", "FILE", "measure servers that others wrote, whose URLs this file names"),
      Option("--target-ca", "FILE", "trust these authorities (PEM) for https targets"),
      Option("--trials-secret", "FILE", "what the target asks for: the first line of this file"),
      Option("--let-cores-idle", nil, "let cores go idle between messages; else they do not"),
      Option("--seed", "N", "where all that is random starts from; the files' own unless given"),
      Option(
        "--budget-users", "N", "for how many users to say what they take; 50,000 unless given"),
      Option("--ceiling", nil, "find out whether the clients, and not the server, were the limit"),
      Option("--quiet", nil, "show only what failed"),
    ]
  ) { arguments in
    if let path = arguments.text("--resume") { return try await resume(path, arguments) }
    guard !arguments.has("--more-rounds") else {
      throw UsageError(
        message:
          "--more-rounds adds to a result, write --resume DIR; a new run takes --repetitions N")
    }
    if let path = arguments.text("--output"), ReportFolder.holdsResult(path) {
      throw UsageError(
        message: "--output: \(path) holds the result of an earlier run. Write another folder, or "
          + "remove this one first; --resume \(path) goes on with a run that was stopped, and "
          + "with --more-rounds N adds repetitions")
    }
    let choices = Plan.Choices(
      profile: try arguments.choice("--profile") ?? .smoke,
      transports: try arguments.choices("--transports"),
      tls: try arguments.choices("--tls"),
      repetitions: try arguments.number("--repetitions", from: 1, to: 100),
      seed: try arguments.number("--seed", from: 0, to: 1 << 53),
      hasControl: arguments.has("--control"),
      controlPoll: try arguments.quantity(
        "--control-poll", from: TimeSpan.milliseconds(10), to: TimeSpan.seconds(20)))
    let files = try Suite.files(arguments.operands, toRun: true)
    if let modes = choices.tls, modes != [.off],
      let file = files.first(where: { $0.scenario.hasFaultsOfRequests })
    {
      throw UsageError(
        message: "\(file.path) has faults that strike requests and so need --tls off: "
          + "leave --tls out, or name other files")
    }
    let plan = Plan(files, choosing: choices)
    let address = try arguments.target()
    let foreign = try arguments.text("--foreign").map { try ForeignServers(path: $0) }
    let target = try arguments.target(address, foreign)
    if let objection = target?.objection(to: plan) { throw UsageError(message: objection) }
    let manner = try SuiteRun.Manner(
      arguments, target, keepsAwake: !arguments.has("--let-cores-idle"))
    let record = try await address?.greet()
    let folder =
      if let path = arguments.text("--output") {
        try ReportFolder(path: path)
      } else {
        try ReportFolder(in: "Reports", named: timestamp().replacing(":", with: "-"))
      }
    let users = try arguments.number("--budget-users", from: 1, to: Report.mostBudgetUsers)
    return try await interruptibly {
      let (environment, awake) = try manner.begin()
      defer { awake?.stop() }
      var report = Report(plan, on: environment, of: record, foreign: foreign)
      report.budgetUsers = users
      return try await SuiteRun(plan, into: folder, manner).run(from: report)
    }
  }

  /// Goes on with the run whose report is in a folder.
  private static func resume(_ path: String, _ arguments: Arguments) async throws -> ExitStatus {
    let others = arguments.names.filter {
      ![
        "--resume", "--more-rounds", "--retries", "--check-interface", "--ceiling", "--quiet",
        "--target-ca", "--trials-secret",
      ].contains($0)
    }
    if let other = (others + arguments.operands).first {
      throw UsageError(
        message: "--resume goes on with the scenarios and settings that the run began with: "
          + "leave \(other) out")
    }
    var report = try ResultFile(path).report
    let folder = try ReportFolder(path: path)
    if let rounds = try arguments.number("--more-rounds", from: 1, to: 100) {
      try report.extend(by: rounds)
    }
    let address = try arguments.target(at: report.target?.url)
    let target = try arguments.target(address, report.foreign)
    let manner = try SuiteRun.Manner(
      arguments, target, keepsAwake: !report.environment.keptAwake.isEmpty)
    let record = try await address?.greet()
    let (environment, awake) = try manner.begin()
    defer { awake?.stop() }
    try report.resume(on: environment, of: record)
    let begun = report
    return try await interruptibly {
      try await SuiteRun(Plan(of: begun), into: folder, manner)
        .run(from: begun)
    }
  }
}

/// All trials of a plan, one after the other, with a report that grows by each.
private struct SuiteRun {
  private let plan: Plan
  private let folder: ReportFolder
  private let progress: Progress
  private let manner: Manner
  private let retries: Int

  /// How to run, whatever is run.
  struct Manner {
    let isQuiet: Bool
    let retries: Int?
    let checksInterface: Bool
    let findsCeiling: Bool
    let target: Target?
    let keepsAwake: Bool

    init(_ arguments: Arguments, _ target: Target?, keepsAwake: Bool) throws(UsageError) {
      self.target = target
      self.keepsAwake = keepsAwake
      isQuiet = arguments.has("--quiet")
      retries = try arguments.number("--retries", from: 0, to: 10)
      checksInterface = arguments.has("--check-interface")
      findsCeiling = arguments.has("--ceiling")
      guard checksInterface else { return }
      guard target == nil else {
        throw UsageError(
          message:
            "--check-interface counts what goes over this machine's own loopback, and a target "
            + "is elsewhere: leave it out")
      }
      guard InterfaceCount.ownLoopback == nil else { return }
      throw UsageError(
        message: "--check-interface needs a network namespace of its own, where nothing else is on "
          + "the interface: unshare -rn sh -c 'ip link set lo up && ethtool -K lo tso off gso off "
          + "gro off && triwire run --check-interface …'")
    }
  }

  init(_ plan: Plan, into folder: ReportFolder, _ manner: Manner) {
    self.plan = plan
    self.folder = folder
    self.manner = manner
    retries = manner.retries ?? plan.profile.retries
    progress = Progress(of: plan, isQuiet: manner.isQuiet)
  }

  /// Measures what the report does not have yet.
  func run(from begun: Report) async throws -> ExitStatus {
    var report = begun
    try folder.write(report)
    for (position, trial) in plan.trials.enumerated() where !begun.has(trial) {
      progress.start(position)
      guard let measurement = try await measure(trial, &report) else {
        report.state = .interrupted
        break
      }
      report.add(measurement)
      try folder.write(report)
      progress.finish(measurement)
    }
    if manner.findsCeiling, report.state == .complete { try await measureCeilings(&report) }
    return try finish(&report)
  }

  /// What the load generator can do alone, one contender after the other, until somebody stops it.
  private func measureCeilings(_ report: inout Report) async throws {
    report.ceilings = []
    do {
      for run in CeilingRun.all(of: report) {
        if !manner.isQuiet { Output.complain("load generator alone: \(run.name)") }
        report.ceilings?.append(try await run.measure())
      }
    } catch is CancellationError {
      Output.complain("triwire: stopped before the load generator was measured for all transports")
    }
  }

  /// What the trial measured, repeated where it was disturbed; `nil` when somebody stopped it.
  private func measure(_ trial: Trial, _ report: inout Report) async throws -> Measurement? {
    // A search repeats its own probes.
    for _ in 0..<(trial.scenario.search == nil ? retries : 0) {
      // On a machine that is never quiet, repeating does not help: half as many again are enough.
      guard report.voided.count < max(2, report.plannedTrials / 2) else { break }
      guard let measurement = try await measure(trial) else { return nil }
      guard measurement.failures.isEmpty, !measurement.validity.isUndisturbed else {
        return measurement
      }
      report.voided.append(VoidTrial(measurement, trial))
      progress.again(measurement)
    }
    return try await measure(trial)
  }

  /// What the trial measured, or `nil` when somebody stopped it.
  private func measure(_ trial: Trial) async throws -> Measurement? {
    do {
      return try await TrialRun(
        trial, on: manner.target, startedAt: timestamp(), checksInterface: manner.checksInterface,
        retries: retries
      ).measure(progress.watcher)
    } catch is CancellationError {
      return nil
    }
  }

  private func finish(_ report: inout Report) throws -> ExitStatus {
    progress.clear()
    report.environment.load.append(.current)
    try folder.write(report)
    try folder.write([report], as: ReportFormat.written)
    if !manner.isQuiet, !report.trials.isEmpty {
      Output.print(report.text(on: .current(STDOUT_FILENO)))
      Output.print(
        "Written to \(folder.path): report.html, report.md, result.json, result.csv and junit.xml")
    }
    if report.state == .interrupted {
      let count = report.trials.count
      Output.complain(
        count == 0
          ? "triwire: stopped before a trial had ended, nothing was measured"
          : "triwire: stopped after \(count) of \(report.plannedTrials) trials, "
            + "the report has what was measured; go on with: triwire run --resume \(folder.path)")
      return .interrupted
    }
    guard report.trials.allSatisfy(\.failures.isEmpty) else { return .failed }
    switch report.thresholdVerdict {
    case .met: return .done
    case .broken:
      Output.complain("triwire: strict thresholds are broken, those marked ✗ above the tables")
      return .thresholdBroken
    case .open:
      Output.complain("triwire: strict thresholds cannot be told, those marked ? above the tables")
      return .inconclusive
    }
  }
}

extension Arguments {
  /// The target that the options name, or the one that a report names; `nil` is none.
  fileprivate func target(at known: String? = nil) throws -> TargetAddress? {
    guard let url = text("--target") ?? known else {
      guard has("--trials-secret") else { return nil }
      throw UsageError(message: "--trials-secret is for a target, write --target URL")
    }
    let secret = try trialsSecret()
    let authorities = try authorities
    do {
      return try TargetAddress(url: url, authorities: authorities, secret: secret)
    } catch {
      throw UsageError(message: "--target: \(error)")
    }
  }

  /// What is measured instead of servers of its own; `nil` is nothing.
  fileprivate func target(
    _ address: TargetAddress?, _ foreign: ForeignServers?
  ) throws(UsageError) -> Target? {
    switch (address, foreign) {
    case (nil, nil):
      guard has("--target-ca") else { return nil }
      throw UsageError(message: "--target-ca is for a target, write --target URL")
    case (let address?, nil): return .server(address)
    case (nil, let foreign?): return .foreign(foreign, authorities: try authorities)
    case (_?, _?): throw UsageError(message: "write --target or --foreign, not both")
    }
  }

  /// The authorities to trust, as PEM.
  private var authorities: String? {
    get throws(UsageError) {
      guard let path = text("--target-ca") else { return nil }
      return try content(of: path, for: "--target-ca")
    }
  }
}

extension ReportFolder {
  /// Whether somebody's figures are in a folder already, which a new run would replace.
  fileprivate static func holdsResult(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: "\(path)/\(resultName)")
  }
}

extension SuiteRun.Manner {
  /// This machine, and this run of the command; and what keeps cores awake from now on, if that is
  /// wanted.
  fileprivate func begin() throws -> (environment: Environment, awake: AwakeCores?) {
    let servesHere = target == nil
    // How busy the machine is tells only what is read before.
    var environment = Environment.current(
      commandLine: CommandLine.arguments, startedAt: timestamp(), servesHere: servesHere)
    let awake = keepsAwake ? try AwakeCores(servesHere: servesHere) : nil
    environment.keptAwake = awake?.text ?? ""
    return (environment, awake)
  }
}

/// The moment in UTC, to the second (ISO 8601).
private func timestamp() -> String { Date().formatted(.iso8601) }
