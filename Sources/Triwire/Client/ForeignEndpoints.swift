package import TriwireCodec

/// What a server that is not made with this library has instead of a session: a stream of events and a
/// place to publish at, or a place to poll at.
///
/// For measuring such servers; an embedder's sessions know nothing of it.
package struct ForeignEndpoints: Sendable {
  /// What a poll's answer carries.
  package struct Answer: Sendable {
    /// The messages, in order.
    package let messages: [[UInt8]]
    /// The cursor of the next poll; nil keeps the one of before.
    package let cursor: String?

    /// What was read of an answer.
    package init(messages: [[UInt8]], cursor: String?) {
      self.messages = messages
      self.cursor = cursor
    }
  }

  /// How to poll.
  package struct Polls: Sendable {
    /// The path and query of a poll with a cursor, or of the first one without.
    package let target: @Sendable (String?) -> String
    /// Reads an answer with status 200; nil when it is none that carries messages.
    package let read: @Sendable (Headers, [UInt8]) -> Answer?

    /// Polls that go there and are read so.
    package init(
      target: @escaping @Sendable (String?) -> String,
      read: @escaping @Sendable (Headers, [UInt8]) -> Answer?
    ) {
      self.target = target
      self.read = read
    }
  }

  /// The path and query, at the same origin, where a POST's body is published.
  package var publish: String
  /// How to poll; nil where messages come as a stream of events.
  package var polls: Polls?

  /// These places.
  package init(publish: String, polls: Polls? = nil) {
    self.publish = publish
    self.polls = polls
  }
}
