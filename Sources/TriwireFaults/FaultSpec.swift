/// Why a text is no rule, as a sentence that says what to write instead.
public struct FaultSpecError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The sentence.
  public let description: String

  init(_ description: String) { self.description = description }
}

extension FaultRule: CustomStringConvertible {
  /// The spec of the rule, which `init(parsing:)` reads.
  public var description: String {
    var words = [fault.description]
    if let kinds {
      let names = RequestKind.allCases.filter(kinds.contains).map(\.rawValue)
      words.append("on \(names.joined(separator: ","))")
    }
    switch moment {
    case .start: break
    case .answer(bodyBytes: 0): words.append("after answer")
    case .answer(let bytes): words.append("after answer \(bytes) B")
    case .bytes(let bytes, let ways): words.append("after \(bytes) B\(ways.suffix)")
    case .time(let time): words.append("after \(time.spec)")
    case .idle(let time): words.append("after idle \(time.spec)")
    }
    switch pick {
    case .all: break
    case .nth(let number): words.append("nth \(number)")
    case .first(let number): words.append("first \(number)")
    case .every(let number): words.append("every \(number)")
    }
    if chance < 1 { words.append("chance \(chance)") }
    return words.joined(separator: " ")
  }

  /// Reads a rule: a fault with what belongs to it, then what it is restricted to.
  ///
  /// ```
  /// FAULT [on KIND,…] [after MOMENT] [nth N | first N | every N] [chance P]
  /// ```
  ///
  /// Faults: `refuse`, `close-port`, `delay-accept TIME`, `refuse-upgrade [STATUS]`,
  /// `strip-upgrade`, `fake-upgrade`, `black-hole`, `http10`, `buffer [SIZE] [with-head]`, `cut`,
  /// `reset`, `mute [up|down]`, `stall [up|down] [TIME]`, `trickle [up|down]`,
  /// `half-close up|down`. Kinds: `websocket`, `sse`, `poll`, `post`, `delete`, `other`. Moments:
  /// `TIME`, `idle TIME`, `answer [SIZE]`, `SIZE [up|down]`. Times have a unit of ms, s or min, up
  /// to a day; sizes one of B, KB, KiB, MB or MiB, up to 1,024 MiB.
  /// - Throws: `FaultSpecError`, which says what to write instead.
  public init(parsing text: String) throws(FaultSpecError) {
    var words = SpecWords(text)
    self.init(try words.fault())
    var clauses: Set<String> = []
    while let clause = words.next() {
      let slot = ["first", "every"].contains(clause) ? "nth" : clause
      guard clauses.insert(slot).inserted else {
        throw FaultSpecError("\"\(text)\" has two of \(slot == "nth" ? "nth, first, every" : slot)")
      }
      switch clause {
      case "on": kinds = try words.kinds()
      case "after": moment = try words.moment()
      case "nth": pick = .nth(try words.count(after: clause))
      case "first": pick = .first(try words.count(after: clause))
      case "every": pick = .every(try words.count(after: clause))
      case "chance": chance = try words.chance()
      default:
        throw FaultSpecError(
          "\"\(clause)\" in \"\(text)\" is nothing that follows a fault, write on, after, nth, "
            + "first, every or chance")
      }
    }
    try check(text)
  }

  private func check(_ text: String) throws(FaultSpecError) {
    if fault.isOfBeginning, kinds != nil || moment != .start {
      throw FaultSpecError(
        "\"\(text)\": \(fault.name) concerns a connection before its first request, leave out on "
          + "and after")
    }
    if case .closePort = fault, pick != .all || chance < 1 {
      throw FaultSpecError("\"\(text)\": \(fault.name) concerns all connections, write it alone")
    }
    if fault.isOfHead, moment != .start {
      throw FaultSpecError(
        "\"\(text)\": \(fault.name) strikes when the request comes, leave out after")
    }
    if case .buffer = fault, moment != .start {
      throw FaultSpecError("\"\(text)\": buffer begins with the answer, leave out after")
    }
    if let kinds, !kinds.contains(where: fault.concerns) {
      throw FaultSpecError("\"\(text)\": \(fault.name) strikes websocket only, leave out on")
    }
  }
}

extension FaultRule: Codable {
  /// Reads a rule from its spec.
  ///
  /// - Throws: `DecodingError`, whose description is that of the `FaultSpecError`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      try self.init(parsing: container.decode(String.self))
    } catch let error as FaultSpecError {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
    }
  }

  /// Writes the rule as its spec.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension Fault: CustomStringConvertible {
  /// The first word of the fault in a spec.
  public var name: String {
    switch self {
    case .refuse: "refuse"
    case .closePort: "close-port"
    case .delayAccept: "delay-accept"
    case .refuseUpgrade: "refuse-upgrade"
    case .stripUpgrade: "strip-upgrade"
    case .fakeUpgrade: "fake-upgrade"
    case .blackHole: "black-hole"
    case .downgrade: "http10"
    case .buffer: "buffer"
    case .cut(.finish): "cut"
    case .cut(.reset): "reset"
    case .mute: "mute"
    case .stall: "stall"
    case .trickle: "trickle"
    case .halfClose: "half-close"
    }
  }

  /// The first words of all faults, in the order help shows them.
  public static let names = [
    "refuse", "close-port", "delay-accept", "refuse-upgrade", "strip-upgrade", "fake-upgrade",
    "black-hole", "http10", "buffer", "cut", "reset", "mute", "stall", "trickle", "half-close",
  ]

  /// The fault as it stands in a spec.
  public var description: String {
    switch self {
    case .refuse, .closePort, .stripUpgrade, .fakeUpgrade, .blackHole, .downgrade, .cut: name
    case .delayAccept(let time): "\(name) \(time.spec)"
    case .refuseUpgrade(let status): "\(name) \(status)"
    case .buffer(let bytes, let holdsHead):
      name + (bytes.map { " \($0) B" } ?? "") + (holdsHead ? " with-head" : "")
    case .mute(let ways), .trickle(let ways), .halfClose(let ways): name + ways.suffix
    case .stall(let ways, let time): name + ways.suffix + (time.map { " \($0.spec)" } ?? "")
    }
  }
}

extension Directions {
  /// A blank and the word for it; nothing for both.
  fileprivate var suffix: String { self == .up ? " up" : self == .down ? " down" : "" }
}
