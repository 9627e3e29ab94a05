/// A version of TLS; older ones are not spoken (RFC 8996).
public enum TLSVersion: Int32, Sendable, Hashable, Comparable {
  /// TLS 1.2 (RFC 5246).
  case v1_2 = 0x0303
  /// TLS 1.3 (RFC 8446).
  case v1_3 = 0x0304

  /// Whether one is older than the other.
  public static func < (left: TLSVersion, right: TLSVersion) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// Certificates or a key in PEM (RFC 7468).
public enum PEMSource: Sendable, Hashable {
  /// In a file, which is read when it is needed.
  case file(String)
  /// The text itself.
  case text(String)
}

/// How a server secures its connections.
public struct TLSServerOptions: Sendable {
  /// The server's certificate, followed by those between it and its authority.
  public var certificate: PEMSource
  /// The key of the certificate; not protected by a passphrase.
  public var key: PEMSource
  /// The oldest version to speak; TLS 1.2 by default.
  public var minimumVersion = TLSVersion.v1_2
  /// The newest version to speak; TLS 1.3 by default.
  public var maximumVersion = TLSVersion.v1_3
  /// How many session tickets a client gets after a full TLS 1.3 handshake; 1 by default.
  ///
  /// Each is about a quarter of what the server sends in a handshake and lets a client resume once
  /// without being recognised by it (RFC 8446 §C.4); 0 turns resumption off, in TLS 1.2 as well.
  public var sessionTickets = 1
  /// Whether clients show certificates.
  public var clientCertificates = ClientCertificates.none
  /// Seconds a client may take for the handshake; 10 by default.
  public var handshakeSeconds = 10.0

  /// Whether clients show certificates, and who has to have signed them.
  public enum ClientCertificates: Sendable, Hashable {
    /// They are not asked for any.
    case none
    /// They may show one; a wrong one ends the connection.
    case optional(authority: PEMSource)
    /// They have to.
    case required(authority: PEMSource)
  }

  /// Names the certificate and its key; all else has defaults.
  public init(certificate: PEMSource, key: PEMSource) {
    self.certificate = certificate
    self.key = key
  }
}

/// How a client secures its connections to https and wss URLs.
///
/// What equal options load is loaded once in a process, and the sessions that servers give for
/// resuming are shared by all clients with equal options.
public struct TLSClientOptions: Sendable, Hashable {
  /// The authorities that are trusted; those of the system when nil.
  public var caFile: PEMSource?
  /// Whether the server's certificate is checked: its chain, its time and its host (RFC 9110
  /// §4.3.4).
  ///
  /// Without this anybody on the way can read and change everything.
  public var verifiesServer = true
  /// The host the certificate has to name, also sent as SNI; that of the URL when nil.
  public var serverName: String?
  /// The client's own certificate, for servers that ask for one.
  public var certificate: PEMSource?
  /// The key of the client's certificate.
  public var key: PEMSource?
  /// The oldest version to speak; TLS 1.2 by default.
  public var minimumVersion = TLSVersion.v1_2
  /// The newest version to speak; TLS 1.3 by default.
  public var maximumVersion = TLSVersion.v1_3
  /// Whether a second connection to a server resumes the session of the first; yes by default.
  public var resumesSessions = true

  /// The default options: the system's authorities, and full verification.
  public init() {}
}
