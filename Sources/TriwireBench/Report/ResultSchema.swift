import Triwire

/// What stands in a `result.json`: the one table that its schema is made of.
///
/// It says in the words of data what the types of a ``Report`` say in Swift; a test holds them to
/// each other.
enum ResultSchema {
  static let report = SchemaObject(keys: [
    .init("schemaVersion", "The version of the form of this report.", .count, isRequired: true),
    .init("state", "How far the run came.", .words(Report.State.self), isRequired: true),
    .init("profile", "How thoroughly it measured.", .words(Profile.self), isRequired: true),
    .init("plannedTrials", "How many trials the plan has.", .count, isRequired: true),
    .init(
      "hasControl", "Whether the first contender of each scenario runs twice in each repetition.",
      .truth),
    .init("budgetUsers", "For how many users to say what they take.", .count),
    .init("environment", "The machine and its settings.", .object(environment), isRequired: true),
    .init(
      "target", "The server that was measured, where it was not one of its own for each trial.",
      .object(target)),
    .init(
      "foreign", "The servers that were measured, where nobody here wrote them.",
      .object(ForeignSchema.servers)),
    .init(
      "scenarios", "The scenarios as they ran, with all defaults filled in.",
      .some(.object(ScenarioSchema.scenario)), isRequired: true),
    .init(
      "trials", "What was measured, in the order it ran.",
      .some(.object(measurement)), isRequired: true),
    .init(
      "voided", "Trials that did not count and were repeated, in the order they ran.",
      .some(.object(voidTrial)), isRequired: true),
    .init(
      "ceilings",
      """
      What the load generator did against a server that does next to nothing; left out where \
      nobody asked.
      """,
      .some(.object(ceilingMeasurement))),
    .init(
      "comparisons", "What follows from the trials, for each two contenders.",
      .some(.object(comparison)), isRequired: true),
  ])

  static let environment = SchemaObject(keys: [
    .init("triwireVersion", "The version of Triwire.", .text, isRequired: true),
    .init(
      "compiler", "The compiler it was built with, and whether with optimisation.",
      .text, isRequired: true),
    .init("commandLine", "The command line.", .some(.text), isRequired: true),
    .init("startedAt", "When the run started, in UTC (ISO 8601).", .text, isRequired: true),
    .init(
      "resumedAt",
      """
      When it went on after it had been stopped, each time, in UTC (ISO 8601); left out where \
      never.
      """,
      .some(.text)),
    .init(
      "kernel", "Name and release of the kernel, and the architecture.",
      .text, isRequired: true),
    .init("processor", "The model of the processor.", .text, isRequired: true),
    .init("cores", "How many cores this process may use.", .count, isRequired: true),
    .init(
      "pinning", "On which cores server and clients run, or nothing when the kernel decides.",
      .text, isRequired: true),
    .init(
      "keptAwake",
      "Which cores are kept from going idle while trials run, or nothing where they may.",
      .text, isRequired: true),
    .init("memoryBytes", "Memory of the machine, in bytes.", .count, isRequired: true),
    .init("clockSource", "What the kernel takes the time from.", .text, isRequired: true),
    .init(
      "governor", "How the processor's frequency is governed, where the machine tells.",
      .text, isRequired: true),
    .init(
      "congestionControl", "The congestion control of the measured connections.",
      .text, isRequired: true),
    .init(
      "maximumSegment",
      "The largest TCP segment of the measured connections, in bytes (`TCP_MAXSEG`).",
      .count, isRequired: true),
    .init(
      "tcpSettings", "The settings of TCP that change what small messages cost.",
      .members(.text), isRequired: true),
    .init(
      "descriptorLimits", "Descriptors a process may open: the soft and the hard limit.",
      .some(.count), isRequired: true),
    .init(
      "load", "How busy the machine was before the first and after the last trial.",
      .some(.object(machineLoad)), isRequired: true),
  ])

  static let target = SchemaObject(keys: [
    .init("url", "What its URLs begin with.", .text, isRequired: true),
    .init("triwireVersion", "The version of Triwire there.", .text, isRequired: true),
    .init(
      "compiler", "The compiler it was built with, and whether with optimisation.",
      .text, isRequired: true),
    .init(
      "kernel", "Name and release of the kernel, and the architecture.",
      .text, isRequired: true),
    .init("processor", "The model of the processor.", .text, isRequired: true),
    .init("cores", "How many cores the process may use.", .count, isRequired: true),
    .init(
      "pinning", "On which core it serves, or nothing when the kernel decides.",
      .text, isRequired: true),
  ])

