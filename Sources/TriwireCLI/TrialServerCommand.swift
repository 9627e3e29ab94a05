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
}
