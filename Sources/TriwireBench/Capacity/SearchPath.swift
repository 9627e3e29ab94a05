/// Which loads a search tries, one after the other: what the probes so far say decides the next.
struct SearchPath {
  /// What the search needs to know of a probe.
  struct Step: Equatable {
    let level: Double
    let held: Bool
  }

  /// The load to begin with.
  let start: Double
  /// The least and the most to try.
  let least, most: Double
  /// By which part the bracket may be wide.
  let precision: Double
  /// Whether only whole numbers are loads.
  let isWhole: Bool
  /// How many probes there may be.
  var probes: Int

  init(_ search: CapacitySearch, of scenario: Scenario) {
    start = scenario.load(of: search)
    least = scenario.leastLoad(of: search)
    most = search.to
    precision = search.precision
    isWhole = search.vary == .clients
    probes = search.probes
  }

  /// About how many probes it takes, if the capacity is half-way on a logarithmic scale.
  var mostLikely: Int {
    var steps: [Step] = []
    while steps.count < CapacitySearch.Limits.probes.most, let level = next(after: steps) {
      steps.append(Step(level: level, held: level < (start * most).squareRoot()))
    }
    return max(1, steps.count)
  }

  /// The most that held in each of its probes and lies below all that did not; `nil` where nothing
  /// did.
  func held(_ steps: [Step]) -> Double? {
    let bound = missed(steps) ?? .infinity
    return steps.filter { $0.held && $0.level < bound }.map(\.level).max()
  }

  /// The least that did not hold in some probe; `nil` where all held.
  func missed(_ steps: [Step]) -> Double? { steps.filter { !$0.held }.map(\.level).min() }

  /// The load to try next; `nil` when all is known, or no more probes may be spent.
  ///
  /// What held has to do so twice, each time with a fresh server, before it counts.
  func next(after steps: [Step]) -> Double? {
    guard steps.count < probes else { return nil }
    guard !steps.isEmpty else { return start }
    let (held, missed) = (held(steps), missed(steps))
    switch (held, missed) {
    case (let held?, let missed?):
      return between(held, missed) ?? confirmed(held, steps)
    case (let held?, nil):
      return held < most ? rounded(min(held * 2, most)) : confirmed(held, steps)
    case (nil, let missed?):
      let lower = max(rounded(missed / 2), least)
      return lower < missed ? lower : nil
    case (nil, nil): return nil
    }
  }

  /// The geometric mean of two loads, or `nil` where they are near enough.
  private func between(_ low: Double, _ high: Double) -> Double? {
    guard high / low > 1 + precision else { return nil }
    let middle = rounded((low * high).squareRoot())
    return middle > low && middle < high ? middle : nil
  }

  private func confirmed(_ level: Double, _ steps: [Step]) -> Double? {
    steps.count { $0.level == level } < 2 ? level : nil
  }

  /// Three digits are as much as a search can tell, and people can read.
  private func rounded(_ level: Double) -> Double {
    if isWhole, level < 1000 { return level.rounded() }
    var unit = 1.0
    while level / unit >= 1000 { unit *= 10 }
    while level / unit < 100, unit > 1e-6 { unit /= 10 }
    return (level / unit).rounded() * unit
  }
}
