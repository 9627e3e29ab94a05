/// The server sent an event that is too large to hold.
///
/// It is the only way to break an event stream, as the grammar ignores all it does not know.
package struct EventStreamViolation: Error, Equatable, CustomStringConvertible {
  /// The limit that was broken.
  package var limit: Int

  package init(limit: Int) { self.limit = limit }

  package var description: String {
    "event is over \(limit) bytes: raise limits.eventBytes"
  }
}
