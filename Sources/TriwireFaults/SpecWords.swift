/// The words of a spec, read from the front.
struct SpecWords {
  private let text: String
  private var rest: ArraySlice<String>

  init(_ text: String) {
    self.text = text
    rest = text.split { $0 == " " || $0 == "\t" }.map(String.init)[...]
  }

  mutating func next() -> String? { rest.popFirst() }

  mutating func fault() throws(FaultSpecError) -> Fault {
    let known = "the faults are \(Fault.names.joined(separator: ", "))"
    guard let name = next() else { throw FaultSpecError("there is no fault, \(known)") }
    switch name {
    case "refuse": return .refuse
    case "close-port": return .closePort
    case "delay-accept": return .delayAccept(try time("after delay-accept"))
    case "refuse-upgrade": return .refuseUpgrade(status: try status())
    case "strip-upgrade": return .stripUpgrade
    case "fake-upgrade": return .fakeUpgrade
    case "black-hole": return .blackHole
    case "http10": return .downgrade
    case "buffer":
      let bytes = startsWithNumber ? try size("after buffer") : nil
      return .buffer(until: bytes, holdsHead: skip("with-head"))
    case "cut": return .cut(.finish)
    case "reset": return .cut(.reset)
    case "mute": return .mute(directions() ?? .both)
    case "stall":
      let ways = directions() ?? .both
      return .stall(ways, for: startsWithNumber ? try time("after stall") : nil)
    case "trickle": return .trickle(directions() ?? .both)
    case "half-close":
      guard let ways = directions() else {
        throw FaultSpecError("\"\(text)\" does not say which half, write half-close up or down")
      }
      return .halfClose(ways)
    default: throw FaultSpecError("\"\(name)\" is no fault, \(known)")
    }
  }

  mutating func kinds() throws(FaultSpecError) -> Set<RequestKind> {
    let known = RequestKind.allCases.map(\.rawValue).joined(separator: ", ")
    guard let list = next() else {
      throw FaultSpecError("\"\(text)\" has nothing after on, write some of \(known)")
    }
    var kinds: Set<RequestKind> = []
    for word in list.split(separator: ",", omittingEmptySubsequences: false) {
      guard let kind = RequestKind(rawValue: String(word)) else {
        throw FaultSpecError(
          "\"\(word)\" after on is no kind of request, write some of \(known), separated by commas "
            + "without blanks")
      }
      kinds.insert(kind)
    }
    return kinds
  }

  mutating func moment() throws(FaultSpecError) -> FaultRule.Moment {
    if skip("answer") {
      return .answer(bodyBytes: startsWithNumber ? try size("after answer") : 0)
    }
    if skip("idle") { return .idle(try time("after idle")) }
    let (number, unit) = try quantity(
      "after", "a time (10 s, idle 10 s), a size (4 KiB, 4 KiB up) or answer")
    if Self.sizes[unit] != nil { return .bytes(try bytes(number, unit), directions() ?? .both) }
    return .time(try duration(number, unit))
  }

  mutating func count(after clause: String) throws(FaultSpecError) -> Int {
    guard let word = next(), let number = Int(word), 1...1_000_000 ~= number else {
      throw FaultSpecError("\"\(text)\": write a whole number from 1 to 1000000 after \(clause)")
    }
    return number
  }

  mutating func chance() throws(FaultSpecError) -> Double {
    guard let word = next(), let number = Double(word), number > 0, number <= 1 else {
      throw FaultSpecError("\"\(text)\": write a number above 0 and up to 1 after chance: 0.1")
    }
    return number
  }

  private mutating func status() throws(FaultSpecError) -> Int {
    guard startsWithNumber, let word = next() else { return 403 }
    guard let status = Int(word), 200...599 ~= status else {
      throw FaultSpecError("\"\(text)\": \(word) is no status, write one from 200 to 599")
    }
    return status
  }

  private mutating func directions() -> Directions? {
    if skip("up") { return .up }
    return skip("down") ? .down : nil
  }

  private mutating func skip(_ word: String) -> Bool {
    guard rest.first == word else { return false }
    rest.removeFirst()
    return true
  }

  private var startsWithNumber: Bool { rest.first?.first?.isNumber ?? false }

  // Quantities.

  private static let sizes = ["B": 1, "KB": 1000, "KiB": 1 << 10, "MB": 1_000_000, "MiB": 1 << 20]
  private static let times = ["ms": 1e6, "s": 1e9, "min": 60e9]

  private mutating func size(_ place: String) throws(FaultSpecError) -> Int {
    let (number, unit) = try quantity(place, "a size: 4 KiB")
    return try bytes(number, unit)
  }

  private mutating func time(_ place: String) throws(FaultSpecError) -> Duration {
    let (number, unit) = try quantity(place, "a time: 10 s")
    return try duration(number, unit)
  }

  private mutating func quantity(
    _ place: String, _ wanted: String
  ) throws(FaultSpecError) -> (Double, String) {
    guard let word = next() else {
      throw FaultSpecError("\"\(text)\" has nothing \(place), write \(wanted)")
    }
    let digits = word.prefix { $0.isNumber || $0 == "." }
    var unit = String(word[digits.endIndex...])
    guard let number = Double(digits), number.isFinite else {
      throw FaultSpecError("\"\(word)\" \(place) does not begin with a number, write \(wanted)")
    }
    if unit.isEmpty, let next = rest.first, Self.sizes[next] != nil || Self.times[next] != nil {
      unit = rest.removeFirst()
    }
    return (number, unit)
  }

  private func bytes(_ number: Double, _ unit: String) throws(FaultSpecError) -> Int {
    guard let factor = Self.sizes[unit] else {
      throw FaultSpecError(
        "\"\(text)\": a size needs a unit of B, KB, KiB, MB or MiB, write it like 4 KiB")
    }
    let bytes = number * Double(factor)
    guard bytes == bytes.rounded(), bytes <= 1_073_741_824 else {
      throw FaultSpecError("\"\(text)\": a size is a whole number of bytes up to 1024 MiB")
    }
    return Int(bytes)
  }

  private func duration(_ number: Double, _ unit: String) throws(FaultSpecError) -> Duration {
    guard let factor = Self.times[unit] else {
      throw FaultSpecError("\"\(text)\": a time needs a unit of ms, s or min, write it like 10 s")
    }
    let nanoseconds = number * factor
    guard nanoseconds >= 1e6, nanoseconds <= 86_400e9 else {
      throw FaultSpecError("\"\(text)\": a time is from 1 ms to 1440 min")
    }
    return .nanoseconds(Int64(nanoseconds))
  }
}

extension Duration {
  /// The length; 0 when it is negative, and at most 292 years.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    return UInt64(min(seconds, 9_000_000_000)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
  }

  /// The largest unit that needs no fraction, as specs write it.
  var spec: String {
    let nanoseconds = nanoseconds
    if nanoseconds.isMultiple(of: 60_000_000_000) { return "\(nanoseconds / 60_000_000_000) min" }
    if nanoseconds.isMultiple(of: 1_000_000_000) { return "\(nanoseconds / 1_000_000_000) s" }
    if nanoseconds.isMultiple(of: 1_000_000) { return "\(nanoseconds / 1_000_000) ms" }
    return "\(Double(nanoseconds) / 1e6) ms"
  }
}