  static let measurement = SchemaObject(keys: [
    .init("scenario", "The name of the scenario.", .text, isRequired: true),
    .init(
      "transport", "The transport that carried the sessions.",
      .words(TransportKind.self), isRequired: true),
    .init("tls", "How their connections were secured.", .words(TLSMode.self), isRequired: true),
    .init("compression", "Whether messages were compressed.", .words(Compression.self)),
    .init(
      "poll",
      """
      The interval of the polls where it is the control that polls at one; left out where a \
      transport.
      """,
      .time),
    .init("repetition", "Which repetition it was, from 1.", .count, isRequired: true),
    .init(
      "isControl",
      """
      Whether it is the second one of its contender in the repetition, and counts as a control \
      alone.
      """,
      .truth),
    .init("seed", "The seed of its send plan.", .count, isRequired: true),
    .init("startedAt", "When it started, in UTC (ISO 8601).", .text, isRequired: true),
    .init(
      "failures", "Why the trial failed, as sentences; empty when it did not.",
      .some(.text), isRequired: true),
    .init(
      "delivery", "What became of all messages, those of the warm-up included.",
      .object(delivery), isRequired: true),
    .init(
      "latencyMicroseconds",
      "From the intended time of sending to arrival; the warm-up is left out.",
      .object(durations), isRequired: true),
    .init(
      "serviceMicroseconds",
      "From the actual time of sending to arrival: hides what the sender's own delay adds.",
      .object(durations), isRequired: true),
    .init(
      "slipMicroseconds",
      "How much later than intended messages were sent; what the load generator itself adds.",
      .object(durations), isRequired: true),
    .init(
      "timeline", "How latency went over the time that was measured.",
      .object(timeline), isRequired: true),
    .init(
      "flows", "What became of each flow of the scenario.",
      .some(.object(flowMeasurement)), isRequired: true),
    .init(
      "bytes",
      """
      What the measured messages cost on the wire; left out where not measured, since sessions \
      that change their connections cannot be reconciled.
      """,
      .object(byteLedger)),
    .init(
      "interface", "What the interface carried, where that was compared.",
      .object(interfaceCheck)),
    .init(
      "connection",
      "What it cost to open the connections; left out where not measured, for the same reason.",
      .object(connectionCost)),
    .init(
      "heartbeat", "What keeping a session alive costs, where clients idle.",
      .object(heartbeatMeasurement)),
    .init("faults", "What faults did, where the scenario has some.", .object(faultMeasurement)),
    .init(
      "network", "How well the network was imitated, where the scenario has one.",
      .object(networkMeasurement)),
    .init(
      "slowdown", "What slowed the server down on purpose; left out where nothing.",
      .object(slowdown)),
    .init(
      "capacity",
      """
      What a search found, where the scenario asks for one: all else here is then the figure \
      of the most that held.
      """,
      .object(capacityMeasurement)),
    .init(
      "slow", "What became of clients that read too slowly, where the scenario has some.",
      .object(slowMeasurement)),
    .init(
      "visits", "What visits cost, where the scenario has visitors.",
      .object(visitMeasurement)),
    .init(
      "target",
      """
      What has to be said of figures of a server elsewhere; left out of one that was started for \
      the trial.
      """,
      .object(targetMeasurement)),
    .init(
      "unmeasured",
      "What is not measured in such a trial, by its names here; left out where all is.",
      .some(.text)),
    .init(
      "cpu", "The work of both processes while messages were measured.",
      .object(cpuCost), isRequired: true),
    .init(
      "memory", "What the server's memory and descriptors grew by with each connection.",
      .object(memoryCost), isRequired: true),
    .init(
      "validity", "Whether the figures are those of what was measured.",
      .object(validity), isRequired: true),
  ])

  static let voidTrial = SchemaObject(keys: [
    .init("scenario", "The name of the scenario.", .text, isRequired: true),
    .init("contender", "What was measured, by name.", .text, isRequired: true),
    .init("repetition", "Which repetition it was, from 1.", .count, isRequired: true),
    .init("startedAt", "When it started, in UTC (ISO 8601).", .text, isRequired: true),
    .init("doubts", "What disturbed it, as sentences.", .some(.text), isRequired: true),
  ])

