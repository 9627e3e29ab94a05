import TriwireBench

/// One of the things `triwire` can do.
struct Command: Sendable {
  let name: String
  /// What it does, in a line.
  let summary: String
  /// The words after its name in the usage line.
  let usage: String
  /// What somebody has to know to use it, in paragraphs.
  let explanation: String
  let options: [Option]
  let run: @Sendable (Arguments) async throws -> ExitStatus

  /// All commands, in the order help shows them.
  static let all = [
    runCommand, reportCommand, compareCommand, baselineCommand, explainCommand, floorCommand,
    checkCommand, listCommand, validateCommand, schemaCommand, serveCommand, relayCommand,
  ]

  /// What the command starts itself with, and nobody else has a use for.
  private static let hidden = [trialServerCommand, floorServerCommand, keepAwakeCommand]

  private static let common = [Option("--help", nil, "show this and exit")]
  private static let versionOption = Option("--version", nil, "show the version and exit")

  /// Does what the words ask for, complains when it cannot, and says how it ended.
  static func main(_ words: [String]) async -> ExitStatus {
    do {
      return try await dispatch(words)
    } catch let error as UsageError {
      let name = words.first.flatMap { word in all.first { $0.name == word }?.name }
      let help = (["triwire", name].compactMap { $0 } + ["--help"]).joined(separator: " ")
      Output.complain("triwire: \(error.message)\ntry: \(help)")
      return .usage
    } catch let error as ScenarioError {
      Output.complain(error.description)
      return .badScenario
    } catch let mistakes as Mistakes {
      Output.complain(mistakes.errors.map(\.description).joined(separator: "\n"))
      return .badScenario
    } catch {
      Output.complain("triwire: \(error)")
      return .failed
    }
  }

  private static func dispatch(_ words: [String]) async throws -> ExitStatus {
    guard let name = words.first, !name.hasPrefix("-") else { return try noCommand(words) }
    let rest = Array(words.dropFirst())
    if name == "help" { return try help(rest) }
    guard let command = (all + hidden).first(where: { $0.name == name }) else {
      throw unknown(name)
    }
    return try await command.perform(rest)
  }

  private func perform(_ words: [String]) async throws -> ExitStatus {
    let arguments = try Arguments(
      words, of: "triwire \(name)", options: options + Command.common)
    guard !arguments.has("--help") else {
      Output.print(help)
      return .done
    }
    return try await run(arguments)
  }

  private static func noCommand(_ words: [String]) throws -> ExitStatus {
    let arguments = try Arguments(words, of: "triwire", options: common + [versionOption])
    if arguments.has("--version") {
      Output.print("triwire \(Environment.version)")
      return .done
    }
    guard arguments.has("--help") else {
      throw UsageError(message: "write what to do: \(all.map(\.name).joined(separator: ", "))")
    }
    Output.print(overview)
    return .done
  }

  private static func help(_ words: [String]) throws -> ExitStatus {
    guard let name = words.first, name != "help", !name.hasPrefix("-") else {
      Output.print(overview)
      return .done
    }
    guard let command = all.first(where: { $0.name == name }) else { throw unknown(name) }
    Output.print(command.help)
    return .done
  }

  private static func unknown(_ name: String) -> UsageError {
    let hint = Suggestion.phrase(
      for: name, among: all.map(\.name) + ["--help", "--version"], quoted: "")
    return UsageError(message: "there is no command \(name)\(hint)")
  }
}

// Help.
extension Command {
  /// What `triwire --help` shows.
  private static var overview: String {
    """
    Compares WebSocket, Server-Sent Events and long polling on one HTTP server: latency, bytes on
    the wire and the cost of connections.

    Usage: triwire COMMAND …

    Commands:
    \(table(all.map { ($0.name, $0.summary) }))

    Options:
    \(table((common + [versionOption]).map { ($0.name, $0.help) }))

    Exit status:
    \(table(ExitStatus.allCases.map { ("\($0.rawValue)", $0.meaning) }))

    triwire COMMAND --help says more about each.
    """
  }

  /// What `triwire COMMAND --help` shows.
  private var help: String {
    let options = (options + Command.common).map { option in
      ([option.name] + [option.value].compactMap { $0 }).joined(separator: " ")
    }
    let lines = zip(options, (self.options + Command.common).map(\.help))
    return """
      \(summary.prefix(1).uppercased() + summary.dropFirst()).

      Usage: \(["triwire", name, usage].filter { !$0.isEmpty }.joined(separator: " "))

      \(explanation)

      Options:
      \(Command.table(Array(lines)))
      """
  }

  private static func table(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { name, text in
      let blanks = String(repeating: " ", count: width - name.count + 2)
      let indent = String(repeating: " ", count: width + 4)
      return "  \(name)\(blanks)\(text.replacing("\n", with: "\n\(indent)"))"
    }.joined(separator: "\n")
  }
}
