/// The peer broke RFC 6455: how, and the close code that answers it.
package struct WebSocketViolation: Error, Equatable, CustomStringConvertible {
  package let closeCode: CloseCode
  package let message: String

  package init(_ closeCode: CloseCode, _ message: String) {
    self.closeCode = closeCode
    self.message = message
  }

  /// A text message that is not UTF-8 (RFC 6455 §8.1).
  package init(_ fault: UTF8Fault) { self.init(.invalidPayload, "a text message \(fault)") }

  package var description: String { "\(message) (close \(closeCode))" }
}
