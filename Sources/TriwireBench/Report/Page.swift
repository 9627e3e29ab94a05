/// What text is written on: how wide it is, and whether it shows colours.
package struct Page: Sendable {
  /// How many characters fit in a line; `nil` is no limit.
  private let width: Int?
  private let isColoured: Bool

  /// A page of some width that takes ANSI colours, or does not.
  package init(width: Int? = nil, isColoured: Bool = false) {
    self.width = width
    self.isColoured = isColoured
  }

  /// Text that stands out.
  package func bold(_ text: String) -> String { styled(text, "1") }
  /// Text that says something went wrong.
  package func red(_ text: String) -> String { styled(text, "31") }

  private func styled(_ text: String, _ code: String) -> String {
    isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  /// A paragraph as lines that fit, with a line end each.
  ///
  /// - Parameters:
  ///   - text: Words with blanks between them, and before the first where it is to stand further in.
  ///   - hanging: How many blanks the second line and those after it begin with.
  /// - Returns: The lines; a word that is longer than a line has one of its own.
  package func wrapped(_ text: String, hanging: Int = 0) -> String {
    let indent = String(repeating: " ", count: hanging)
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    return words.dropFirst().reduce(into: [String(words[0])]) { lines, word in
      let last = lines[lines.count - 1]
      if last.count + 1 + word.count <= width ?? .max || last.allSatisfy({ $0 == " " }) {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(indent + word)
      }
    }.map { "\($0)\n" }.joined()
  }

  /// The same page with lines no longer than that, for prose.
  package func narrowed(to limit: Int) -> Page {
    Page(width: min(limit, width ?? limit), isColoured: isColoured)
  }
}

// Tables.
extension Page {
  private static let gap = "  "

  /// A table, its first column flush left and the others flush right.
  ///
  /// Columns that do not fit follow in a table below, which repeats the first column.
  ///
  /// - Parameters:
  ///   - header: The names of the columns.
  ///   - rows: As many cells each.
  /// - Returns: Lines with a line end each, indented by two blanks.
  func table(_ header: [String], _ rows: [[String]]) -> String {
    let lines = [header] + rows
    let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return blocks(of: widths).map { columns in
      lines.enumerated().map { index, cells in
        let padded = columns.map { pad(cells[$0], to: widths[$0], atStart: $0 > 0) }
        let line = Page.gap + padded.joined(separator: Page.gap)
        return (index == 0 ? bold(line) : line) + "\n"
      }.joined()
    }.joined(separator: "\n")
  }

  /// The columns of each table below the other, the first column in all of them.
  private func blocks(of widths: [Int]) -> [[Int]] {
    let space = { (columns: [Int]) in columns.reduce(0) { $0 + Page.gap.count + widths[$1] } }
    return widths.indices.dropFirst().reduce(into: [[0]]) { blocks, column in
      let longer = blocks[blocks.count - 1] + [column]
      if longer.count == 2 || space(longer) <= width ?? .max {
        blocks[blocks.count - 1] = longer
      } else {
        blocks.append([0, column])
      }
    }
  }

  private func pad(_ text: String, to width: Int, atStart: Bool) -> String {
    let blanks = String(repeating: " ", count: max(0, width - text.count))
    return atStart ? blanks + text : text + blanks
  }
}
