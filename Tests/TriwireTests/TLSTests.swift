import Testing
import TestSupport
import Triwire
import TriwireIO

@Suite("TLS: servers and clients", .takesTurns)
struct TLSTests {
  static func addEcho(_ server: TriwireServer) {
    server.session(at: "/echo") { session in
      for try await message in session.messages { try await session.send(message) }
    }
  }

  /// What stops a client; nil when nothing does.
  private func failure(
    _ url: String, _ configuration: TriwireClient.Configuration
  ) async throws -> ConnectError.Attempt? {
    do {
      let session = try await within("a session opens or does not") {
        try await TriwireClient(url, configuration: configuration).connect()
      }
      session.close()
      return nil
    } catch let error as ConnectError {
      return error.attempts.first
    }
  }

  @Test(
    "A client says when TLS was done, between the connection and its request",
    arguments: TransportKind.allCases)
  func opening(kind: TransportKind) async throws {
    try await Rig.run(configure: { try $0.useTLS() }, Self.addEcho) { rig in
      let session = try await rig.connect("/echo", over: kind)
      let opening = try await session.loop.run { session.opening }
      #expect(opening.started <= opening.connected && opening.connected < opening.secured)
      #expect(opening.secured <= opening.requested && opening.requested < opening.answered)
      session.close()
    }
  }

  @Test("A certificate that nobody trusts is refused at once, and the error says why")
  func unknown() async throws {
    try await Rig.run(configure: { try $0.useTLS() }, Self.addEcho) { rig in
      var client = rig.client
      client.tls = TLSClientOptions()
      let attempt = try await failure("wss://\(rig.address)/echo", client)
      #expect(attempt?.tls == .selfSigned)
      #expect(attempt?.reason.contains("self-signed") == true)
      client.tls.verifiesServer = false
      #expect(try await failure("wss://\(rig.address)/echo", client) == nil)
    }
  }

  @Test("A client of plain HTTP is told in HTTP that the port speaks TLS, and the reverse in words")
  func wrongScheme() async throws {
    try await Rig.run(configure: { try $0.useTLS() }, Self.addEcho) { rig in
      let peer = try rig.rawPeer()
      try await peer.send("GET /echo HTTP/1.1\r\nhost: a\r\n\r\n")
      let answer = String(decoding: try await peer.receiveAll(), as: UTF8.self)
      #expect(answer.hasPrefix("HTTP/1.1 400 "))
      #expect(answer.hasSuffix("\r\n\r\nthis port speaks TLS: use https or wss\r\n"))
    }
    try await Rig.run(Self.addEcho) { rig in
      let attempt = try await failure("wss://\(rig.address)/echo", rig.client)
      #expect(attempt?.tls == .notTLS)
    }
  }

  @Test("A certificate that is reloaded serves new connections, and old ones go on")
  func reload() async throws {
    let folder = try Folder()
    let first = try TLSIdentity.selfSigned()
    let second = try TLSIdentity.selfSigned()
    try folder.write(first.certificate, to: "certificate.pem")
    try folder.write(first.key, to: "key.pem")
    try await Rig.run(
      configure: {
        $0.tls = TLSServerOptions(
          certificate: .file(folder.path("certificate.pem")), key: .file(folder.path("key.pem")))
      }, Self.addEcho
    ) { rig in
      var (old, new) = (rig.client, rig.client)
      old.tls.caFile = .text(first.certificate)
      new.tls.caFile = .text(second.certificate)
      let url = "https://\(rig.address)/echo"
      let session = try await TriwireClient(url, configuration: old).connect()
      try folder.write("nonsense", to: "certificate.pem")
      #expect(throws: IOError.self) { try rig.server.reloadCertificate() }
      #expect(try await failure(url, old) == nil)
      try folder.write(second.certificate, to: "certificate.pem")
      try folder.write(second.key, to: "key.pem")
      try rig.server.reloadCertificate()
      #expect(try await failure(url, new) == nil)
      #expect(try await failure(url, old)?.tls == .selfSigned)
      try await session.send("still here")
      #expect(try await session.take() == Message("still here"))
      session.close()
    }
  }

  @Test(
    "The subject of a client's certificate is known to sessions and requests",
    arguments: TransportKind.allCases)
  func subject(kind: TransportKind) async throws {
    let authority = try TLSIdentity(named: "authority", isAuthority: true)
    let client = try TLSIdentity(named: "client 7", issuer: authority)
    let subjects = Mailbox<String?>()
    try await Rig.run(
      configure: {
        try $0.useTLS()
        $0.tls?.clientCertificates = .optional(authority: .text(authority.certificate))
      },
      { server in
        server.session(at: "/who") { session in
          subjects.put(session.peerCertificateSubject)
          for try await message in session.messages { try await session.send(message) }
        }
      }
    ) { rig in
      var known = rig
      known.client.tls.certificate = .text(client.certificate)
      known.client.tls.key = .text(client.key)
      for (rig, subject) in [(rig, nil), (known, "CN=client 7"), (known, "CN=client 7")] {
        let session = try await rig.connect("/who", over: kind)
        #expect(try await subjects.next("a session opens") == subject)
        try await session.send("up and down")
        #expect(try await session.take() == Message("up and down"))
        session.close()
      }
    }
  }

  @Test(
    "Without the certificate that a server asks for, no session opens, and the reason says so",
    arguments: [TLSVersion.v1_2, .v1_3])
  func required(version: TLSVersion) async throws {
    let authority = try TLSIdentity(named: "authority", isAuthority: true)
    try await Rig.run(
      configure: {
        try $0.useTLS(version)
        $0.tls?.clientCertificates = .required(authority: .text(authority.certificate))
      }, Self.addEcho
    ) { rig in
      let attempt = try await failure("https://\(rig.address)/echo", rig.client)
      #expect(attempt != nil)
      if version == .v1_3 { #expect(attempt?.reason.contains("certificate") == true) }
    }
  }

  @Test("A server whose certificate cannot be read does not start, and says which file")
  func unreadable() async throws {
    var configuration = TriwireServer.Configuration()
    configuration.tls = TLSServerOptions(
      certificate: .file("/nowhere/certificate.pem"), key: .file("/nowhere/key.pem"))
    let server = TriwireServer(configuration: configuration)
    let error = await #expect(throws: IOError.self) { try await server.start(on: "127.0.0.1:0") }
    #expect(error?.description.contains("/nowhere/certificate.pem") == true)
    #expect(throws: IOError.self) { try server.reloadCertificate() }
  }
}
