public import Triwire

/// What a figure has to stay below, on the word of a scenario's author.
public struct Threshold: Sendable, Equatable {
  /// What a figure is held against.
  enum Bound: Equatable {
    /// A figure in the metric's own unit.
    case figure(Double)
    /// So many times the figure of a transport.
    case times(Double, TransportKind)
  }

  /// The key it stands under: a metric, or a transport, a point and a metric.
  public let key: String
  /// Its text as the file has it, with blanks where they belong: `< 50 ms`.
  public let text: String
  /// Whom it concerns; `nil` is every transport.
  public let transport: TransportKind?
  /// Whether a figure that breaks it makes the run fail; it is advice otherwise.
  public let isStrict: Bool
  /// The metric, by its key.
  let metric: String
  /// Whether the bound itself is allowed.
  let isInclusive: Bool
  let bound: Bound

  /// Reads a threshold.
  ///
  /// - Parameters:
  ///   - key: A metric (`latency.p99`), or one of a transport (`sse.latency.p99`).
  ///   - text: `<` or `<=`, and a figure with its unit, or a factor, `*` and a transport; `advisory`
  ///     at the end where it does not decide.
  /// - Throws: `QuantityError` when it is none, with what to write instead.
  init(key: String, text: String) throws(QuantityError) {
    self.key = key
    transport = TransportKind.allCases.first { key.hasPrefix("\($0.rawValue).") }
    let name = transport.map { String(key.dropFirst($0.rawValue.count + 1)) } ?? key
    guard let metric = Metric.all.first(where: { $0.key == name }) else {
      let hint = Suggestion.phrase(forMetric: key, withTransport: true)
      let way = hint.isEmpty ? "; triwire explain lists them" : hint
      throw QuantityError(description: "there is no metric \"\(name)\"\(way)")
    }
    self.metric = metric.key
    let bare = text.filter { !"()[],".contains($0) }.trimmed
    guard bare == text.trimmed || !bare.hasSuffix(" advisory") else {
      throw QuantityError(
        description: "advisory stands without brackets or a comma, write \"\(bare)\"")
    }
    let advice = "write it like \"< \(metric.unit.example)\" or \"<= 1.1 * websocket\""
    var rest = text.trimmed[...]
    isStrict = !rest.hasSuffix(" advisory")
    if !isStrict { rest = rest.dropLast(" advisory".count) }
    guard rest.hasPrefix("<") else {
      throw QuantityError(description: "\"\(text)\" does not begin with < or <=, \(advice)")
    }
    isInclusive = rest.hasPrefix("<=")
    rest = rest.dropFirst(isInclusive ? 2 : 1)
    let sign = isInclusive ? "<=" : "<"
    let parts = rest.split(separator: "*", omittingEmptySubsequences: false).map { $0.trimmed }
    let end = isStrict ? "" : " advisory"
    if parts.count == 2 {
      guard let factor = Double(parts[0]), factor > 0, factor <= 1e6 else {
        throw QuantityError(
          description: "\"\(parts[0])\" is no factor above 0 and up to 1,000,000, \(advice)")
      }
      guard let other = TransportKind(rawValue: parts[1]) else {
        let known = TransportKind.allCases.map(\.rawValue)
        let hint = Suggestion.phrase(for: parts[1], among: known, quoted: "\"")
        throw QuantityError(
          description: "\"\(parts[1])\" is none of \(known.joined(separator: ", "))\(hint)")
      }
      guard other != transport else {
        throw QuantityError(description: "this compares \(parts[1]) with itself, \(advice)")
      }
      bound = .times(factor, other)
      self.text = "\(sign) \(plain(factor)) * \(other.rawValue)\(end)"
    } else {
      let (figure, words) = try Threshold.figure(rest.trimmed, in: metric.unit, advice)
      bound = .figure(figure)
      self.text = "\(sign) \(words)\(end)"
    }
  }

