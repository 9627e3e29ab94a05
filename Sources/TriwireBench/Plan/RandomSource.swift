/// Random numbers that are the same on every machine for the same seed (xoshiro256**).
///
/// The four words of state come from SplitMix64, as the authors of xoshiro advise; a seed may be
/// derived from another by mixing in what the numbers are for, so that no two uses share a row.
struct RandomSource: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  init(seed: UInt64) {
    var mix = SplitMix(state: seed)
    state = (mix.next(), mix.next(), mix.next(), mix.next())
  }

  mutating func next() -> UInt64 {
    let result = rotate(state.1 &* 5, by: 7) &* 9
    let shifted = state.1 &<< 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotate(state.3, by: 45)
    return result
  }

  /// A number from 0 up to but not including 1, in steps of 2⁻⁵³.
  mutating func fraction() -> Double { Double(next() &>> 11) * 0x1p-53 }

  /// A whole number from 0 up to but not including a bound.
  mutating func index(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// The mean of as many draws from the values as there are, any of them as often as it is drawn.
  mutating func meanOfDraws(from values: [Double]) -> Double {
    let count = values.count
    var (sum, left) = (0.0, count)
    while left > 0 {
      sum += values[index(below: count)]
      left -= 1
    }
    return sum / Double(count)
  }

  /// The elements in another order, each order as likely as another.
  ///
  /// Written out, since that of the standard library may change from version to version.
  mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
    var result = elements
    for last in elements.indices.reversed() { result.swapAt(last, index(below: last + 1)) }
    return result
  }

  private func rotate(_ value: UInt64, by bits: UInt64) -> UInt64 {
    // Shifts that mask: the checked ones are generic calls in builds without optimisation.
    value &<< bits | value &>> (64 - bits)
  }
}

/// The SplitMix64 generator: weak by itself, good to spread a seed.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

extension UInt64 {
  /// A seed for one use of this one, told apart by a number.
  func derived(for number: Int) -> UInt64 {
    var mix = SplitMix(state: self ^ UInt64(truncatingIfNeeded: number) &* 0xD6E8_FEB8_6659_FD93)
    return mix.next()
  }

  /// A seed for one use of this one, told apart by a name (FNV-1a).
  func derived(for name: String) -> UInt64 {
    let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { hash, byte in
      (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
    return derived(for: Int(truncatingIfNeeded: hash))
  }
}
