import Triwire

/// A figure that is counted from others: `open.http + 5 * app`.
///
/// Sums, differences, products and quotients of numbers and names, without brackets; `*` and `/` come
/// first. Bytes are of one message or of one opening, times are milliseconds.
public struct Counting: Sendable, Equatable {
  /// As it is written.
  public let text: String
  private let terms: [(sign: Double, factors: [(isDivisor: Bool, factor: Factor)])]

  private enum Factor: Equatable {
    case number(Double)
    case name(String)
  }

  /// The longest that one may be.
  private static let longest = 400

  /// Two are equal when they are written alike.
  public static func == (one: Counting, other: Counting) -> Bool { one.text == other.text }

  /// Reads one.
  ///
  /// - Throws: `QuantityError` when it is none, with what to write instead.
  package init(parsing text: String) throws(QuantityError) {
    guard text.utf8.count <= Self.longest else {
      throw QuantityError(description: "this is too long, write up to \(Self.longest) characters")
    }
    var terms: [(Double, [(Bool, Factor)])] = []
    var sign = 1.0
    var isDivisor = false
    var factors: [(Bool, Factor)] = []
    var wantsFactor = true
    for word in text.split(separator: " ") {
      if wantsFactor {
        factors.append((isDivisor, try Self.factor(String(word))))
        wantsFactor = false
        continue
      }
      switch word {
      case "*", "/": isDivisor = word == "/"
      case "+", "-":
        terms.append((sign, factors))
        (factors, sign, isDivisor) = ([], word == "+" ? 1 : -1, false)
      default:
        throw QuantityError(
          description: "\"\(word)\" stands where +, -, * or / has to, with blanks around it: "
            + "\"open.http + 5 * app\"")
      }
      wantsFactor = true
    }
    guard !wantsFactor else {
      throw QuantityError(
        description: "\"\(text)\" ends before it is whole, write it like \"open.http + 5 * app\"")
    }
    terms.append((sign, factors))
    self.text = text
    self.terms = terms
  }

  private static func factor(_ word: String) throws(QuantityError) -> Factor {
    if let number = Double(word), number.isFinite, number >= 0 { return .number(number) }
    guard names.contains(where: { $0.name == word }) else {
      let known = names.map(\.name)
      let hint = Suggestion.phrase(for: word, among: known, quoted: "\"")
      throw QuantityError(
        description: "\"\(word)\" is neither a number nor one of \(known.joined(separator: ", "))"
          + hint)
    }
    return .name(word)
  }

  /// What it is for some trials; `nil` where a part of it was not measured.
  func value(_ pool: Pool) -> Double? {
    var sum = 0.0
    for term in terms {
      var product = term.sign
      for (isDivisor, factor) in term.factors {
        let value: Double
        switch factor {
        case .number(let number): value = number
        case .name(let name):
          guard let known = Self.names.first(where: { $0.name == name })?.value(pool) else {
            return nil
          }
          value = known
        }
        product = isDivisor ? product / value : product * value
      }
      sum += product
    }
    return sum
  }

  // What there is to count with.

  private typealias Name = (name: String, value: (Pool) -> Double?)

  private static var names: [Name] { layers + openings + times }

  private static var layers: [Name] {
    let parts: [(String, KeyPath<ByteLayers, UInt64>)] = [
      ("payload", \.payload), ("framing", \.framing), ("control", \.control), ("http", \.http),
      ("tls", \.tls), ("tcpip", \.tcpip), ("app", \.application), ("wire", \.wire),
      ("packets", \.segments),
    ]
    return parts.flatMap { name, layer -> [Name] in
      [
        (name, { $0.perMessage(layer) }), ("\(name).up", { $0.perMessage(layer, \.up) }),
        ("\(name).down", { $0.perMessage(layer, \.down) }),
      ]
    }
  }

  private static var openings: [Name] {
    [
      ("open.http.up", { $0.mean(\.httpBytesUp) }),
      ("open.http.down", { $0.mean(\.httpBytesDown) }),
      ("open.http", { $0.sum(\.httpBytesUp, \.httpBytesDown) }),
      ("open.wire.up", { $0.mean(\.wireBytesUp) }),
      ("open.wire.down", { $0.mean(\.wireBytesDown) }),
      ("open.wire", { $0.sum(\.wireBytesUp, \.wireBytesDown) }),
    ]
  }

  private static var times: [Name] {
    [
      ("latency.mean", { $0.latency.count > 0 ? $0.latency.mean / 1e6 : nil }),
      ("latency.max", { $0.latency.count > 0 ? Double($0.latency.maximum) / 1e6 : nil }),
      ("latency.p50", { $0.latency.soundPercentile(50).map { Double($0) / 1e6 } }),
      ("latency.p99", { $0.latency.soundPercentile(99).map { Double($0) / 1e6 } }),
      ("serverCPU", { $0.serverPerMessage.map { $0 / 1000 } }),
    ]
  }
}

extension Pool {
  fileprivate func sum(
    _ one: (ConnectionCost) -> Double?, _ other: (ConnectionCost) -> Double?
  ) -> Double? {
    mean(one).flatMap { first in mean(other).map { first + $0 } }
  }
}

extension Counting: Codable {
  /// Reads its text.
  ///
  /// - Throws: `DecodingError` when it is none.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    do throws(QuantityError) {
      try self.init(parsing: text)
    } catch {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: error.description)
    }
  }

  /// Writes its text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
