/// A rule in force, with the count of its matches.
final class ActiveRule {
  let rule: FaultRule
  private let key: UInt64
  private var matches = 0

  /// - Parameters:
  ///   - rule: The rule.
  ///   - seed: Where its chances come from, together with its text.
  init(_ rule: FaultRule, seed: UInt64) {
    self.rule = rule
    // FNV-1a: another rule beside this one changes nothing in what this one draws.
    key = rule.description.utf8.reduce(0xCBF2_9CE4_8422_2325 ^ seed) { hash, byte in
      (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
  }

  /// Counts a match, and says whether the fault strikes it.
  func strikesNext() -> Bool {
    matches += 1
    switch rule.pick {
    case .all: break
    case .nth(let number): guard matches == number else { return false }
    case .first(let count): guard matches <= count else { return false }
    case .every(let step): guard matches.isMultiple(of: max(1, step)) else { return false }
    }
    return rule.chance >= 1 || draw(matches) < rule.chance
  }

  /// A number from 0 up to but not including 1 for a count (SplitMix64).
  private func draw(_ count: Int) -> Double {
    var value = key &+ UInt64(count) &* 0x9E37_79B9_7F4A_7C15
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return Double((value ^ value >> 31) >> 11) * 0x1p-53
  }
}
