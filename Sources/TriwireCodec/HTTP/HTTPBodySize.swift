/// What is known of a body's size when its head is written.
package enum HTTPBodySize: Equatable, Sendable {
  /// There is no body.
  case none
  /// So many bytes, which may be 0.
  case bytes(Int)
  /// It ends when its sender says so.
  case unknown
}
