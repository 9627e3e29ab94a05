import TriwireCodec

/// A request that is being served.
final class Exchange: Sendable {
  let head: RequestHead
  let framing: RequestFraming
  let route: Routes.Route?
  let parameter: String
  /// The bytes of the request's head.
  let headBytes: Int
  /// Whether the connection can serve another request after this one.
  var keepAlive: Bool { framing.keepAlive }

  init(
    head: consuming RequestHead, framing: RequestFraming, route: Routes.Route?,
    parameter: consuming String, headBytes: Int
  ) {
    self.head = head
    self.framing = framing
    self.route = route
    self.parameter = parameter
    self.headBytes = headBytes
  }
}
