import FoundationEssentials
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

      With --trials, triwire run --target measures this server from elsewhere, one trial at a time.
      Whoever can open a session at /trials/control may then put load on it, so that it is off unless
      asked for; --trials-secret asks them for a secret. All paths of trials are below /trials/. It
      serves with one thread then, keeps idle connections for two hours, and limits TCP segments to
      those of an Ethernet.
      """,
    options: [
      Option("--listen", "HOST:PORT", "where to listen; port 0 picks a free one and prints it"),
      Option("--loops", "N", "threads to serve with; one per core unless given"),
      Option("--trials", nil, "let triwire run --target put load on this server and measure it"),
      Option("--trials-secret", "FILE", "only those who know the first line of this file"),
      Option("--message-limit", "BYTES", "the longest message; 1048576 unless given"),
      Option("--deflate", nil, "compress WebSocket messages for clients that can"),
      Option("--gzip", nil, "compress event streams and polls' answers for clients that ask"),
      Option("--tls-cert", "FILE", "serve https and wss with this PEM certificate chain"),
      Option("--tls-key", "FILE", "the PEM key of the certificate"),
      Option(
        "--tls-self-signed", nil, "the same with a certificate made for this host on the spot"),
      Option("--tls-write", "FILE", "write the certificate made there, for clients to trust"),
      Option(
        "--tls-client-ca", "FILE", "serve only clients with a certificate of these authorities"),
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
    if arguments.has("--gzip") { configuration.gzip = GzipOptions() }
    configuration.tls = try arguments.tls()
    let secret = try arguments.trialsSecret()
    guard arguments.has("--trials") else {
      guard secret == nil else {
        throw UsageError(message: "--trials-secret is for trials, write --trials")
      }
      return try await serve(on: address, configuration) { _ in }
    }
    guard configuration.loops ?? 1 == 1 else {
      throw UsageError(message: "--trials serves with one thread, leave --loops out")
    }
    return try await serve(on: address, configuration.settingsOfTrials) { server in
      server.addTrialRoutes(secret: secret)
    }
  }
}

extension Arguments {
  /// What the options of TLS ask for; `nil` when there are none.
  fileprivate func tls() throws -> TLSServerOptions? {
    guard var options = try has("--tls-self-signed") ? selfSigned() : certificateOfFiles() else {
      guard let lone = ["--tls-write", "--tls-client-ca"].first(where: has) else { return nil }
      throw UsageError(
        message: "\(lone) needs TLS, write --tls-self-signed or --tls-cert and --tls-key")
    }
    if let authorities = text("--tls-client-ca") {
      options.clientCertificates = .required(authority: .file(authorities))
    }
    return options
  }

  private func certificateOfFiles() throws(UsageError) -> TLSServerOptions? {
    switch (text("--tls-cert"), text("--tls-key")) {
    case (nil, nil): return nil
    case (let certificate?, let key?):
      return TLSServerOptions(certificate: .file(certificate), key: .file(key))
    case (_?, nil): throw UsageError(message: "--tls-cert needs its key, write --tls-key FILE")
    case (nil, _?):
      throw UsageError(message: "--tls-key needs a certificate, write --tls-cert FILE")
    }
  }

  private func selfSigned() throws -> TLSServerOptions {
    guard !has("--tls-cert"), !has("--tls-key") else {
      throw UsageError(message: "write --tls-self-signed or --tls-cert and --tls-key, not both")
    }
    let identity = try TLSIdentity.selfSigned()
    if let file = text("--tls-write") {
      try identity.certificate.write(toFile: file, atomically: true, encoding: .utf8)
    }
    Output.print("certificate SHA-256 \(identity.fingerprint)")
    return TLSServerOptions(certificate: .text(identity.certificate), key: .text(identity.key))
  }
}

/// Serves until a signal comes, then drains.
private func serve(
  on address: String, _ configuration: TriwireServer.Configuration,
  _ addRoutes: (TriwireServer) -> Void
) async throws -> ExitStatus {
  Process.raiseDescriptorLimit()
  let server = TriwireServer(configuration: configuration)
  server.addServeRoutes()
  addRoutes(server)
  let bound = try await listening { try await server.start(on: address) }
  return try await interruptibly {
    Output.print("listening on http\(configuration.tls == nil ? "" : "s")://\(bound)")
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(86_400)) }
    await server.stop()
    return .done
  }
}