  static let ceilingMeasurement = SchemaObject(keys: [
    .init("scenario", "The name of the scenario.", .text, isRequired: true),
    .init(
      "transport", "The transport that carried the sessions.",
      .words(TransportKind.self), isRequired: true),
    .init(
      "probe", "What came of it; the level is the rate of all senders.",
      .object(capacityProbe), isRequired: true),
  ])

  static let machineLoad = SchemaObject(keys: [
    .init(
      "averages", "Load averages over 1, 5 and 15 minutes.",
      .some(.figure), isRequired: true),
    .init(
      "cpuPressure",
      "Part of the last ten seconds in which some task waited for a core, in per cent (PSI).",
      .figure),
    .init(
      "stolenTicks",
      "Time that other guests took from this virtual machine since it started, in ticks.",
      .count, isRequired: true),
  ])

  static let capacityMeasurement = SchemaObject(keys: [
    .init("held", "The most that held, twice; left out where nothing did.", .figure),
    .init("missed", "The least that did not; left out where all held.", .figure),
    .init(
      "limit", "What it was at missed: only what is late or saturated is the server's limit.",
      .words(CapacityProbe.Outcome.self)),
    .init(
      "isUnfinished", "Whether the probes that were allowed did not suffice for the precision.",
      .truth),
    .init(
      "probes", "All probes in the order they ran.",
      .some(.object(capacityProbe)), isRequired: true),
  ])

  static let capacityProbe = SchemaObject(keys: [
    .init(
      "level", "The load: messages that all senders send per second, or clients.",
      .figure, isRequired: true),
    .init("outcome", "What came of it.", .words(CapacityProbe.Outcome.self), isRequired: true),
    .init(
      "reasons", "Why it did not hold, as sentences; empty when it did.",
      .some(.text), isRequired: true),
    .init(
      "deliveredPerSecond",
      "Messages that arrived per second, a broadcast counted once for each receiver.",
      .figure, isRequired: true),
    .init("expected", "How many messages had to arrive.", .count, isRequired: true),
    .init("lost", "How many did not.", .count, isRequired: true),
    .init(
      "p50", "Half of the messages took no longer, in microseconds; left out with too few of them.",
      .figure),
    .init(
      "p99", "99 % of the messages took no longer, in microseconds; left out with too few of them.",
      .figure),
    .init("maximum", "The longest took, in microseconds; left out with out any.", .figure),
    .init(
      "sentLateP99",
      """
      How late 99 % of the messages were sent at most, in microseconds; left out with too few \
      of them.
      """,
      .figure),
    .init(
      "serverBusy", "Part of one core that the server used; left out where not measured.", .figure),
    .init("clientsBusy", "Part of one core that the clients used.", .figure, isRequired: true),
    .init(
      "serverCPUPerMessage",
      "CPU time of the server per message that arrived, in microseconds; left out with out any.",
      .figure),
    .init(
      "waiting", "How many messages were due and had not arrived, after each quarter of the time.",
      .some(.count), isRequired: true),
    .init("isVoid", "Whether it was disturbed, and probed again for that.", .truth),
  ])

  static let comparison = SchemaObject(keys: [
    .init("scenario", "The name of the scenario.", .text, isRequired: true),
    .init("metric", "What is compared.", .words(ComparedMetric.self), isRequired: true),
    .init("contender", "Whose figures are divided.", .text, isRequired: true),
    .init("against", "Whose figures they are divided by.", .text, isRequired: true),
    .init("runs", "How many pairs of runs it is made of.", .count, isRequired: true),
    .init("ratio", "How many times as much it is.", .figure, isRequired: true),
    .init("low", "The lower end of the interval.", .figure, isRequired: true),
    .init("high", "The upper end.", .figure, isRequired: true),
    .init(
      "confidence", "How likely intervals like it hold the true ratio.",
      .figure, isRequired: true),
    .init(
      "tolerance", "The smallest difference of interest, as a part.",
      .figure, isRequired: true),
    .init(
      "verdict", "What the runs say.",
      .choice(["better", "worse", "equal", "inconclusive"]), isRequired: true),
    .init(
      "furtherRuns",
      "How many more runs are likely to tell; null where nobody knows or needs them.",
      .nullable, isRequired: true),
  ])
}
