public import TriwireCodec

/// One application payload, text or binary.
public struct Message: Sendable, Hashable {
  /// Whether the bytes are text.
  public let kind: MessageKind
  /// The payload; valid UTF-8 when `kind` is `.text`.
  public let bytes: [UInt8]

  /// A text message.
  public init(_ text: String) {
    kind = .text
    bytes = Array(text.utf8)
  }

  /// A binary message.
  public init(binary bytes: [UInt8]) {
    kind = .binary
    self.bytes = bytes
  }

  /// A message of bytes that are known to fit their kind.
  package init(_ kind: MessageKind, _ bytes: [UInt8]) {
    self.kind = kind
    self.bytes = bytes
  }

  /// A message with a copy of bytes that are known to fit their kind.
  package init(_ kind: MessageKind, copying payload: Span<UInt8>) {
    self.kind = kind
    bytes = unsafe payload.withUnsafeBufferPointer { unsafe Array(UnsafeRawBufferPointer($0)) }
  }

  /// The payload as a string; bytes that are not UTF-8 become U+FFFD.
  public var text: String { String(decoding: bytes, as: UTF8.self) }
}
