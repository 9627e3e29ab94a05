/// Writes measured numbers so that people can compare them: three digits and a unit.
enum Figures {
  /// What stands where there is no figure.
  static let none = "–"

  /// A duration given in microseconds: `63.1 µs`, `1.23 ms`, `12.0 s`.
  static func duration(_ microseconds: Double?) -> String {
    guard let microseconds else { return none }
    if microseconds < 999.5 { return "\(digits(microseconds)) µs" }
    if microseconds < 999_500 { return "\(digits(microseconds / 1000)) ms" }
    return "\(digits(microseconds / 1e6)) s"
  }

  /// A number of bytes: `125 B`, `3.06 KB`, `1.20 GB`.
  static func bytes(_ bytes: Double?) -> String {
    guard let bytes else { return none }
    if bytes < 9999.5 { return "\(decimal(bytes, places: bytes < 99.95 ? 1 : 0)) B" }
    if bytes < 999_500 { return "\(digits(bytes / 1000)) KB" }
    if bytes < 999_500_000 { return "\(digits(bytes / 1e6)) MB" }
    if bytes < 999_500_000_000 { return "\(digits(bytes / 1e9)) GB" }
    return "\(digits(bytes / 1e12)) TB"
  }

  /// A number without a unit, with so many places after the point.
  static func number(_ number: Double?, places: Int) -> String {
    number.map { decimal($0, places: places) } ?? none
  }

  /// How many times as much: `1.19×`.
  static func ratio(_ ratio: Double) -> String {
    guard ratio.isFinite else { return none }
    if ratio > 0, ratio < 0.0005 { return "below 0.001×" }
    if ratio > 0, ratio < 0.0995 { return "\(decimal(ratio, places: 3))×" }
    return ratio < 99.5 ? "\(decimal(ratio, places: 2))×" : "\(grouped(Int(ratio.rounded())))×"
  }

  /// A part in per cent: `12.5 %`.
  static func percent(_ part: Double?) -> String {
    part.map { "\(decimal($0 * 100, places: 1)) %" } ?? none
  }

  /// Three significant digits; a whole number from 100 on.
  static func digits(_ number: Double) -> String {
    switch abs(number) {
    case ..<9.995: decimal(number, places: 2)
    case ..<99.95: decimal(number, places: 1)
    default: decimal(number, places: 0)
    }
  }

  /// A number with a fixed number of places after the point.
  static func decimal(_ number: Double, places: Int) -> String {
    guard number.isFinite, abs(number) < 1e15 else { return none }
    let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
    let scaled = Int64((abs(number) * scale).rounded())
    let whole = grouped(scaled / Int64(scale))
    let sign = number < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return sign + whole }
    let fraction = String(scaled % Int64(scale))
    return "\(sign)\(whole).\(String(repeating: "0", count: places - fraction.count))\(fraction)"
  }
}
