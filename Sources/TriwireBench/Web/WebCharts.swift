import Triwire

/// What the charts of a page share.
enum WebCharts {
  /// The contenders with their marks and lines.
  static func legend(of pools: [Pool]) -> String {
    HTML.list(
      pools.map {
        Drawing.inlineLine($0.contender.transport, dash(of: $0)) + HTML.escaped($0.name)
      }, style: "legend")
  }

  /// A contender's name behind its mark.
  static func named(_ pool: Pool) -> String {
    "<span class=\"named\">\(Drawing.inlineMark(pool.contender.transport))"
      + "<span>\(HTML.escaped(pool.name))</span></span>"
  }

  /// The dashes that tell settings, and a control, apart.
  static func dash(of pool: Pool) -> String {
    guard pool.contender.poll == nil else { return "d4" }
    let modes = TLSMode.allCases
    let mode = modes.firstIndex(of: pool.contender.tls) ?? 0
    return "d\((mode + (pool.contender.compression == .on ? 1 : 0)) % modes.count)"
  }

  /// Squares of colour with their meanings.
  static func key(_ names: [(style: String, name: String)]) -> String {
    HTML.list(
      names.map {
        "<svg class=\"mark\" viewBox=\"0 0 12 12\" aria-hidden=\"true\">"
          + "<rect width=\"12\" height=\"12\" class=\"bar \($0.style)\"/></svg>"
          + HTML.escaped($0.name)
      }, style: "legend")
  }

  /// Bars of several parts in rows, with a heading above each contender's.
  struct Bars {
    struct Row {
      let label: String
      let parts: [(style: String, name: String, start: Double, length: Double)]
      let total: String
    }

    let groups: [(pool: Pool, rows: [Row])]

    /// The bars from a common zero on.
    ///
    /// - Parameter text: How a length is written.
    /// - Returns: The picture.
    func drawing(_ text: (Double) -> String) -> Drawing {
      let labels = groups.flatMap { $0.rows.map(\.label) }
      let left =
        (labels.map { Drawing.width(of: $0) }.max() ?? 0) + (labels.allSatisfy(\.isEmpty) ? 0 : 8)
      let right = 460 - (groups.flatMap { $0.rows.map { Drawing.width(of: $0.total) } }.max() ?? 0)
      let ends = groups.flatMap { $0.rows.flatMap { $0.parts.map { $0.start + $0.length } } }
      let scale = (right - 10 - left) / max(ends.max() ?? 0, 1e-9)
      let height = groups.reduce(0.0) { $0 + 24 + Double($1.rows.count) * 22 }
      var drawing = Drawing(width: 460, height: height + 4)
      var y = 0.0
      for (pool, rows) in groups {
        drawing.mark(
          pool.contender.transport, 7, y + 13,
          "dot \(Drawing.style(of: pool.contender.transport))")
        drawing.text(pool.name, 18, y + 17, .start, "b")
        y += 24
        for row in rows {
          drawing.text(row.label, 0, y + 14, .start, "s")
          for part in row.parts where part.length > 0 {
            drawing.box(
              left + part.start * scale, y + 1, part.length * scale, 18, "bar \(part.style)",
              hint: "\(part.name) \(text(part.length))")
          }
          let end = row.parts.map { $0.start + $0.length }.max() ?? 0
          drawing.text(row.total, left + end * scale + 6, y + 14, .start, "s")
          y += 22
        }
      }
      return drawing
    }
  }
}

extension Figures {
  /// A round duration given in microseconds, without places it does not need: `50 µs`, `1.5 ms`.
  static func short(_ microseconds: Double) -> String {
    let (number, unit) =
      switch microseconds {
      case ..<0.9995: (microseconds * 1000, "ns")
      case ..<999.5: (microseconds, "µs")
      case ..<999_500: (microseconds / 1000, "ms")
      default: (microseconds / 1e6, "s")
      }
    let isWhole = abs(number - number.rounded()) < 0.01
    return "\(decimal(number, places: isWhole ? 0 : 1)) \(unit)"
  }
}

extension Figures {
  /// A round number of bytes, without places it does not need: `64 B`, `1.5 KB`, `2 GB`.
  static func size(_ bytes: Double) -> String {
    let (number, unit) =
      switch bytes {
      case ..<999.5: (bytes, "B")
      case ..<999_500: (bytes / 1000, "KB")
      case ..<999_500_000: (bytes / 1e6, "MB")
      case ..<999_500_000_000: (bytes / 1e9, "GB")
      default: (bytes / 1e12, "TB")
      }
    let isWhole = abs(number - number.rounded()) < 0.01
    return "\(decimal(number, places: isWhole ? 0 : number < 0.1 ? 2 : 1)) \(unit)"
  }
}
