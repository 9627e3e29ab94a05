import Glibc

/// An object of JSON on a line of its own.
struct Line {
  private var members: [String]

  init(_ event: String) { members = ["\"event\": \(Self.quoted(event))"] }

  func add(_ name: String, _ value: String) -> Line { adding(name, Self.quoted(value)) }
  func add(_ name: String, _ value: Int) -> Line { adding(name, "\(value)") }
  func add(_ name: String, _ value: Bool) -> Line { adding(name, "\(value)") }
  func add(_ name: String, _ value: Double) -> Line {
    adding(name, "\((value * 10).rounded() / 10)")
  }

  private func adding(_ name: String, _ value: String) -> Line {
    var line = self
    line.members.append("\(Self.quoted(name)): \(value)")
    return line
  }

  /// RFC 8259 §7: quotation mark, backslash and what is below U+0020 are escaped.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  /// Writes it at once and whole: whoever reads it may act on it.
  func write() {
    let text = "{\(members.joined(separator: ", "))}\n"
    // Shorter than what a pipe takes at once (POSIX PIPE_BUF), but for a very long reason.
    _ = Glibc.write(STDOUT_FILENO, text, text.utf8.count)
  }
}
