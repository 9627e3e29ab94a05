import TriwireCodec
import TriwireIO

/// A proxy that opens tunnels: where it is, and what it is told of who asks.
struct ProxyServer: Sendable {
  let host: String
  let port: UInt16
  /// The value of `Proxy-Authorization`; nil without a name and password.
  let authorization: String?

  /// "127.0.0.1:3128"; never the password.
  var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Reads `[http://][NAME:PASSWORD@]HOST[:PORT][/]`.
  ///
  /// - Parameters:
  ///   - text: The proxy.
  ///   - source: Who says so, for the error.
  /// - Throws: `ProxyFailure` when it is something else, or a proxy of another kind.
  init(_ text: String, from source: String) throws(ProxyFailure) {
    var rest = text[...]
    if let end = text.range(of: "://") {
      let scheme = text[..<end.lowerBound].lowercased()
      guard scheme == "http" else {
        throw ProxyFailure(
          "\(source) names a proxy of the scheme \(scheme.debugDescription), which is not spoken: "
            + "write an HTTP proxy, such as http://127.0.0.1:3128")
      }
      rest = text[end.upperBound...]
    }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    var user: Substring?
    if let at = rest.lastIndex(of: "@") {
      user = rest[..<at]
      rest = rest[rest.index(after: at)...]
    }
    // The text may have a password in it, and is not repeated.
    guard !rest.contains(where: { "/?#".contains($0) }), let place = ServerURL("http://\(rest)/")
    else {
      throw ProxyFailure(
        "\(source) is not the URL of a proxy: write it like http://127.0.0.1:3128 or "
          + "http://NAME:PASSWORD@127.0.0.1:3128, special characters percent-encoded")
    }
    host = place.host
    port = place.port
    authorization = try user.map { user throws(ProxyFailure) in try Self.basic(user, source) }
  }

  /// RFC 7617 §2: the name has no colon, the password may, and both are UTF-8.
  private static func basic(_ user: Substring, _ source: String) throws(ProxyFailure) -> String {
    let halves = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = PercentCoding.decoded(String(halves[0]))
    let password = halves.count > 1 ? PercentCoding.decoded(String(halves[1])) : []
    guard !name.contains(UInt8(ascii: ":")),
      (name + password).allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
    else {
      throw ProxyFailure(
        "\(source) has a name or password that Basic authentication cannot carry: no colon in the "
          + "name, no control characters")
    }
    let bytes = name + [UInt8(ascii: ":")] + password
    let text = [UInt8](capacity: Base64.encodedCount(bytes.count)) {
      Base64.encode(bytes.span, into: &$0)
    }
    return "Basic " + String(decoding: text, as: UTF8.self)
  }
}

extension ProxyChoice {
  /// The proxy for a URL, or nil.
  func server(for url: ServerURL) throws(ProxyFailure) -> ProxyServer? {
    switch self {
    case .none: return nil
    case .url(let text): return try ProxyServer(text, from: "configuration.proxy")
    case .environment:
      guard let (variable, text) = ProxyEnvironment().proxy(for: url) else { return nil }
      return try ProxyServer(text, from: "the environment variable \(variable)")
    }
  }
}

/// What is wrong with a proxy, and so with every transport.
struct ProxyFailure: Error, CustomStringConvertible {
  let description: String
  /// Its refusal, when it refused.
  let refusal: ConnectError.Refusal?

  init(_ description: String, refusal: ConnectError.Refusal? = nil) {
    self.description = description
    self.refusal = refusal
  }
}
