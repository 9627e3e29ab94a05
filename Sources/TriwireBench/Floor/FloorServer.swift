import FoundationEssentials
import Glibc
import Triwire

/// The server's process of the floor benchmark: everything it measures, each at its own address.
///
/// The command starts itself again with the words `floor-server SIZE`, which help does not show.
/// It prints one line of JSON with its addresses, and ends when its input is closed: when the
/// process that measures ends, however that comes about.
public enum FloorServer {
  /// The word that starts the executable as the server of a floor benchmark.
  public static let word = "floor-server"

  /// Where the server listens.
  struct Ports: Codable, Sendable {
    /// HTTP, and with it all transports.
    var http: UInt16
    /// Bare TCP that sends everything back.
    var echo: UInt16
    /// Bare TCP that answers a few bytes with one message to all connections.
    var broadcast: UInt16
  }

  /// Serves until standard input is closed.
  ///
  /// - Parameter payload: The size of the messages it broadcasts, in bytes.
  /// - Throws: `IOError` when it cannot listen, a Foundation error when nobody reads its output.
  public static func run(payload: Int) async throws {
    // Ctrl-C goes to the whole foreground group; the process that measures decides what it means.
    signal(SIGINT, SIG_IGN)
    Process.raiseDescriptorLimit()
    let message = Message(String(repeating: "x", count: payload))
    let server = TriwireServer(configuration: MeasuredConnections.server)
    addRoutes(to: server, broadcasting: message)
    let http = try await server.start(on: "127.0.0.1:0")
    let echo = try server.acceptPlainStreams(on: "127.0.0.1") { stream in
      stream.onBytes = { [unowned stream] in stream.send($0) }
    }
    let audience = PlainAudience()
    let broadcast = try server.acceptPlainStreams(on: "127.0.0.1") { stream in
      audience.streams.append(stream)
      stream.onBytes = { _ in audience.send(message.bytes) }
    }
    let ports = Ports(http: http.port, echo: echo.port, broadcast: broadcast.port)
    try writeOutput(try encodeLine(ports))
    while readLine() != nil {}
  }

  private static func addRoutes(to server: TriwireServer, broadcasting message: Message) {
    server.session(at: "/async") { session in
      for try await message in session.messages { try await session.send(message) }
    }
    server.session(
      at: "/sync",
      synchronously: { session in
        session.receive { [unowned session] in session.sendNow($0, $1) }
      })
    server.session(
      at: "/topic/{name}",
      synchronously: { session in
        let topic = server.topic(session.parameter)
        session.subscribe(to: topic)
        session.receive { _, _ in topic.publish(message) }
      })
    let healthy = Response(text: "ok")
    server.respond(at: "/healthz", synchronously: { _ in healthy })
  }
}

/// The connections that a broadcast over bare TCP goes to.
private final class PlainAudience: @unchecked Sendable {
  // Touched on the server's one loop alone, which is what makes `@unchecked Sendable` hold.

  var streams: [PlainStream] = []

  func send(_ bytes: [UInt8]) {
    for stream in streams { stream.sendThrough(bytes.span) }
  }
}