  /// A figure in the metric's unit, and its text.
  private static func figure(
    _ text: String, in unit: Metric.Unit, _ advice: String
  ) throws(QuantityError) -> (Double, String) {
    let digits = text.prefix { ("0"..."9").contains($0) || $0 == "." }
    guard let number = Double(digits), number.isFinite, number <= 1e15 else {
      throw QuantityError(description: "\"\(text)\" begins with no number, \(advice)")
    }
    let symbol = text[digits.endIndex...].trimmed
    guard let known = unit.symbols.first(where: { $0.name == symbol }) else {
      let names = unit.symbols.map(\.name).filter { !$0.isEmpty }
      let wanted =
        names.isEmpty ? "takes no unit" : "takes \(names.joined(separator: ", "))"
      throw QuantityError(
        description: "\"\(text)\" has no unit that fits: this metric \(wanted); \(advice)")
    }
    return (number * known.factor, symbol.isEmpty ? "\(digits)" : "\(digits) \(symbol)")
  }
}

extension Metric.Unit {
  /// The units a figure may be written in, and what one of them is in this one.
  fileprivate var symbols: [(name: String, factor: Double)] {
    switch self {
    case .time:
      [("ms", 1000), ("us", 1), ("µs", 1), ("ns", 0.001), ("s", 1e6), ("min", 6e7)]
    case .bytes: [("B", 1), ("KB", 1000), ("KiB", 1024), ("MB", 1e6), ("MiB", 1_048_576)]
    case .part: [("%", 0.01), ("", 1)]
    case .count: [("", 1)]
    }
  }

  fileprivate var example: String {
    switch self {
    case .time: "50 ms"
    case .bytes: "500 B"
    case .part: "50 %"
    case .count: "4"
    }
  }
}

/// The thresholds of a scenario, by key, written as its file has them.
public struct Thresholds: Sendable, Equatable, Codable {
  /// All of them, in the order of their keys.
  public let all: [Threshold]

  init(_ thresholds: [Threshold]) { all = thresholds.sorted { $0.key < $1.key } }

  /// Reads an object of texts.
  ///
  /// - Throws: `DecodingError` when one of them is no threshold.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let texts = try container.decode([String: String].self)
    var thresholds: [Threshold] = []
    do throws(QuantityError) {
      for (key, text) in texts { thresholds.append(try Threshold(key: key, text: text)) }
    } catch {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
    }
    self.init(thresholds)
  }

  /// Writes an object of texts.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Dictionary(all.map { ($0.key, $0.text) }) { first, _ in first })
  }
}

/// Turns the member `thresholds` of a scenario file into thresholds.
struct ThresholdReader {
  let place: Place

  func read() -> Thresholds? {
    guard case .object(let members) = place.node.value else {
      place.refuse(
        "this is \(place.node.kind), write an object like { \"latency.p99\": \"< 50 ms\" }")
      return nil
    }
    var thresholds: [Threshold] = []
    for member in members {
      let inner = Place(
        node: member.node, path: "\(place.path).\(member.key)", problems: place.problems)
      guard let text = inner.text(like: "\"< 50 ms\"") else { continue }
      guard !thresholds.contains(where: { $0.key == member.key }) else {
        inner.refuse("this key stands here twice, remove one")
        continue
      }
      do throws(QuantityError) {
        thresholds.append(try Threshold(key: member.key, text: text))
      } catch {
        inner.refuse(error.description)
      }
    }
    return thresholds.count == members.count ? Thresholds(thresholds) : nil
  }

  /// Notes thresholds of transports that a scenario leaves out.
  func check(_ thresholds: Thresholds, over transports: [TransportKind]) {
    guard case .object(let members) = place.node.value else { return }
    for threshold in thresholds.all {
      var named = [threshold.transport].compactMap { $0 }
      if case .times(_, let other) = threshold.bound { named.append(other) }
      guard let missing = named.first(where: { !transports.contains($0) }),
        let member = members.first(where: { $0.key == threshold.key })
      else { continue }
      place.problems.add(
        line: member.line, path: "\(place.path).\(threshold.key)",
        "\(missing.rawValue) is not among \"transports\", add it there or remove this")
    }
  }
}

extension ScenarioReader {
  /// The thresholds of the file; none is an empty list.
  func readThresholds(_ fields: Fields, over transports: [TransportKind]?) -> Thresholds? {
    guard let place = fields["thresholds"] else { return Thresholds([]) }
    let reader = ThresholdReader(place: place)
    guard let thresholds = reader.read() else { return nil }
    if let transports { reader.check(thresholds, over: transports) }
    return thresholds
  }
}
