import TriwireCodec
import TriwireIO

/// Sessions that requests on other connections belong to, by name, for all loops of a server.
final class SessionDirectory: Sendable {
  /// What a session is found by: two paths may have sessions of one name.
  struct Key: Hashable, Sendable {
    let path: String
    let name: String
    /// The subject of the client's certificate, if clients show some: nobody else finds the session.
    let peer: String?
  }

  struct Entry: Sendable {
    let loop: EventLoop
    let carrier: any NamedTransport
  }

  private let entries = Guarded<[Key: Entry]>([:])
  private let homes = Guarded<[ServerLoop]>([])
  /// The resumable sessions, and for a while those that have ended.
  let resumable = ResumableSessions()

  /// Says which loops there are; once, before any session is entered.
  func setHomes(_ loops: [ServerLoop]) { homes.withLock { $0 = loops } }

  /// What the server keeps on a loop.
  func home(of loop: EventLoop) -> ServerLoop? {
    homes.withLock { homes in homes.first { $0.loop === loop } }
  }

  /// Enters a session, and returns the one that had the name before.
  func set(_ key: Key, _ entry: Entry) -> Entry? {
    entries.withLock { $0.updateValue(entry, forKey: key) }
  }

  subscript(_ key: Key) -> Entry? { entries.withLock { $0[key] } }

  /// Removes a session, unless its name belongs to another one by now.
  func remove(_ key: Key, _ carrier: any NamedTransport) {
    entries.withLock { entries in
      if entries[key]?.carrier === carrier { entries[key] = nil }
    }
  }

  /// Whether a client may call its session so: 8 to 64 letters, digits, "-" and "_".
  static func isName(_ name: String) -> Bool {
    let bytes = name.utf8
    return 8...64 ~= bytes.count
      && bytes.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }

  /// A name that cannot be guessed: 128 random bits in 22 characters.
  static func newName() -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var name: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in Digest.random(16) {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        name.append(alphabet[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { name.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
    return String(decoding: name, as: UTF8.self)
  }
}

/// A transport whose session has a name, so that requests of their own reach it.
protocol NamedTransport: Transport, Sendable {
  /// Takes the body of a POST; answers it, at once or when the session takes messages again.
  /// On the session's loop.
  func receive(_ post: ServerConnection.Post)
  /// The client said that the session ends.
  func closedByPeer(_ end: SessionEnd)
}
