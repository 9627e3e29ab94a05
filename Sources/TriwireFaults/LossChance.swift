/// Which of the segments of one direction are lost: each by itself, or several in a row.
struct LossChance {
  private let loss: Double
  /// From good to bad, and from bad to good; `nil` where losses are independent.
  private let turns: (bad: Double, good: Double)?
  private var isBad = false

  /// The chances of a network, at a moment that is like any other.
  init(_ conditions: NetworkConditions, _ draws: inout Draws) {
    loss = min(max(conditions.loss, 0), 1)
    guard case .bursts(let mean) = conditions.losses, loss > 0 else {
      turns = nil
      return
    }
    // A bad time lasts 1 / good segments on average, and bad / (bad + good) of all are in one.
    let good = 1 / max(mean, 1)
    turns = (loss < 1 ? min(loss * good / (1 - loss), 1) : 1, good)
    isBad = draws.fraction() < loss
  }

  /// Whether anything can be lost.
  var isPossible: Bool { loss > 0 }

  /// Draws whether the next segment is lost.
  mutating func strikes(_ draws: inout Draws) -> Bool {
    guard let turns else { return draws.fraction() < loss }
    let wasBad = isBad
    if draws.fraction() < (isBad ? turns.good : turns.bad) { isBad.toggle() }
    return wasBad
  }
}

/// Chances that follow from a seed (SplitMix64).
struct Draws {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// From 0 up to but not including 1.
  mutating func fraction() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return Double((value ^ value >> 31) >> 11) * 0x1p-53
  }
}
