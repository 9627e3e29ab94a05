/// Why bytes are not the UTF-8 of a text; in words, what follows after "a text message".
package enum UTF8Fault: Equatable, CustomStringConvertible {
  /// The byte of the text, counted from 0, that cannot follow those before it.
  case badByte(Int)
  /// The text ends before its last character does.
  case cutOff

  package var description: String {
    switch self {
    case .badByte(let index): "is not valid UTF-8 at byte \(index)"
    case .cutOff: "ends within a character"
    }
  }
}
