import FoundationEssentials
import Triwire

/// Reads the answers to polls of a server that nobody here wrote.
struct PollReader: Sendable {
  /// What a message of an answer is.
  enum Form: Equatable, Sendable {
    /// The whole body is one.
    case body
    /// The body is a JSON array of texts, and each is one.
    case array
    /// The body is a JSON object, and this member of it is a text or an array of texts.
    case field(String)

    /// The form of that name; `nil` when there is none.
    init?(_ text: String) {
      let words = text.split(separator: " ")
      switch words.first {
      case "body" where words.count == 1: self = .body
      case "array" where words.count == 1: self = .array
      case "field" where words.count == 2: self = .field(String(words[1]))
      default: return nil
      }
    }
  }

  /// Where the next cursor is.
  enum Cursor: Equatable, Sendable {
    /// In a header field of the answer.
    case header(String)
    /// In a member of the JSON object that the body is: a text or a number.
    case field(String)

    /// The place of that name; `nil` when there is none.
    init?(_ text: String) {
      let words = text.split(separator: " ")
      guard words.count == 2 else { return nil }
      switch words[0] {
      case "header": self = .header(words[1].lowercased())
      case "field": self = .field(String(words[1]))
      default: return nil
      }
    }
  }

  let form: Form
  let cursor: Cursor
  /// The first cursor.
  let start: String?

  /// How a server says it; one whose words were checked.
  init(_ polls: ForeignServers.LongPolls) {
    form = Form(polls.messages ?? "body") ?? .body
    cursor = Cursor(polls.cursor) ?? .header("cursor")
    start = polls.start
  }

  /// How to poll at a path and query with `{cursor}`.
  func polls(at target: String) -> ForeignEndpoints.Polls {
    ForeignEndpoints.Polls(
      target: { [start] cursor in
        guard let cursor = cursor ?? start else { return PollReader.first(of: target) }
        return target.replacing("{cursor}", with: PollReader.escaped(cursor))
      },
      read: { [self] headers, body in read(headers, body) })
  }

  /// A target without the part of its query that has the cursor.
  static func first(of target: String) -> String {
    let parts = target.split(separator: "?", maxSplits: 1)
    guard parts.count == 2 else { return target.replacing("{cursor}", with: "") }
    let items = parts[1].split(separator: "&").filter { !$0.contains("{cursor}") }
    let path = parts[0].replacing("{cursor}", with: "")
    return items.isEmpty ? String(path) : "\(path)?\(items.joined(separator: "&"))"
  }

  /// A cursor as a query has it (RFC 3986 §2.3).
  private static func escaped(_ cursor: String) -> String {
    let digits = Array("0123456789ABCDEF")
    return cursor.utf8.map { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
        String(UnicodeScalar(byte))
      default: "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }.joined()
  }

  /// What an answer carries, which is nothing where it has no body; `nil` when it does not have the
  /// form.
  func read(_ headers: Headers, _ body: [UInt8]) -> ForeignEndpoints.Answer? {
    var members: [JSONNode.Member]?
    var messages: [[UInt8]] = []
    let needsJSON: Bool =
      if case .field = cursor { true } else { form != .body }
    if needsJSON, !body.isEmpty {
      guard let node = try? JSONText.parse(body) else { return nil }
      if case .object(let all) = node.value { members = all }
      if form == .array {
        guard let texts = PollReader.texts(of: node) else { return nil }
        messages = texts
      }
    }
    switch form {
    case .array: break
    case .body: if !body.isEmpty { messages = [body] }
    case .field(let name):
      guard body.isEmpty || members != nil else { return nil }
      if let node = members?.first(where: { $0.key == name })?.node {
        guard let texts = PollReader.texts(of: node) else { return nil }
        messages = texts
      }
    }
    return ForeignEndpoints.Answer(messages: messages, cursor: next(headers, members))
  }

  private func next(_ headers: Headers, _ members: [JSONNode.Member]?) -> String? {
    switch cursor {
    case .header(let name): return headers[name]
    case .field(let name):
      switch members?.first(where: { $0.key == name })?.node.value {
      case .string(let text): return text
      case .number(let number): return Int(exactly: number).map { "\($0)" } ?? "\(number)"
      default: return nil
      }
    }
  }

  private static func texts(of node: JSONNode) -> [[UInt8]]? {
    switch node.value {
    case .null: return []
    case .string(let text): return [Array(text.utf8)]
    case .array(let nodes):
      let texts = nodes.compactMap { node in
        if case .string(let text) = node.value { Array(text.utf8) } else { nil }
      }
      return texts.count == nodes.count ? texts : nil
    default: return nil
    }
  }
}
