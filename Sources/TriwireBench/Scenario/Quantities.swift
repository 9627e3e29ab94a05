/// A length of time with its unit, as scenario files write it: `"10 s"`, `"200 ms"`.
public struct TimeSpan: Sendable, Hashable, Comparable {
  /// The length in nanoseconds.
  public let nanoseconds: UInt64

  /// A length of so many nanoseconds.
  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// A length of so many milliseconds.
  public static func milliseconds(_ count: UInt64) -> TimeSpan {
    TimeSpan(nanoseconds: count * 1_000_000)
  }

  /// A length of so many seconds.
  public static func seconds(_ count: UInt64) -> TimeSpan { .milliseconds(count * 1000) }

  /// The length in seconds.
  public var seconds: Double { Double(nanoseconds) / 1e9 }

  /// The shorter of the two comes first.
  public static func < (one: TimeSpan, other: TimeSpan) -> Bool {
    one.nanoseconds < other.nanoseconds
  }
}

/// A number of bytes with its unit, as scenario files write it: `"64 B"`, `"4 KB"`.
public struct ByteCount: Sendable, Hashable, Comparable {
  /// The number of bytes.
  public let bytes: Int

  /// So many bytes.
  public init(_ bytes: Int) { self.bytes = bytes }

  /// The smaller of the two comes first.
  public static func < (one: ByteCount, other: ByteCount) -> Bool { one.bytes < other.bytes }
}

/// How often messages are sent, and by whom, as scenario files write it: `"50/s per client"`.
public struct Rate: Sendable, Hashable {
  /// What the rate is counted for.
  public enum Scope: String, Sendable, CaseIterable {
    /// Each client (or each client's feed) sends at this rate.
    case client = "per client"
    /// Each group's feed is published at this rate; broadcasts from the server only.
    case group = "per group"
    /// All senders together reach this rate, in equal shares.
    case all = "in all"
  }

  /// The unit of time in the text of a rate.
  public enum Unit: String, Sendable, CaseIterable {
    /// Per second.
    case second = "s"
    /// Per minute.
    case minute = "min"
    /// Per hour.
    case hour = "h"

    /// The unit in seconds.
    var seconds: Double {
      switch self {
      case .second: 1
      case .minute: 60
      case .hour: 3600
      }
    }
  }

  /// Messages per unit of time.
  public let count: Double
  /// The unit of time.
  public let unit: Unit
  /// For whom it is counted.
  public let scope: Scope

  /// So many messages per unit of time for each of a scope.
  public init(_ count: Double, per unit: Unit = .second, _ scope: Scope) {
    self.count = count
    self.unit = unit
    self.scope = scope
  }

  /// Messages per second, in the rate's own scope.
  public var perSecond: Double { count / unit.seconds }
}

/// Why a text is no quantity, as a sentence that says what to write instead.
package struct QuantityError: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(description: String) { self.description = description }
}

extension TimeSpan: Quantity {
  private static let units: [(name: String, nanoseconds: UInt64)] = [
    ("min", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000), ("ns", 1),
  ]

  package init(parsing text: String) throws(QuantityError) {
    let advice = "a time, write a number and a unit of ms, s or min: \"10 s\""
    let (number, unit) = try split(text, wanting: advice)
    guard let known = TimeSpan.units.first(where: { $0.name == unit }) else {
      throw refusal(of: text, unit: unit, wanting: advice)
    }
    let nanoseconds = (number * Double(known.nanoseconds)).rounded()
    guard nanoseconds <= 86_400e9 else {
      throw QuantityError(description: "\"\(text)\" is longer than a day")
    }
    self.init(nanoseconds: UInt64(nanoseconds))
  }

  /// The largest unit that needs no fraction: `10 s`, `250 ms`.
  public var description: String {
    let unit =
      TimeSpan.units.first { nanoseconds > 0 && nanoseconds.isMultiple(of: $0.nanoseconds) }
      ?? TimeSpan.units[1]
    return "\(nanoseconds / unit.nanoseconds) \(unit.name)"
  }
}

