import TriwireIO

/// What a session tells of itself.
extension Session {
  /// What was moved so far.
  public func traffic() async -> Traffic {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in unsafe continuation.resume(returning: trafficNow) }
    }
  }

  /// What was moved so far.
  ///
  /// On the loop.
  public var trafficNow: Traffic {
    if let past = rare?.past { return past.traffic }
    var traffic = carrier?.traffic ?? Traffic()
    // Below HTTP, where the streams are: no transport has to know of it.
    traffic.sent.tls = traffic.streams.reduce(0) { $0 &+ $1.tlsSent }
    traffic.received.tls = traffic.streams.reduce(0) { $0 &+ $1.tlsReceived }
    if let link = rare?.link {
      traffic.sent = traffic.sent + link.beside.sent
      traffic.received = traffic.received + link.beside.received
    }
    return traffic
  }

  /// When the steps of the opening were done; all 0 on the server's side.
  ///
  /// On the loop.
  public var opening: Opening { rare?.opening?.times ?? Opening() }

  /// The WebSocket subprotocol that both sides agreed on (RFC 6455 §1.9), or nil.
  ///
  /// On the loop.
  public var subprotocol: String? { rare?.subprotocol }

  /// The subject of the client's certificate (RFC 2253 text, such as "CN=client 7"), that of the
  /// connection that opened the session; nil when it showed none, or was not asked
  /// (`TLSServerOptions.clientCertificates`), and on the client's side.
  ///
  /// On the loop.
  public var peerCertificateSubject: String? { rare?.peerCertificateSubject }

  func setPeerCertificateSubject(_ subject: String?) {
    if let subject { needRare().peerCertificateSubject = subject }
  }

  func setSubprotocol(_ name: String?) {
    if let name { needRare().subprotocol = name }
  }

  /// The last round-trip time that a ping measured, in nanoseconds; nil before the first, and on
  /// transports that have no ping.
  ///
  /// On the loop.
  public var roundTripNanoseconds: UInt64? { (carrier as? WebSocketTransport)?.roundTrip }

  /// Pings the peer of a WebSocket and waits for the answer.
  ///
  /// - Returns: The round-trip time in nanoseconds; nil when the session ends first, or is carried
  ///   by a transport that has no ping.
  public func ping() async -> UInt64? {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        guard isOpen, let socket = carrier as? WebSocketTransport else {
          return unsafe continuation.resume(returning: nil)
        }
        socket.ping { unsafe continuation.resume(returning: $0) }
      }
    }
  }
}
