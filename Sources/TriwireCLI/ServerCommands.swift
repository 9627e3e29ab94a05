import TriwireBench

extension Command {
  /// `triwire trial-server`: the server's process of a trial, started by `triwire run` itself.
  ///
  /// It stands in no help, since nobody has a use for it at the keyboard; see `TrialServer`.
  static let trialServerCommand = Command(
    name: TrialServer.word, summary: "serve one trial, told over standard input", usage: "",
    explanation: "Started by triwire run for each trial.", options: []
  ) { _ in
    await TrialServer.run()
    return .done
  }

  /// `triwire keep-awake`: keeps a core from going idle, started by what measures; see `AwakeCores`.
  static let keepAwakeCommand = Command(
    name: AwakeCores.word, summary: "keep a core from going idle", usage: "CORE",
    explanation: "Started by triwire run, check and floor for each core.", options: []
  ) { arguments in
    guard let core = arguments.operands.first.flatMap({ Int($0) }), core >= 0 else {
      throw UsageError(message: "write the number of a core")
    }
    return AwakeCores.run(core: core) ? .done : .failed
  }

  /// `triwire floor-server`: the server's process of `triwire floor`, started by it; see
  /// `FloorServer`.
  static let floorServerCommand = Command(
    name: FloorServer.word, summary: "serve one floor benchmark", usage: "SIZE",
    explanation: "Started by triwire floor for each round.", options: []
  ) { arguments in
    guard let payload = arguments.operands.first.flatMap({ Int($0) }), payload > 0 else {
      throw UsageError(message: "write the size of a message in bytes")
    }
    try await FloorServer.run(payload: payload)
    return .done
  }
}
