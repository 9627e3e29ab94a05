/// A JSON value that remembers where it stood, so that whoever refuses it can point there.
struct JSONNode: Equatable {
  /// The kinds of value JSON knows.
  enum Value: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONNode])
    case object([Member])
  }

  /// One key and its value, in the order of the text.
  struct Member: Equatable {
    let key: String
    /// The line of the key, from 1.
    let line: Int
    let node: JSONNode
  }

  let value: Value
  /// The line the value starts on, from 1.
  let line: Int

  /// The kind of value in words, for messages.
  var kind: String {
    switch value {
    case .null: "null"
    case .bool: "true or false"
    case .number: "a number"
    case .string: "a text"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

/// Where a text stops being JSON, and why.
struct JSONSyntaxError: Error, Equatable {
  let line: Int
  let message: String
}

/// Reads JSON (RFC 8259) with `//` and `/* */` comments, and keeps the line of each value.
///
/// Keys stay in order, doubled keys are kept (the reader of the values refuses them), and nesting
/// ends at 64 levels.
struct JSONText {
  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  /// Where the blanks and comments end that were stepped over last, and the line before them.
  private var blanks = (end: 0, line: 1)

  /// The one value of the text.
  static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONNode {
    var text = JSONText(bytes: bytes)
    let node = try text.value(depth: 0)
    try text.skipBlanks()
    guard text.position == bytes.count else { throw text.error("text after the end of the value") }
    return node
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONNode {
    try skipBlanks()
    guard depth <= 64 else { throw error("nested deeper than 64 levels") }
    let start = line
    let value: JSONNode.Value
    switch next {
    case UInt8(ascii: "{"): value = .object(try members(depth: depth))
    case UInt8(ascii: "["): value = .array(try elements(depth: depth))
    case UInt8(ascii: "\""): value = .string(try string())
    case .some(let byte) where byte == UInt8(ascii: "-") || byte.isDigit: value = try number()
    case .some: value = try word()
    case .none: throw errorBefore("the text ends where a value should stand")
    }
    return JSONNode(value: value, line: start)
  }

  private mutating func members(depth: Int) throws(JSONSyntaxError) -> [JSONNode.Member] {
    var members: [JSONNode.Member] = []
    position += 1
    while try more(until: UInt8(ascii: "}"), isFirst: members.isEmpty) {
      guard next == UInt8(ascii: "\"") else { throw error("a key must stand in double quotes") }
      let keyLine = line
      let key = try string()
      try skipBlanks()
      guard next == UInt8(ascii: ":") else {
        throw errorBefore("a colon must follow the key \"\(key)\"")
      }
      position += 1
      members.append(.init(key: key, line: keyLine, node: try value(depth: depth + 1)))
    }
    return members
  }

  private mutating func elements(depth: Int) throws(JSONSyntaxError) -> [JSONNode] {
    var elements: [JSONNode] = []
    position += 1
    while try more(until: UInt8(ascii: "]"), isFirst: elements.isEmpty) {
      elements.append(try value(depth: depth + 1))
    }
    return elements
  }

  /// Steps over the comma before another element, or over the closing bracket.
  private mutating func more(until close: UInt8, isFirst: Bool) throws(JSONSyntaxError) -> Bool {
    let bracket = Character(UnicodeScalar(close))
    try skipBlanks()
    if next == close {
      position += 1
      return false
    }
    if !isFirst, next == UInt8(ascii: ",") {
      position += 1
      try skipBlanks()
      guard next != close else { throw errorBefore("remove the comma before \(bracket)") }
    } else if !isFirst, next != nil {
      throw line == blanks.line
        ? error("a comma or \(bracket) is missing here")
        : errorBefore("a comma or \(bracket) is missing after the value that ends on this line")
    }
    guard next != nil else { throw errorBefore("the text ends before a closing \(bracket)") }
    return true
  }

  private mutating func word() throws(JSONSyntaxError) -> JSONNode.Value {
    let start = position
    while let byte = next, byte.isLetter { position += 1 }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    switch word {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null": return .null
    case "":
      let sign = String(decoding: bytes[start...].prefix(4), as: UTF8.self).prefix(1)
      let advice = "'‘’“”`".contains(sign) ? "; strings take double quotes" : ""
      throw error("\"\(sign)\" starts no value\(advice)")
    default: throw error("\(word) is no value; a text must stand in double quotes")
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONNode.Value {
    let start = position
    while let byte = next, byte.isDigit || byte.isLetter || "+-.".utf8.contains(byte) {
      position += 1
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    let digits = text.drop { $0 == "-" }
    let isZeroLed = digits.hasPrefix("0") && digits.dropFirst().first?.isNumber == true
    guard !isZeroLed, !text.hasSuffix("."), let number = Double(text), number.isFinite,
      text.utf8.allSatisfy({ $0.isDigit || "+-.eE".utf8.contains($0) })
    else {
      throw error("\(text) is no number; a number with a unit must stand in double quotes")
    }
    return .number(number)
  }
}

// Strings, blanks and comments.
extension JSONText {
  private mutating func string() throws(JSONSyntaxError) -> String {
    var content: [UInt8] = []
    position += 1
    while let byte = next, byte != UInt8(ascii: "\"") {
      guard byte >= 0x20 else { throw error("a text must end on the line it starts on") }
      position += 1
      if byte == UInt8(ascii: "\\") {
        content.append(contentsOf: try escape())
      } else {
        content.append(byte)
      }
    }
    guard next != nil else { throw error("the text ends inside double quotes") }
    position += 1
    guard let text = String(validating: content, as: UTF8.self) else {
      throw error("a text is not valid UTF-8")
    }
    return text
  }

  private mutating func escape() throws(JSONSyntaxError) -> [UInt8] {
    guard let byte = next else { throw error("the text ends after a backslash") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return try unicode()
    default: throw error("\\\(Character(UnicodeScalar(byte))) is no escape of JSON")
    }
  }

  private mutating func unicode() throws(JSONSyntaxError) -> [UInt8] {
    var units = [try codeUnit()]
    if UTF16.isLeadSurrogate(units[0]), bytes[position...].starts(with: "\\u".utf8) {
      position += 2
      units.append(try codeUnit())
    }
    guard let text = String(validating: units, as: UTF16.self) else {
      throw error("half of a surrogate pair is no character")
    }
    return Array(text.utf8)
  }

  private mutating func codeUnit() throws(JSONSyntaxError) -> UInt16 {
    let digits = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
    guard digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit),
      let unit = UInt16(digits, radix: 16)
    else { throw error("four hexadecimal digits must follow \\u") }
    position += 4
    return unit
  }

  private mutating func skipBlanks() throws(JSONSyntaxError) {
    if position != blanks.end { blanks.line = line }
    defer { blanks.end = position }
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\n"):
        line += 1
        position += 1
      case 0x20, 0x09, 0x0D: position += 1
      case UInt8(ascii: "/"): try skipComment()
      default: return
      }
    }
  }

  private mutating func skipComment() throws(JSONSyntaxError) {
    let rest = bytes[position...]
    if rest.starts(with: "//".utf8) {
      position = rest.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    } else if rest.starts(with: "/*".utf8) {
      let start = line
      position += 2
      while !bytes[position...].starts(with: "*/".utf8) {
        guard let byte = next else {
          throw JSONSyntaxError(line: start, message: "this comment has no closing */")
        }
        if byte == UInt8(ascii: "\n") { line += 1 }
        position += 1
      }
      position += 2
    } else {
      throw error("a comment starts with // or /*")
    }
  }

  private func error(_ message: String) -> JSONSyntaxError {
    JSONSyntaxError(line: line, message: message)
  }

  /// What is wrong where the text before the last blanks and comments ends: an editor that goes to
  /// that line is where something has to be typed.
  private func errorBefore(_ message: String) -> JSONSyntaxError {
    JSONSyntaxError(line: blanks.line, message: message)
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { self >= 0x30 && self <= 0x39 }
  fileprivate var isLetter: Bool { (self | 0x20) >= 0x61 && (self | 0x20) <= 0x7A }
}
