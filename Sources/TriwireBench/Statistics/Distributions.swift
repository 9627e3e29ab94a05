import Glibc

/// Student's t distribution, for means of few runs.
enum StudentT {
  /// The value that a variable of this distribution does not exceed with some probability.
  ///
  /// - Parameters:
  ///   - probability: Above 0 and below 1.
  ///   - degrees: Degrees of freedom, 1 or more.
  /// - Returns: The value, to ten digits.
  static func quantile(_ probability: Double, degrees: Int) -> Double {
    precondition(probability > 0 && probability < 1 && degrees >= 1, "no such quantile")
    guard probability >= 0.5 else { return -quantile(1 - probability, degrees: degrees) }
    // What lies beyond ±t is I(x; n/2, 1/2) with x = n / (n + t²) (Abramowitz, Stegun 26.7.1).
    let tails = 2 * (1 - probability)
    guard tails < 1 else { return 0 }
    let n = Double(degrees)
    var (low, high) = (0.0, 1.0)
    // Halved until nothing lies between, so that small values are found as well as large ones.
    while case let middle = (low + high) / 2, middle > low, middle < high {
      if incompleteBeta(middle, n / 2, 0.5) < tails { low = middle } else { high = middle }
    }
    return (n * (1 - high) / high).squareRoot()
  }
}

/// The normal distribution with mean 0 and deviation 1.
enum Normal {
  /// The probability of a value no higher than that.
  static func distribution(_ value: Double) -> Double { erfc(-value / 2.0.squareRoot()) / 2 }
}

/// The regularised incomplete beta function I(x; a, b), of x from 0 to 1 and positive a and b.
func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  guard x > 0 else { return 0 }
  guard x < 1 else { return 1 }
  // The continued fraction converges fast below the mean; above it the other end is taken.
  guard x <= (a + 1) / (a + b + 2) else { return 1 - incompleteBeta(1 - x, b, a) }
  let front = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x))
  return front * betaFraction(x, a, b) / a
}

/// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
private func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
  let tiny = 1e-300
  let off: (Double) -> Double = { abs($0) < tiny ? tiny : $0 }
  var c = 1.0
  var d = 1 / off(1 - (a + b) * x / (a + 1))
  var result = d
  // It takes about the square root of the larger parameter; the bound is never met.
  for step in 1...10_000 {
    let m = Double(step)
    let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / off(1 + even * d)
    c = off(1 + even / c)
    result *= c * d
    let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / off(1 + odd * d)
    c = off(1 + odd / c)
    result *= c * d
    if abs(c * d - 1) < 1e-15 { break }
  }
  return result
}

/// The logarithm of the gamma function of a positive number (Stirling's series, DLMF 5.11.1).
///
/// The C library's `lgamma` writes to a global variable, which is no good among threads.
func logGamma(_ x: Double) -> Double {
  // The series is exact to the last digits from 10 on: Γ(x) = Γ(x + 1) / x leads there.
  var (x, shift) = (x, 0.0)
  while x < 10 {
    shift -= log(x)
    x += 1
  }
  let terms = [1 / 12.0, -1 / 360.0, 1 / 1260.0, -1 / 1680.0, 1 / 1188.0, -691 / 360_360.0]
  let square = 1 / (x * x)
  let series = terms.reversed().reduce(0) { $0 * square + $1 } / x
  return shift + (x - 0.5) * log(x) - x + log(2 * Double.pi) / 2 + series
}
