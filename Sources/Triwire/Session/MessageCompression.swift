/// Whether one message is compressed, where the session's transport compresses at all.
public enum MessageCompression: Sendable, Hashable {
  /// As the options of the transport say.
  case automatic
  /// Never: for what is compressed already.
  case never
  /// Alone, with nothing of it kept for later messages nor of earlier ones used: for messages that
  /// mix secrets with text of others, whose lengths would else tell (RFC 7692 §8, CRIME).
  case noContextTakeover
}