extension ByteCount: Quantity {
  private static let units: [(name: String, bytes: Int)] = [
    ("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("KB", 1000), ("B", 1),
  ]

  package init(parsing text: String) throws(QuantityError) {
    let advice = "a size, write a number and a unit of B, KB, KiB, MB or MiB: \"64 B\""
    let (number, unit) = try split(text, wanting: advice)
    guard let known = ByteCount.units.first(where: { $0.name == unit }) else {
      throw refusal(of: text, unit: unit, wanting: advice)
    }
    let bytes = number * Double(known.bytes)
    guard bytes.rounded() == bytes, bytes <= 1_073_741_824 else {
      throw QuantityError(
        description: "\"\(text)\" is not a whole number of bytes up to 1024 MiB")
    }
    self.init(Int(bytes))
  }

  /// The largest unit that needs no fraction: `64 B`, `4 KB`.
  public var description: String {
    let unit =
      ByteCount.units.first { bytes > 0 && bytes.isMultiple(of: $0.bytes) }
      ?? ByteCount.units[ByteCount.units.count - 1]
    return "\(bytes / unit.bytes) \(unit.name)"
  }
}

extension Rate: Quantity {
  package init(parsing text: String) throws(QuantityError) {
    let advice =
      "a rate, write it like \"50/s per client\", \"1/5 s per client\" or \"100/s in all\""
    let refused = QuantityError(description: "\"\(text)\" is not \(advice)")
    guard let slash = text.firstIndex(of: "/") else { throw Rate.every(text) ?? refused }
    guard let count = Double(text[..<slash].trimmed), count.isFinite else { throw refused }
    let rest = text[text.index(after: slash)...].trimmed
    let digits = rest.prefix { $0.isNumber || $0 == "." }
    let words = rest[digits.endIndex...].split(separator: " ")
    guard let span = digits.isEmpty ? 1 : Double(digits), span > 0, span.isFinite,
      let name = words.first
    else { throw refused }
    guard let unit = Unit(rawValue: String(name)) else {
      throw refusal(of: text, unit: String(name), wanting: advice)
    }
    guard let scope = Scope(rawValue: words.dropFirst().joined(separator: " ")) else {
      let start = "\(text[..<slash].trimmed)/\(digits.isEmpty ? "" : "\(digits) ")\(name)"
      let ways = Scope.allCases.map { "\"\(start) \($0.rawValue)\"" }
      throw QuantityError(
        description: "\"\(text)\" does not say whose rate it is: write \(ways[0]), \(ways[1]) or "
          + ways[2])
    }
    if digits.isEmpty {
      self.init(count, per: unit, scope)
    } else {
      self.init(count, each: span, unit, scope)
    }
  }

  /// So many messages each so many units of time, per the shortest unit in which they are a whole
  /// number; per the one that is given where none is.
  private init(_ count: Double, each span: Double, _ unit: Unit, _ scope: Scope) {
    let counts = Unit.allCases.map { other in
      (unit: other, count: count * other.seconds / (span * unit.seconds))
    }
    let whole = counts.first { $0.count >= 1 && $0.count == $0.count.rounded() }
    self.init(whole?.count ?? count / span, per: whole?.unit ?? unit, scope)
  }

  /// What to write instead of `every 5 s`; `nil` where a text says no such thing.
  private static func every(_ text: String) -> QuantityError? {
    let word = "every "
    guard text.hasPrefix(word) else { return nil }
    let scope = Scope.allCases.first { text.hasSuffix($0.rawValue) }
    let time = text.dropFirst(word.count).dropLast(scope?.rawValue.count ?? 0).trimmed
    guard let span = try? TimeSpan(parsing: time), span.nanoseconds > 0 else { return nil }
    let rate = Rate(1, each: span.seconds, .second, scope ?? .client)
    return QuantityError(description: "\"\(text)\" is not a rate, write \"\(rate)\"")
  }

  /// The rate as a scenario file writes it: `50/s per client`.
  public var description: String {
    "\(plain(count))/\(unit.rawValue) \(scope.rawValue)"
  }
}

/// A value that JSON carries as text with a unit.
package protocol Quantity: Codable, CustomStringConvertible {
  init(parsing text: String) throws(QuantityError)
}

extension Quantity {
  /// Reads the text of a quantity.
  ///
  /// - Throws: `DecodingError` when it is none.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      try self.init(parsing: container.decode(String.self))
    } catch let error as QuantityError {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: error.description)
    }
  }

  /// Writes the quantity as text with its unit.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A number without a needless fraction: `50`, `0.1`.
func plain(_ number: Double) -> String {
  guard number == number.rounded(), abs(number) < 1e15 else { return "\(number)" }
  return "\(Int64(number))"
}

extension StringProtocol {
  /// The text without blanks at its ends.
  var trimmed: String {
    let blank: (Character) -> Bool = { $0.isWhitespace }
    let start = drop(while: blank)
    guard let last = start.lastIndex(where: { !blank($0) }) else { return "" }
    return String(start[...last])
  }
}

private func split(
  _ text: String, wanting advice: String
) throws(QuantityError) -> (number: Double, unit: String) {
  let digits = text.prefix { $0.isNumber || $0 == "." }
  guard let number = Double(digits), number.isFinite else {
    throw QuantityError(description: "\"\(text)\" is not \(advice)")
  }
  return (number, text[digits.endIndex...].trimmed)
}

private func refusal(
  of text: String, unit: String, wanting advice: String
) -> QuantityError {
  guard !unit.isEmpty else {
    return QuantityError(description: "\"\(text)\" has no unit; for \(advice)")
  }
  return QuantityError(description: "\"\(text)\" has no known unit; for \(advice)")
}
