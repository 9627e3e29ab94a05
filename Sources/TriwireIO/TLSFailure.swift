import CLinux

/// What can go wrong with TLS, as far as a program or its operator can do something about it.
public enum TLSFailure: Sendable, Hashable {
  /// No authority that is trusted here has signed the certificate.
  case unknownAuthority
  /// The certificate is signed by itself, and is not trusted here.
  case selfSigned
  /// The certificate's time is over.
  case expired
  /// The certificate's time has not come.
  case notYetValid
  /// The certificate is for other hosts.
  case wrongHost
  /// The certificate is not accepted for another reason.
  case badCertificate
  /// The client has to show a certificate and has shown none.
  case certificateRequired
  /// There is no version of TLS that both sides speak.
  case protocolVersion
  /// There is no cipher or curve that both sides use.
  case noSharedCipher
  /// There is no application protocol that both sides speak (RFC 7301).
  case noSharedProtocol
  /// The peer does not speak TLS.
  case notTLS
  /// The peer speaks HTTP without TLS.
  case plainHTTP
  /// The peer went away without ending TLS first, so that something may be missing.
  case closedEarly
  /// The handshake took too long.
  case deadlinePassed
  /// The peer broke the rules of TLS, or cannot be understood.
  case broken

  /// The failure in words, and what to change.
  public var words: String {
    switch self {
    case .unknownAuthority:
      "no trusted authority has signed the certificate: name its authority's file as caFile"
    case .selfSigned:
      "the certificate is self-signed and not trusted: name its file as caFile"
    case .expired: "the certificate has expired: renew it, or set the clock"
    case .notYetValid: "the certificate is not valid yet: set the clock"
    case .wrongHost: "the certificate is for other hosts"
    case .badCertificate: "the certificate is not accepted"
    case .certificateRequired:
      "the client shows no certificate and has to: set its certificate and key"
    case .protocolVersion:
      "both sides speak no common version of TLS: lower a minimumVersion or update the other side"
    case .noSharedCipher: "both sides have no common cipher or curve: update the other side"
    case .noSharedProtocol: "the client offers no HTTP/1.1 in ALPN, and nothing else is spoken"
    case .notTLS: "the peer does not speak TLS on this port: use http or ws"
    case .plainHTTP: "the peer speaks plain HTTP on a TLS port: use https or wss"
    case .closedEarly: "the peer ended the connection without ending TLS: something may be missing"
    case .deadlinePassed: "the peer did not finish the TLS handshake in time"
    case .broken: "the peer cannot be understood"
    }
  }

  /// The error of a connection that failed.
  static func error(_ raw: tw_tls_failure, reaching host: String?, isSecured: Bool) -> IOError {
    let operation =
      isSecured ? "use TLS" : host.map { "secure the connection to \($0)" } ?? "secure a connection"
    var copy = raw
    let failure = unsafe TLSFailure(tw_tls_failure_kind(&copy))
    let text = unsafe withUnsafeBytes(of: raw.text) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    // RFC 8446 §6: from here on reasons are alerts, which the peer sent about what we did.
    if raw.reason >= 1000 { return alert(operation, failure, text) }
    switch failure {
    case .wrongHost:
      return IOError(
        operation, tls: failure,
        reason: "the certificate is for other hosts, not \(host ?? ""): use a name it has")
    case .broken, .badCertificate:
      return IOError(operation, tls: failure, reason: "\(failure.words): \(text)")
    default: return IOError(operation, tls: failure)
    }
  }

  private static func alert(_ operation: String, _ failure: TLSFailure, _ text: String) -> IOError {
    switch failure {
    case .protocolVersion, .noSharedCipher, .noSharedProtocol, .certificateRequired:
      IOError(operation, tls: failure)
    default:
      IOError(operation, tls: failure, reason: "the peer refuses our part with the alert: \(text)")
    }
  }

  private init(_ kind: tw_tls_kind) {
    switch kind {
    case TW_TLS_NOT_TLS: self = .notTLS
    case TW_TLS_PLAIN_HTTP: self = .plainHTTP
    case TW_TLS_VERSION: self = .protocolVersion
    case TW_TLS_CIPHER: self = .noSharedCipher
    case TW_TLS_PROTOCOL: self = .noSharedProtocol
    case TW_TLS_NO_CERTIFICATE: self = .certificateRequired
    case TW_TLS_EXPIRED: self = .expired
    case TW_TLS_NOT_YET_VALID: self = .notYetValid
    case TW_TLS_SELF_SIGNED: self = .selfSigned
    case TW_TLS_UNKNOWN_AUTHORITY: self = .unknownAuthority
    case TW_TLS_WRONG_HOST: self = .wrongHost
    case TW_TLS_BAD_CERTIFICATE: self = .badCertificate
    default: self = .broken
    }
  }
}
