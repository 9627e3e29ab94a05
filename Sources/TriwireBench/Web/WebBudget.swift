extension WebReport {
  /// What many users of each scenario take: memory, lines and cores.
  var budget: String {
    let rows = comparisons.flatMap { comparison -> [String] in
      let budgets = report.budgets(of: comparison)
      return budgets.enumerated().map { index, budget in
        let name = HTML.escaped(comparison.scenario.name)
        let first =
          index > 0 ? "" : "<th scope=\"rowgroup\" rowspan=\"\(budgets.count)\">\(name)</th>"
        return "<tr>\(first)<th scope=\"row\">\(WebCharts.named(budget.pool))</th>"
          + budget.cells.map { "<td class=\"n\">\(HTML.escaped($0))</td>" }.joined() + "</tr>"
      }
    }
    guard !rows.isEmpty else { return "" }
    let users = grouped(report.users)
    let head =
      "<th scope=\"col\">scenario</th><th scope=\"col\">transport</th>"
      + Budget.heads.map { "<th scope=\"col\" class=\"n\">\($0)</th>" }.joined()
    return """
      <section><h2>Budget: what \(users) users would take</h2>
      \(HTML.table("What \(users) users would take", head: head, body: rows, silent: true))
      <p class="soft">\(HTML.escaped(Budget.assumption))</p>
      </section>
      """
  }
}
