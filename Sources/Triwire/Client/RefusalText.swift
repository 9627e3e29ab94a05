/// The first line of a refusal's body, for an error; the rest is not kept.
struct RefusalText {
  private var bytes: [UInt8] = []

  /// What a line of an error may take.
  private static let limit = 1024

  /// Takes a piece of the body.
  mutating func append(_ piece: Span<UInt8>) {
    guard !isComplete else { return }
    bytes.append(copying: piece.extracting(first: Self.limit - bytes.count))
  }

  /// Whether the rest of the body would change nothing.
  var isComplete: Bool {
    if bytes.count >= Self.limit { return true }
    guard let start = bytes.firstIndex(where: { $0 > 0x20 }) else { return false }
    return bytes[start...].contains { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
  }

  /// The line, without what a terminal would obey.
  var line: String {
    let text = String(decoding: bytes, as: UTF8.self)
    let first = text.split(whereSeparator: \.isNewline).first { $0.contains { !$0.isWhitespace } }
    let scalars = (first ?? "").unicodeScalars.filter {
      $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value)
    }
    return String(String.UnicodeScalarView(scalars))
  }
}
