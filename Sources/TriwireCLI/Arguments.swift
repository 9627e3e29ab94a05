import FoundationEssentials
import TriwireBench

/// What the person at the keyboard wrote wrong, and what to write instead.
struct UsageError: Error, Equatable {
  let message: String
}

/// An option of a command, as it is written and explained.
struct Option: Equatable, Sendable {
  /// With its dashes: `--seed`.
  let name: String
  /// What stands for its value in help; `nil` when it has none.
  let value: String?
  let help: String
  /// Whether it may stand there several times.
  let repeats: Bool

  init(_ name: String, _ value: String? = nil, _ help: String, repeats: Bool = false) {
    self.name = name
    self.value = value
    self.help = help
    self.repeats = repeats
  }
}

/// The words of a command line, sorted into options and operands.
///
/// An option with a value takes the next word or what follows an equals sign; options and
/// operands may be mixed; after `--` all words are operands.
struct Arguments: Equatable {
  private(set) var operands: [String] = []
  private var values: [String: [String]] = [:]

  init(_ words: [String], of command: String, options: [Option]) throws(UsageError) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--" {
        operands += rest
        return
      }
      guard word.hasPrefix("-"), word != "-" else {
        operands.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = parts[0] == "-h" ? "--help" : String(parts[0])
      guard let option = options.first(where: { $0.name == name }) else {
        let value = parts.count > 1 ? String(parts[1]) : rest.first
        let hint = Self.hint(for: name, value, of: command, options.map(\.name))
        throw UsageError(message: "\(command) has no option \(name)\(hint)")
      }
      let given = parts.count > 1 ? String(parts[1]) : nil
      try add(
        option, given ?? (option.value == nil ? nil : rest.popFirst()), isJoined: given != nil)
    }
  }

  /// What to write instead of an option that is not known.
  ///
  /// - Parameters:
  ///   - name: The option.
  ///   - value: The word after it, if there is one.
  ///   - command: The command that does not have it.
  ///   - known: The options that the command has.
  /// - Returns: The end of a sentence; empty when nothing is likely.
  private static func hint(
    for name: String, _ value: String?, of command: String, _ known: [String]
  ) -> String {
    if command == "triwire run", let advice = adviceForRun[name] { return advice }
    if ["--port", "-p"].contains(name), known.contains("--listen") {
      let port = value.flatMap { UInt16($0) }.map(String.init) ?? "PORT"
      return ", did you mean --listen 127.0.0.1:\(port)?"
    }
    if !name.hasPrefix("--"), name.count == 2 {
      // Other programs shorten an option to its first letter.
      let meant = known.filter { $0.hasPrefix("-\(name)") }
      return Suggestion.phrase(meant.count <= 3 ? meant : [], quoted: "")
    }
    return Suggestion.phrase(for: name, among: known, quoted: "")
  }

  /// What other programs take as an option and a scenario file says here.
  private static let adviceForRun = [
    "--duration": ": the scenario file says it (\"duration\": \"10 s\"), and --profile smoke, "
      + "quick or full chooses how long to measure",
    "--clients": ": the scenario file says it (\"clients\": 50)",
    "--rate": ": the scenario file says it (\"rate\": \"10/s per client\" in \"traffic\")",
    "--payload": ": the scenario file says it (\"payload\": \"64 B\" in \"traffic\")",
  ]

  private mutating func add(
    _ option: Option, _ value: String?, isJoined: Bool
  ) throws(UsageError) {
    guard option.repeats || values[option.name] == nil else {
      throw UsageError(message: "\(option.name) stands there twice, write it once")
    }
    guard let placeholder = option.value else {
      guard !isJoined else { throw UsageError(message: "\(option.name) takes no value") }
      values[option.name] = [""]
      return
    }
    guard let value, !value.isEmpty, isJoined || !value.hasPrefix("--") else {
      throw UsageError(
        message: "\(option.name) needs a value, write \(option.name) \(placeholder)")
    }
    values[option.name, default: []].append(value)
  }

  /// The options that are there, by name, in the order of the alphabet.
  var names: [String] { values.keys.sorted() }

  /// Whether an option is there.
  func has(_ name: String) -> Bool { values[name] != nil }

  /// The value of an option, if it is there.
  func text(_ name: String) -> String? { values[name]?.first }

  /// All values of an option that may stand there several times.
  func texts(_ name: String) -> [String] { values[name] ?? [] }

  /// The whole number an option gives, if it is there.
  func number<N: FixedWidthInteger>(
    _ name: String, from low: N, to high: N
  ) throws(UsageError) -> N? {
    guard let text = text(name) else { return nil }
    guard let number = N(text), number >= low, number <= high else {
      throw UsageError(
        message: "\(name) is \(text), write a whole number from \(low) to \(high)")
    }
    return number
  }

  /// The size or time an option gives, if it is there.
  func quantity<Q: Quantity & Comparable>(
    _ name: String, from low: Q, to high: Q
  ) throws(UsageError) -> Q? {
    guard let text = text(name) else { return nil }
    do throws(QuantityError) {
      let quantity = try Q(parsing: text)
      guard quantity >= low, quantity <= high else {
        throw QuantityError(description: "\(text) is out of range, write \(low) to \(high)")
      }
      return quantity
    } catch {
      throw UsageError(message: "\(name): \(error)")
    }
  }

  /// The text of a file that an option names.
  func content(of path: String, for name: String) throws(UsageError) -> String {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw UsageError(message: "\(name): \(path) is no text file that can be read")
    }
    return text
  }

  /// What both sides of trials know: the first line of the file that an option names.
  ///
  /// It is a file, since what stands on a command line stands in reports and process lists as well.
  func trialsSecret() throws(UsageError) -> String? {
    guard let path = text("--trials-secret") else { return nil }
    let line =
      try content(of: path, for: "--trials-secret")
      .split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    let isToken = line.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    guard isToken, 1...256 ~= line.utf8.count else {
      throw UsageError(
        message: "--trials-secret: the first line of \(path) has to be 1 to 256 letters, digits or "
          + "signs of ASCII, without blanks")
    }
    return line
  }

  /// Complains when there are operands and the command takes none.
  func refuseOperands(of command: String) throws(UsageError) {
    guard let operand = operands.first else { return }
    throw UsageError(message: "\(command) takes no \(operand), only options")
  }

  /// The known word an option gives, if it is there.
  func choice<C: CaseIterable & RawRepresentable<String>>(
    _ name: String
  ) throws(UsageError) -> C? {
    guard let text = text(name) else { return nil }
    return try Arguments.known(text, for: name)
  }

  /// The known words an option gives, separated by commas, if it is there.
  func choices<C: CaseIterable & RawRepresentable<String>>(
    _ name: String
  ) throws(UsageError) -> [C]? {
    guard let text = text(name) else { return nil }
    var choices: [C] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      let choice: C = try Arguments.known(String(word), for: name)
      guard !choices.contains(where: { $0.rawValue == choice.rawValue }) else {
        throw UsageError(message: "\(name) names \(word) twice, write it once")
      }
      choices.append(choice)
    }
    return choices
  }

  private static func known<C: CaseIterable & RawRepresentable<String>>(
    _ word: String, for name: String
  ) throws(UsageError) -> C {
    let known = C.allCases.map(\.rawValue)
    guard let choice = C(rawValue: word) else {
      let hint = Suggestion.phrase(for: word, among: known, quoted: "")
      throw UsageError(
        message:
          "\(name) does not know \"\(word)\", it knows \(known.joined(separator: ", "))\(hint)")
    }
    return choice
  }
}
