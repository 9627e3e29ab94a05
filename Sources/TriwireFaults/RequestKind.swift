import TriwireCodec

/// What a request is for, as its head tells.
///
/// The raw values are the words of specs and logs.
public enum RequestKind: String, Sendable, Hashable, CaseIterable {
  /// A request with `Upgrade: websocket`, and the WebSocket that comes of it.
  case webSocket = "websocket"
  /// A GET with `Accept: text/event-stream`, and the stream that answers it.
  case eventStream = "sse"
  /// Any other GET: a long poll.
  case poll = "poll"
  /// A POST: messages on their way up beside an event stream or polls.
  case post = "post"
  /// A DELETE: the end of a session.
  case delete = "delete"
  /// Any other request, and what is no HTTP at all.
  case other = "other"

  init(_ head: RequestHead, isUpgrade: Bool) {
    if isUpgrade, head.headers.contains(token: "websocket", in: "Upgrade") {
      self = .webSocket
      return
    }
    switch head.method {
    case .get: self = Self.wantsEvents(head.headers) ? .eventStream : .poll
    case .post: self = .post
    case .delete: self = .delete
    default: self = .other
    }
  }

  private static func wantsEvents(_ headers: Headers) -> Bool {
    headers.values(of: "Accept").contains { value in
      value.split(separator: ",").contains { member in
        let type = member.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        return type.lowercased() == "text/event-stream"
      }
    }
  }
}
