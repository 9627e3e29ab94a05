public import Triwire

/// What somebody has published about the same thing, to stand beside what is measured.
public struct Published: Sendable, Equatable, Codable {
  /// Where it can be read: an address, or a DOI.
  public var source: String
  /// Who published it, where and when.
  public var citation: String
  /// Why it differs from what is measured, in a sentence or two.
  public var why: String?
  /// Its figures; `nil` where they were not to be had.
  public var values: [PublishedValue]?
}

/// One published figure, and how to count ours beside it.
public struct PublishedValue: Sendable, Equatable, Codable {
  /// What it is the figure of.
  public var of: String
  /// Whose figure it is; `nil` is something that is not measured here.
  public var transport: TransportKind?
  /// By whose figure it is divided, where it is a ratio.
  public var over: TransportKind?
  /// In which mode of TLS, where the scenario has several; `nil` is the first.
  public var tls: TLSMode?
  /// The figure as it was published.
  public var value: Double
  /// What it counts.
  public var unit: Unit
  /// Our figure, as it ought to be counted; `nil` is none.
  public var ours: Counting?
  /// Our figure as they counted theirs; `nil` is no other way.
  public var theirWay: Counting?

  /// What a published figure counts.
  public enum Unit: String, Sendable, CaseIterable, Codable {
    /// Bytes.
    case bytes = "B"
    /// 1,000 bytes.
    case kilobytes = "KB"
    /// Milliseconds.
    case milliseconds = "ms"
    /// Seconds.
    case seconds = "s"
    /// 1,000,000 bits per second.
    case megabits = "Mbit/s"
    /// One thing divided by another.
    case times
    /// Ways of a message from one side to the other, of half a round trip each.
    case transits
    /// Requests of HTTP.
    case requests

    /// How many bytes, milliseconds, bits per second or things it is.
    var factor: Double {
      switch self {
      case .bytes, .milliseconds, .times, .transits, .requests: 1
      case .kilobytes, .seconds: 1000
      case .megabits: 1_000_000
      }
    }

    /// A figure in it, with three digits at least.
    func text(_ figure: Double?) -> String {
      guard let figure, figure.isFinite else { return Figures.none }
      let size = abs(figure)
      let places = size == 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3
      let number = Figures.decimal(figure, places: places)
      return self == .times ? "\(number)×" : "\(number) \(rawValue)"
    }
  }

  /// One of our figures in its unit; `nil` where it was not measured.
  func figure(_ counting: Counting?, in comparison: Comparison) -> Double? {
    guard let counting, let transport,
      let own = comparison.pool(of: transport, tls).flatMap({ counting.value($0) })
    else { return nil }
    guard let over else { return own / unit.factor }
    guard let base = comparison.pool(of: over, tls).flatMap({ counting.value($0) }), base > 0 else {
      return nil
    }
    return own / base
  }
}

extension Comparison {
  /// The trials over a transport, in a mode of TLS or the first there is; `nil` where one failed.
  fileprivate func pool(of transport: TransportKind, _ tls: TLSMode?) -> Pool? {
    let pool = pools.first {
      $0.contender.transport == transport && (tls == nil || $0.contender.tls == tls)
    }
    return pool.flatMap { $0.failures.isEmpty ? $0 : nil }
  }

  /// The heads of the table of published figures.
  static let publishedHeads = ["published", "theirs", "ours", "ours, counted their way"]

  /// What was published beside what is measured here: a row for each figure.
  var publishedRows: [[String]] {
    (scenario.published?.values ?? []).map { value in
      let name = [value.of, value.transport.map { "(\($0.rawValue)" + value.overText + ")" }]
      return [
        name.compactMap { $0 }.joined(separator: " "), value.unit.text(value.value),
        value.transport == nil
          ? "not measured" : value.unit.text(value.figure(value.ours, in: self)),
        value.unit.text(value.figure(value.theirWay, in: self)),
      ]
    }
  }

  /// Where the figures come from and why they differ, in sentences; empty without any.
  var publishedNotes: [String] {
    guard let published = scenario.published else { return [] }
    return ["Published: \(published.citation), \(published.source)."]
      + (published.why.map { [$0] } ?? [])
  }
}

extension PublishedValue {
  fileprivate var overText: String {
    (over.map { " over \($0.rawValue)" } ?? "") + (tls.map { ", \($0.name)" } ?? "")
  }
}

/// Reads what was published.
struct PublishedReader {
  let place: Place

  func read() -> Published? {
    guard let fields = place.fields(of: ScenarioSchema.published) else { return nil }
    let source = fields.required("source", like: "\"https://…\"")?.text(like: "\"https://…\"")
    let citation = fields.required("citation", like: "\"A. Author, 2017\"")?
      .text(like: "\"A. Author, 2017\"")
    let why = fields.value("why", default: String?.none) { place in
      place.text(like: "\"they count downloads alone\"").map { $0 }
    }
    let values = fields.value("values", default: [PublishedValue]?.none) { place in
      place.list(of: "figures { … }") { readValue($0) }.map { $0 }
    }
    guard let source, let citation, let why, let values else { return nil }
    return Published(source: source, citation: citation, why: why, values: values)
  }

  private func readValue(_ place: Place) -> PublishedValue? {
    guard let fields = place.fields(of: ScenarioSchema.publishedValue) else { return nil }
    let of = fields.required("of", like: "\"five updates\"")?.text(like: "\"five updates\"")
    let value = fields.required("value", like: "1.9")?.number(above: 0, to: 1e12)
    let unit: PublishedValue.Unit? = fields.required("unit", like: "\"KB\"")?.choice()
    let transport = fields.value("transport", default: TransportKind?.none) { place in
      (place.choice() as TransportKind?).map { $0 }
    }
    let over = fields.value("over", default: TransportKind?.none) { place in
      (place.choice() as TransportKind?).map { $0 }
    }
    let tls = fields.value("tls", default: TLSMode?.none) { place in
      (place.choice() as TLSMode?).map { $0 }
    }
    let ours = fields.value("ours", default: Counting?.none) { readCounting($0).map { $0 } }
    let theirWay = fields.value("theirWay", default: Counting?.none) { readCounting($0).map { $0 } }
    guard let of, let value, let unit, let transport, let over, let tls, let ours, let theirWay
    else { return nil }
    if transport == nil, let counted = fields["ours"] ?? fields["theirWay"] ?? fields["over"] {
      counted.refuse("nobody knows over what, write a \"transport\" beside it, or remove this")
    }
    return PublishedValue(
      of: of, transport: transport, over: over, tls: tls, value: value, unit: unit, ours: ours,
      theirWay: theirWay)
  }

  private func readCounting(_ place: Place) -> Counting? {
    guard let text = place.text(like: "\"5 * app\"") else { return nil }
    do throws(QuantityError) {
      return try Counting(parsing: text)
    } catch {
      place.refuse(error.description)
      return nil
    }
  }
}
