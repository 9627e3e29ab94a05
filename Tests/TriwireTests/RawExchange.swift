import TestSupport
import Testing

/// An answer as it stood on the wire.
struct RawAnswer: Sendable {
  let status: Int
  /// Names in lower case.
  let fields: [(name: String, value: String)]
  var body: [UInt8] = []

  var text: String { String(decoding: body, as: UTF8.self) }

  subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  init(head: String) throws {
    let lines = head.split(separator: "\r\n")
    let words = try #require(lines.first).split(separator: " ")
    try #require(words.count >= 2 && words[0].hasPrefix("HTTP/1.1"), "\(head)")
    status = try #require(Int(words[1]))
    fields = lines.dropFirst().map { line in
      let parts = line.split(separator: ":", maxSplits: 1)
      let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
      return (parts[0].lowercased(), String(value))
    }
  }
}

extension RawPeer {
  /// The head of the next answer.
  func answerHead() async throws -> RawAnswer {
    try RawAnswer(head: try await receive(until: "\r\n\r\n"))
  }

  /// The next answer, whole.
  ///
  /// - Parameter isToHead: Whether it answers a HEAD, and so has no body.
  /// - Returns: Its head, and its body without the chunks.
  /// - Throws: `IOError` when the peer ends before.
  func answer(isToHead: Bool = false) async throws -> RawAnswer {
    var answer = try await answerHead()
    if isToHead || answer.status < 200 || answer.status == 204 { return answer }
    if let length = answer["content-length"].flatMap({ Int($0) }) {
      answer.body = try await receive(length)
    } else if answer["transfer-encoding"] == "chunked" {
      while case let chunk = try await chunk(), !chunk.isEmpty { answer.body += chunk }
    } else {
      answer.body = try await receiveAll()
    }
    return answer
  }

  /// The next chunk of a body; empty at its end.
  func chunk() async throws -> [UInt8] {
    // The line end is one character.
    let line = try await receive(until: "\r\n")
    let size = try #require(Int(line.dropLast(), radix: 16), "\(line)")
    let bytes = try await receive(size)
    #expect(try await receive(2) == Array("\r\n".utf8))
    return bytes
  }

  /// The next chunk as text.
  func chunkText() async throws -> String { String(decoding: try await chunk(), as: UTF8.self) }

  /// Sends a request and takes its answer.
  func exchange(_ request: String) async throws -> RawAnswer {
    try await send(request)
    return try await answer()
  }
}

/// A request of HTTP/1.1 with a Host.
func request(_ line: String, _ fields: String..., body: String = "") -> String {
  var text = "\(line) HTTP/1.1\r\nhost: test\r\n"
  for field in fields { text += field + "\r\n" }
  if !body.isEmpty { text += "content-length: \(body.utf8.count)\r\n" }
  return text + "\r\n" + body
}
