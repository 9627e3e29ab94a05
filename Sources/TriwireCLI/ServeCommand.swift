import Triwire
import TriwireBench

extension Command {
  /// `triwire serve`: a server to try the transports on.
  static let serveCommand = Command(
    name: "serve", summary: "serve echo, topics and plain HTTP for any client",
    usage: "--listen HOST:PORT [OPTION …]",
    explanation: """
      Serves until it is told to stop (Ctrl-C or SIGTERM), then lets requests finish and exits
      with 0. Every session path takes WebSocket, Server-Sent Events and long polling.

        /echo         each message goes back to its sender
        /topics/NAME  messages published to NAME; POST publishes its body as one message
        /reflect      plain HTTP, any method: the body of the request is the body of the answer
        /healthz      plain HTTP: 200 as long as the server is well
      """,
    options: [
      Option("--listen", "HOST:PORT", "where to listen; port 0 picks a free one and prints it"),
      Option("--loops", "N", "threads to serve with; one per core unless given"),
      Option("--message-limit", "BYTES", "the longest message; 1048576 unless given"),
      Option("--deflate", nil, "compress WebSocket messages for clients that can"),
    ]
  ) { arguments in
    try arguments.refuseOperands(of: "triwire serve")
    guard let address = arguments.text("--listen") else {
      throw UsageError(message: "write where to listen: --listen 127.0.0.1:8080")
    }
    guard SocketAddress.split(address) != nil else {
      throw UsageError(
        message: "--listen is \(address), write HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
    }
    var configuration = TriwireServer.Configuration()
    configuration.loops = try arguments.number("--loops", from: 1, to: 256)
    if let limit = try arguments.number("--message-limit", from: 1, to: 1 << 30) {
      configuration.session.messageBytes = limit
      configuration.session.queuedBytesHard = max(configuration.session.queuedBytesHard, limit)
    }
    if arguments.has("--deflate") { configuration.deflate = DeflateOptions() }
    return try await serve(on: address, configuration)
  }
}

/// Serves until a signal comes, then drains.
private func serve(
  on address: String, _ configuration: TriwireServer.Configuration
) async throws -> ExitStatus {
  Process.raiseDescriptorLimit()
  let server = TriwireServer(configuration: configuration)
  server.addServeRoutes()
  let bound = try await server.start(on: address)
  Output.print("listening on http://\(bound)")
  let waiting = Task { try await Task.sleep(for: .seconds(365 * 86_400)) }
  let interrupt = Interrupt(cancels: waiting)
  _ = try? await waiting.value
  await server.stop()
  interrupt.stop()
  return .done
}
