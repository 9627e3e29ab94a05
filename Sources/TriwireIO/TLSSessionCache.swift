import CLinux
import Synchronization

/// What a client needs to resume a TLS session.
@safe final class TLSSession: @unchecked Sendable {
  // OpenSSL's sessions may be used by several threads, and count their owners.
  let pointer: OpaquePointer

  /// Takes over a session that OpenSSL has handed out.
  init(owning pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }

  deinit { unsafe tw_tls_session_free(pointer) }
}

/// The newest session of each server that a client has spoken to; used from any thread.
final class TLSSessionCache: Sendable {
  private let kept = Mutex<[String: TLSSession]>([:])
  private let isOn: Bool

  /// Servers whose sessions are kept at a time.
  private static let mostServers = 256

  init(isOn: Bool) { self.isOn = isOn }

  func session(for place: String) -> TLSSession? { kept.withLock { $0[place] } }

  func keep(_ session: TLSSession, for place: String) {
    guard isOn else { return }
    kept.withLock { kept in
      if kept[place] == nil, kept.count >= Self.mostServers, let one = kept.keys.first {
        kept[one] = nil
      }
      kept[place] = session
    }
  }
}
