public import Triwire

extension TriwireServer {
  /// Adds what `triwire serve` offers to anybody who wants to try a client or a proxy.
  ///
  /// - `/echo`: each message back to its sender, over every transport.
  /// - `/topics/NAME`: subscribe with every transport; `POST` publishes the body as one message,
  ///   and so does a message of a subscriber. `Last-Event-ID` brings what was missed. The answer to
  ///   a POST is the message's position.
  /// - `/reflect`: plain HTTP, any method: 200 with the request's body as the body.
  /// - `/healthz`: 200 while the server runs.
  public func addServeRoutes() {
    session(at: "/echo") { session in
      try await session.forEach { session.sendNow($0, $1) }
    }
    session(at: "/topics/{name}") { [self] session in
      let topic = topic(session.parameter)
      session.subscribe(to: topic, after: session.lastEventPosition)
      for try await message in session.messages { topic.publish(message) }
    }
    respond(at: "/topics/{name}", to: [.post], synchronously: { [self] in publish($0) })
    respond(at: "/reflect", to: nil, synchronously: Self.reflect)
    let healthy = Response(text: "ok")
    respond(at: "/healthz", synchronously: { _ in healthy })
  }

  private func publish(_ request: Request) -> Response {
    let type = request.head.headers["content-type"] ?? ""
    let message: Message
    if type.lowercased().hasPrefix("application/octet-stream") {
      message = Message(binary: request.body)
    } else if let text = String(validating: request.body, as: UTF8.self) {
      message = Message(text)
    } else {
      return Response(
        .badRequest,
        text: "the body is not UTF-8: send content-type application/octet-stream for bytes")
    }
    let position = topic(request.parameter).publish(message)
    return Response(.accepted, text: "\(position)")
  }

  private static func reflect(_ request: Request) -> Response {
    let type = request.head.headers["content-type"] ?? "application/octet-stream"
    return Response(.ok, headers: ["content-type": type], body: request.body)
  }
}
