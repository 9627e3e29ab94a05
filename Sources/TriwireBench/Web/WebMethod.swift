extension WebReport {
  /// How it was measured, in the words of the Markdown.
  var method: String {
    let items = report.legendItems.map { "<li>\(WebReport.inline($0))</li>" }
    return """
      <section><h2>How it was measured</h2>
      <ul>\(items.joined(separator: "\n"))</ul>
      </section>
      """
  }

  /// The machine, and what to type for the same again.
  var reproduce: String {
    let rows = report.machineRows.filter { $0.0 != "command" }.map { [$0.0, $0.1] }
    let command = report.environment.commandLine.map(WebReport.quoted).joined(separator: " ")
    return """
      <section><h2>Machine, and the same again</h2>
      <pre><code>\(HTML.escaped(command))</code></pre>
      <p class="soft">The data is in <code>result.json</code> beside this page; \
      <code>triwire report</code> makes this page again from it.</p>
      \(HTML.table("The machine", ["what", "value"], rows, flushRight: false, silent: true))
      </section>
      """
  }

  /// A word as a shell takes it.
  static func quoted(_ word: String) -> String {
    let isPlain = word.unicodeScalars.allSatisfy { scalar in
      scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
        || "-_./=,:+@%".unicodeScalars.contains(scalar)
    }
    return isPlain && !word.isEmpty ? word : "'\(word.replacing("'", with: "'\\''"))'"
  }

  /// The little Markdown of the legend as HTML: code between grave accents.
  private static func inline(_ text: String) -> String {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated().map {
      $0.offset.isMultiple(of: 2)
        ? HTML.escaped(String($0.element)) : "<code>\(HTML.escaped(String($0.element)))</code>"
    }.joined()
  }
}
