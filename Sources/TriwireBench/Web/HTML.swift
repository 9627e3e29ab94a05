/// Pieces of HTML, made of text that is escaped where it comes from outside.
enum HTML {
  /// Text as HTML shows it (HTML §13.1.4): also within an attribute's quotes.
  static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      // What no HTML may contain, not even escaped (HTML §13.2.3.5), shows as a replacement.
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case "\0"..<" ", "\u{7F}"..."\u{9F}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A table with a caption; the first cell of each row is its heading.
  ///
  /// - Parameters:
  ///   - caption: What it shows.
  ///   - header: The names of the columns, as text.
  ///   - rows: Cells of text, as many each.
  ///   - flushRight: Whether all columns but the first hold figures.
  ///   - silent: Whether the caption is not shown.
  /// - Returns: The table as HTML.
  static func table(
    _ caption: String, _ header: [String], _ rows: [[String]], flushRight: Bool = true,
    silent: Bool = false
  ) -> String {
    let style = flushRight ? " class=\"n\"" : ""
    let heads = header.enumerated().map { index, name in
      "<th scope=\"col\"\(index > 0 ? style : "")>\(escaped(name))</th>"
    }
    let lines = rows.map { cells in
      let rest = cells.dropFirst().map { "<td\(style)>\(escaped($0))</td>" }
      return "<tr><th scope=\"row\">\(escaped(cells.first ?? ""))</th>\(rest.joined())</tr>"
    }
    return table(caption, head: heads.joined(), body: lines, silent: silent)
  }

  /// A table of rows that are HTML already; narrow screens move it sideways.
  ///
  /// - Parameters:
  ///   - caption: What it shows, written above it unless it is `silent`.
  ///   - head: The cells of its head.
  ///   - body: Its rows.
  ///   - silent: Whether the caption is for those alone who do not see what stands around.
  /// - Returns: The table as HTML.
  static func table(
    _ caption: String, head: String, body: [String], silent: Bool = false
  ) -> String {
    let title = silent ? "" : "<p class=\"soft\">\(escaped(caption))</p>\n"
    return """
      \(title)<div class="scroll" role="group" tabindex="0" aria-label="\(escaped(caption))">\
      <table><thead><tr>\(head)</tr></thead>
      <tbody>
      \(body.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  /// A list of things, each HTML already.
  static func list(_ items: [String], style: String) -> String {
    "<ul class=\"\(style)\">\(items.map { "<li>\($0)</li>" }.joined())</ul>"
  }

  /// What unfolds on demand.
  static func details(_ summary: String, _ content: String) -> String {
    "<details><summary>\(escaped(summary))</summary>\n\(content)\n</details>"
  }
}
