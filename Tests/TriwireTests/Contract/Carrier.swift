import Testing
import TestSupport
import Triwire

/// One way to carry sessions, as the contract suite wants it: it makes connected pairs.
///
/// Whoever writes another `Transport` adds an entry to `all`, and every behaviour of the suites in
/// this folder is tested on it.
struct Carrier: Sendable, CustomTestStringConvertible {
  /// Its name in the tests' output.
  let name: String
  /// Opens a session, and hands out both of its ends.
  let open: @Sendable (Terms) async throws -> Pair

  var testDescription: String { name }

  /// Those that end with their connection.
  static let plain =
    TransportKind.allCases.map { Carrier.shipped($0) }
    + TransportKind.allCases.map { Carrier.shipped($0, isSecured: true) }

  static let all = plain + TransportKind.allCases.map { Carrier.shipped($0, isResumable: true) }

  /// Those that compress, and what they have in common with the others: how much waits in sockets,
  /// counted in messages, is not.
  static let allWithCompressed =
    all + TransportKind.allCases.map { Carrier.shipped($0, isCompressed: true) }
}

/// What a test wants of a pair.
struct Terms: Sendable {
  var server = SessionLimits.patient
  var client = SessionLimits.patient
  /// What runs on the server for the session; it ends when this returns.
  var handler: @Sendable (Session) async throws -> Void = { session in _ = await session.ended() }
}

/// Both ends of one session.
struct Pair: Sendable {
  let client: Session
  let server: Session
  /// Takes away what carried them.
  let end: @Sendable () async throws -> Void

  /// The ends with their peers, for what goes both ways.
  var directions: [(from: Session, to: Session)] { [(client, server), (server, client)] }
}

extension Carrier {
  /// Runs `body` with a pair that is taken away afterwards.
  func withPair(
    _ terms: Terms = Terms(), _ body: @escaping @Sendable (Pair) async throws -> Void
  ) async throws {
    let pair = try await open(terms)
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(pair))
    } catch {
      result = .failure(error)
    }
    try await pair.end()
    try result.get()
  }

  /// A transport of this library, between its own client and server.
  static func shipped(
    _ kind: TransportKind, isSecured: Bool = false, isCompressed: Bool = false,
    isResumable: Bool = false
  ) -> Carrier {
    let what = [
      (isSecured, " over TLS"), (isCompressed, ", compressed"), (isResumable, ", resumable"),
    ]
    let name = kind.rawValue + what.filter(\.0).map(\.1).joined()
    return Carrier(name: name) { terms in
      let sessions = Mailbox<Session>()
      var rig = try await Rig.start(
        session: terms.server, client: terms.client,
        configure: { configuration in
          if isSecured { try configuration.useTLS() }
          if isCompressed {
            (configuration.deflate, configuration.gzip) = (DeflateOptions(), GzipOptions())
          }
          // A client that died is missed soon.
          configuration.resume.awaySeconds = 0.2
        }
      ) { server in
        server.session(at: "/pair") { session in
          sessions.put(session)
          try await terms.handler(session)
        }
      }
      if isResumable { rig.client.resume = ResumeOptions() }
      if isCompressed { (rig.client.deflate, rig.client.gzip) = (DeflateOptions(), GzipOptions()) }
      let started = rig
      do {
        let client = try await rig.connect("/pair", over: kind)
        let server = try await sessions.next("the server's end of the session")
        return Pair(client: client, server: server) { try await started.stop() }
      } catch {
        try await rig.stop()
        throw error
      }
    }
  }
}
