/// References to URLs, as a `Location` has them (RFC 9110 §10.2.2).
extension ServerURL {
  /// The URL that a reference means here (RFC 3986 §5.2); nil when that is no server's.
  func resolving(_ reference: String) -> ServerURL? {
    let whole = reference.prefix { $0 != "#" }
    // What could not stand in a request line is no URI.
    guard whole.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else { return nil }
    if Self.hasScheme(whole) { return ServerURL(String(whole))?.withoutDots }
    if whole.hasPrefix("//") {
      return ServerURL((isSecure ? "https:" : "http:") + whole)?.withoutDots
    }
    let (path, query) = Self.split(whole)
    let (ownPath, ownQuery) = Self.split(target[...])
    if path.isEmpty { return at(String(ownPath), query ?? ownQuery) }
    if path.hasPrefix("/") { return at(Self.removingDots(path), query) }
    let folder = ownPath[...(ownPath.lastIndex(of: "/") ?? ownPath.startIndex)]
    return at(Self.removingDots(folder + path), query)
  }

  /// The same without these items of its query.
  func removing(_ items: [String]) -> ServerURL {
    let (path, query) = Self.split(target[...])
    guard let query, !items.isEmpty else { return self }
    let rest = query.split(separator: "&", omittingEmptySubsequences: false)
      .filter { !items.contains(String($0)) }
    return at(String(path), rest.isEmpty ? nil : rest.joined(separator: "&")[...])
  }

  private var withoutDots: ServerURL {
    let (path, query) = Self.split(target[...])
    return at(Self.removingDots(path), query)
  }

  private func at(_ path: String, _ query: Substring?) -> ServerURL {
    ServerURL(
      isSecure: isSecure, host: host, port: port, target: path + (query.map { "?\($0)" } ?? ""))
  }

  private static func hasScheme(_ reference: Substring) -> Bool {
    guard let colon = reference.firstIndex(where: { ":/?".contains($0) }) else { return false }
    return reference[colon] == ":" && colon > reference.startIndex
  }

  private static func split(_ target: Substring) -> (path: Substring, query: Substring?) {
    guard let mark = target.firstIndex(of: "?") else { return (target, nil) }
    return (target[..<mark], target[target.index(after: mark)...])
  }

  /// RFC 3986 §5.2.4, of a path that begins with "/".
  private static func removingDots(_ path: Substring) -> String {
    var kept: [Substring] = []
    let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    for (index, segment) in segments.enumerated() {
      switch segment {
      case ".": break
      case "..": _ = kept.popLast()
      default:
        kept.append(segment)
        continue
      }
      // A dot that stands last is a folder.
      if index == segments.count - 1 { kept.append("") }
    }
    return "/" + kept.joined(separator: "/")
  }
}
