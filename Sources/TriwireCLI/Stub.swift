import TriwireBench
func serve(on: String) async throws -> ExitStatus { .done }
extension Command {
  static let trialServerCommand = Command(
    name: "trial-server", summary: "", usage: "", explanation: "", options: []
  ) { _ in .done }
}
