/// One event of an event stream (WHATWG HTML §9.2).
public struct ServerSentEvent: Equatable, Sendable {
  /// The type; "message" unless the stream named one.
  public var type: String
  /// The data, its lines parted by LF.
  public var data: String
  /// The last event id of the stream when the event was dispatched; it persists from event to
  /// event, and is empty before the first.
  public var id: String
  /// The reconnection time in milliseconds that came with the event, if one did.
  public var retry: Int?

  /// Creates an event.
  public init(type: String = "message", data: String, id: String = "", retry: Int? = nil) {
    self.type = type
    self.data = data
    self.id = id
    self.retry = retry
  }
}
