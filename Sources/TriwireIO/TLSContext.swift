import CLinux
import Glibc
import Synchronization

/// Options of TLS with all files read: what connections are made from.
///
/// May be used from any thread. It never changes: a new certificate is a new context.
@safe package final class TLSContext: @unchecked Sendable {
  // OpenSSL counts the owners of a context itself and locks what connections share.
  let pointer: OpaquePointer
  let isServer: Bool
  let verifiesPeer: Bool
  let serverName: String?
  let handshakeNanoseconds: UInt64
  /// What a server says to a client that speaks without TLS.
  let plainAnswer: [UInt8]
  let sessions: TLSSessionCache

  /// Reads a server's certificate and key.
  ///
  /// - Parameters:
  ///   - options: The options.
  ///   - plainAnswer: What to say to a client that speaks HTTP without TLS.
  /// - Throws: `IOError` that names what cannot be read or does not fit together.
  package init(_ options: TLSServerOptions, plainAnswer: [UInt8] = []) throws(IOError) {
    isServer = true
    serverName = nil
    sessions = TLSSessionCache(isOn: false)
    self.plainAnswer = plainAnswer
    handshakeNanoseconds = UInt64(max(0, options.handshakeSeconds) * 1e9)
    unsafe pointer = try Self.make(isServer: true, options.minimumVersion, options.maximumVersion)
    let mode: Int32
    let authority: PEMSource?
    switch options.clientCertificates {
    case .none: (mode, authority) = (0, nil)
    case .optional(let source): (mode, authority) = (1, source)
    case .required(let source): (mode, authority) = (2, source)
    }
    verifiesPeer = mode > 0
    try useIdentity(options.certificate, options.key)
    if let authority { try trust(authority) }
    unsafe tw_tls_verify(pointer, mode)
    _ = unsafe tw_tls_tickets(pointer, Int32(max(0, min(options.sessionTickets, 100))))
  }

  /// Reads a client's certificates.
  ///
  /// - Throws: `IOError` that names what cannot be read or does not fit together.
  package init(_ options: TLSClientOptions) throws(IOError) {
    isServer = false
    plainAnswer = []
    handshakeNanoseconds = 0
    serverName = options.serverName
    verifiesPeer = options.verifiesServer
    sessions = TLSSessionCache(isOn: options.resumesSessions)
    unsafe pointer = try Self.make(isServer: false, options.minimumVersion, options.maximumVersion)
    if let certificate = options.certificate {
      guard let key = options.key else {
        throw IOError("use a client's certificate", reason: "it has no key: set key as well")
      }
      try useIdentity(certificate, key)
    }
    if let authorities = options.caFile {
      try trust(authorities)
    } else if options.verifiesServer, unsafe tw_tls_trust_system(pointer) != 1 {
      throw IOError("read the system's authorities", reason: Self.lastError())
    }
    unsafe tw_tls_verify(pointer, options.verifiesServer ? 1 : 0)
  }

  deinit { unsafe tw_tls_context_free(pointer) }

  private static let clients = Mutex<[TLSClientOptions: TLSContext]>([:])
  /// Different options of clients that are kept at a time.
  private static let mostClients = 256

  /// The context of a client's options, shared by all who have the same.
  ///
  /// - Throws: As `init`.
  package static func shared(_ options: TLSClientOptions) throws(IOError) -> TLSContext {
    if let known = clients.withLock({ $0[options] }) { return known }
    let fresh = try TLSContext(options)
    return clients.withLock { clients in
      if let known = clients[options] { return known }
      if clients.count >= mostClients, let one = clients.keys.first { clients[one] = nil }
      clients[options] = fresh
      return fresh
    }
  }

  private static func make(
    isServer: Bool, _ minimum: TLSVersion, _ maximum: TLSVersion
  ) throws(IOError) -> OpaquePointer {
    guard minimum <= maximum else {
      throw IOError(
        "prepare TLS", reason: "minimumVersion is newer than maximumVersion: raise the latter")
    }
    guard
      let made = unsafe tw_tls_context_new(isServer ? 1 : 0, minimum.rawValue, maximum.rawValue)
    else { throw IOError("prepare TLS", reason: lastError()) }
    return unsafe made
  }

  private func useIdentity(_ certificate: PEMSource, _ key: PEMSource) throws(IOError) {
    let chain = try certificate.read("certificate")
    guard unsafe tw_tls_use_chain(pointer, chain, chain.count) == 1 else {
      throw IOError(
        "use \(certificate.name("certificate"))",
        reason: "it is no PEM certificate chain, the server's own first: \(Self.lastError())")
    }
    let secret = try key.read("key")
    guard unsafe tw_tls_use_key(pointer, secret, secret.count) == 1 else {
      throw IOError(
        "use \(key.name("key"))",
        reason: "it is no PEM key of the certificate, without a passphrase: \(Self.lastError())")
    }
  }

  private func trust(_ source: PEMSource) throws(IOError) {
    let authorities = try source.read("authorities")
    guard unsafe tw_tls_trust(pointer, authorities, authorities.count) == 1 else {
      throw IOError(
        "trust \(source.name("authorities"))",
        reason: "they are no PEM certificates: \(Self.lastError())")
    }
  }

  private static func lastError() -> String {
    var text = [CChar](repeating: 0, count: 160)
    unsafe tw_tls_last_error(&text, text.count)
    return String(
      decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension PEMSource {
  /// Longer files are none of certificates.
  private static let mostBytes = 16 << 20

  fileprivate func name(_ what: String) -> String {
    switch self {
    case .file(let path): "the \(what) in \(path)"
    case .text: "the \(what) given"
    }
  }

  fileprivate func read(_ what: String) throws(IOError) -> [UInt8] {
    let path: String
    switch self {
    case .text(let text): return Array(text.utf8)
    case .file(let file): path = file
    }
    let operation = "read \(name(what))"
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw IOError(operation, code: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16_384)
    while bytes.count <= Self.mostBytes {
      let count = unsafe Glibc.read(descriptor, &piece, piece.count)
      if count < 0 { throw IOError(operation, code: errno) }
      if count == 0 { return bytes }
      bytes += piece[..<count]
    }
    throw IOError(operation, reason: "the file is longer than \(Self.mostBytes) bytes")
  }
}
