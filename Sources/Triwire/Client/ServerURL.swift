import TriwireCodec

/// An address of a server: http, https, ws or wss, and what they share.
struct ServerURL: Sendable, Hashable, CustomStringConvertible {
  let isSecure: Bool
  /// In lower case, without brackets.
  let host: String
  let port: UInt16
  /// Path and query, beginning with "/".
  let target: String

  init(isSecure: Bool, host: String, port: UInt16, target: String) {
    self.isSecure = isSecure
    self.host = host
    self.port = port
    self.target = target
  }

  /// As an http or https URL.
  var description: String { "http\(isSecure ? "s" : "")://\(authority)\(target)" }

  /// Host and port, as CONNECT names them (RFC 9112 §3.2.3).
  var place: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Whether both are of one origin (RFC 9110 §4.3.1).
  func hasOrigin(of other: ServerURL) -> Bool {
    isSecure == other.isSecure && host == other.host && port == other.port
  }

  /// The value of `Host` (RFC 9110 §7.2): the port only when it is not the scheme's own.
  var authority: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
  }

  /// Reads an absolute URL; nil when it is none of these schemes or has no host.
  init?(_ text: String) {
    guard let colon = text.range(of: "://") else { return nil }
    switch text[..<colon.lowerBound].lowercased() {
    case "http", "ws": isSecure = false
    case "https", "wss": isSecure = true
    default: return nil
    }
    var rest = text[colon.upperBound...]
    if let hash = rest.firstIndex(of: "#") { rest = rest[..<hash] }
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    let target = String(rest[end...])
    self.target = target.hasPrefix("/") ? target : "/" + target
    var authority = rest[..<end]
    if let at = authority.lastIndex(of: "@") {
      authority = authority[authority.index(after: at)...]
    }
    guard let (host, port) = Self.split(authority, isSecure ? 443 : 80) else { return nil }
    self.host = host.lowercased()
    self.port = port
  }

  private static func split(_ authority: Substring, _ standard: UInt16) -> (String, UInt16)? {
    var host = authority
    var port = standard
    let bracket = authority.lastIndex(of: "]")
    if let colon = authority.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
      guard let number = UInt16(authority[authority.index(after: colon)...]) else { return nil }
      port = number
      host = authority[..<colon]
    }
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    return host.isEmpty ? nil : (String(host), port)
  }

  /// The target with more query items, whose values need no encoding.
  func target(adding items: String) -> String {
    if items.isEmpty { return target }
    return target + (target.contains("?") ? "&" : "?") + items
  }
}

extension String {
  /// Where another text first stands.
  func range(of other: String) -> Range<String.Index>? {
    guard let first = other.first else { return nil }
    var start = startIndex
    while let index = self[start...].firstIndex(of: first) {
      if self[index...].hasPrefix(other) {
        return index..<self.index(index, offsetBy: other.count)
      }
      start = self.index(after: index)
    }
    return nil
  }
}
