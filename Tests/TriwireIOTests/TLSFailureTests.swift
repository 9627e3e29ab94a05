import Testing
import TestSupport
import TriwireIO

@Suite("TLS: what is refused, and why", .takesTurns)
struct TLSFailureTests {
  @Test("A certificate for another host is refused, by name and by address")
  func wrongHost() async throws {
    let certificates = try Certificates(hosts: ["example.org", "10.0.0.1"])
    try await withSecureLobby(certificates.serving) { lobby, group in
      for (host, reason) in [
        ("localhost", .wrongHost), ("127.0.0.1", .wrongHost), ("www.example.org", .wrongHost),
        ("example.org", nil), ("10.0.0.1", nil),
      ] as [(String, TLSFailure?)] {
        let told = try await lobby.attempt(certificates.trusting, on: group.next(), host: host)
        #expect(told == reason, "\(host)")
      }
    }
  }

  @Test("An unknown authority, a self-signed certificate, an expired and a future one are refused")
  func certificates() async throws {
    let known = try Certificates()
    let own = try TLSIdentity.selfSigned()
    let cases: [(TLSServerOptions, TLSFailure)] = [
      (try Certificates().serving, .unknownAuthority),
      (
        Certificates.serving(own), .selfSigned
      ),
      (try known.serving(-7200 ..< -3600), .expired),
      (try known.serving(3600..<7200), .notYetValid),
    ]
    for (serving, reason) in cases {
      try await withSecureLobby(serving) { lobby, group in
        let server = Recorder()
        #expect(try await lobby.attempt(known.trusting, on: group.next(), server) == reason)
        // The server learns of it by the alert.
        guard case .failed(let error) = try await server.end() else {
          Issue.record("the server was not told")
          return
        }
        #expect(error.tls != nil && error.reason.contains("alert"))
        // Who asks for no verification gets none.
        var careless = known.trusting
        careless.verifiesServer = false
        #expect(try await lobby.attempt(careless, on: group.next()) == nil)
      }
    }
  }

  @Test("Both sides learn that they have no version in common")
  func version() async throws {
    let certificates = try Certificates()
    var serving = certificates.serving
    serving.minimumVersion = .v1_3
    try await withSecureLobby(serving) { lobby, group in
      var old = certificates.trusting
      old.maximumVersion = .v1_2
      let server = Recorder()
      let told = try await lobby.attempt(old, on: group.next(), server)
      #expect(told == .protocolVersion)
      #expect(try await server.failure() == .protocolVersion)
    }
  }

  @Test("A peer of plain HTTP gets the answer prepared for it, whole, and the stream fails")
  func plainHTTP() async throws {
    let answer = "HTTP/1.1 400 Bad Request\r\n\r\nuse https\r\n"
    try await withSecureLobby(try Certificates().serving, plainAnswer: answer) { lobby, _ in
      let peer = try RawPeer(to: lobby.address)
      try await peer.send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
      let server = Recorder()
      _ = try await lobby.accept(server)
      #expect(try await server.failure() == .plainHTTP)
      #expect(String(decoding: try await peer.receiveAll(), as: UTF8.self) == answer)
    }
  }

  @Test("A server that does not speak TLS, or leaves in the handshake, is named as such")
  func notTLS() async throws {
    let trusting = try Certificates().trusting
    try await withLobby { lobby, group in
      for (answer, reason) in [
        ("HTTP/1.1 400 Bad Request\r\n\r\n", TLSFailure.notTLS), ("", .closedEarly),
      ] {
        async let server = lobby.accept(Recorder())
        let address = lobby.address
        let stream = try await Connector.connect(to: [address], on: group.next())
        let accepted = try await server
        let told = Task {
          try await failure {
            try await stream.secured(
              reaching: "localhost", port: 1, try TLSContext.shared(trusting),
              within: 1_000_000_000_000)
          }
        }
        try await accepted.loop.wait("the client's greeting comes") {
          accepted.counters.bytesReceived > 0
        }
        try await accepted.loop.run {
          accepted.write(Array(answer.utf8).span)
          accepted.close()
        }
        #expect(try await told.value == reason)
      }
    }
  }

  @Test("Who connects and says nothing is let go when its time is over")
  func deadline() async throws {
    var serving = try Certificates().serving
    serving.handshakeSeconds = 0.05
    try await withSecureLobby(serving) { lobby, _ in
      let peer = try RawPeer(to: lobby.address)
      let server = Recorder()
      _ = try await lobby.accept(server)
      #expect(try await server.failure() == .deadlinePassed)
      #expect(try await peer.receiveAll() == [])
    }
  }

  @Test(
    "A client's certificate is asked for, checked and named", arguments: TLSStreamTests.versions)
  func clientCertificate(version: TLSVersion) async throws {
    let certificates = try Certificates()
    let stranger = try Certificates()
    var serving = certificates.serving
    serving.maximumVersion = version
    serving.clientCertificates = .required(authority: .text(certificates.authority.certificate))
    try await withSecureLobby(serving) { lobby, group in
      var known = certificates.trusting
      known.certificate = .text(certificates.client.certificate)
      known.key = .text(certificates.client.key)
      let (near, far) = (Recorder(), Recorder())
      let pair = try await lobby.pair(known, on: group.next(), near, far)
      try await pair.near.send([1])
      _ = try await far.bytes(1)
      #expect(
        try await pair.far.loop.run { pair.far.agreement?.peerSubject } == "CN=client 7")

      var foreign = certificates.trusting
      foreign.certificate = .text(stranger.client.certificate)
      foreign.key = .text(stranger.client.key)
      let refused = [
        (certificates.trusting, TLSFailure.certificateRequired), (foreign, .unknownAuthority),
      ]
      for (options, reason) in refused {
        let server = Recorder()
        async let accepted = lobby.accept(server)
        let client = Recorder()
        // In TLS 1.3 the client is done before the server has looked.
        let told = try await failure {
          let stream = try await lobby.connect(options, on: group.next())
          try await stream.loop.run { stream.start(client) }
          guard case .failed(let error) = try await client.end() else { return }
          throw error
        }
        _ = try await accepted
        #expect(try await server.failure() == reason)
        #expect(told != nil)
      }
    }
  }

  @Test("What cannot be used as a certificate or key is refused with the reason")
  func unusable() throws {
    let (one, other) = (try TLSIdentity.selfSigned(), try TLSIdentity.selfSigned())
    let cases: [(PEMSource, PEMSource, String)] = [
      (.text("nothing"), .text(one.key), "no PEM certificate chain"),
      (.text(one.certificate), .text(one.certificate), "no PEM key"),
      (.text(one.certificate), .text(other.key), "no PEM key of the certificate"),
      (.file("/nowhere/a.pem"), .text(one.key), "No such file"),
    ]
    for (certificate, key, reason) in cases {
      let error = #expect(throws: IOError.self) {
        _ = try TLSContext(TLSServerOptions(certificate: certificate, key: key))
      }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
  }
}

extension Certificates {
  /// A server's options with a certificate of other dates.
  func serving(_ seconds: Range<Int>) throws -> TLSServerOptions {
    let dated = try TLSIdentity(
      named: "server", hosts: ["localhost"], seconds: seconds, issuer: authority)
    return Self.serving(dated)
  }
}
