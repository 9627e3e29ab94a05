import Glibc
import TriwireIO

/// What the environment says of proxies; the rules are those of `ProxyChoice.environment`.
package struct ProxyEnvironment {
  private let variable: (String) -> String?

  /// Takes the variables from a dictionary.
  package init(_ variables: [String: String]) { variable = { variables[$0] } }

  /// Takes the variables of this process.
  init() {
    variable = { name in
      // The bytes are copied before anything else can run on this thread.
      unsafe getenv(name).map { unsafe String(cString: $0) }
    }
  }

  /// The proxy for a URL and the variable that names it; nil when it is reached without one.
  package func proxy(for url: String) -> (variable: String, text: String)? {
    ServerURL(url).flatMap(proxy(for:))
  }

  func proxy(for url: ServerURL) -> (variable: String, text: String)? {
    let own = url.isSecure ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy"]
    guard let found = first(of: own + ["all_proxy", "ALL_PROXY"]), !isExempt(url) else {
      return nil
    }
    return found
  }

  private func first(of names: [String]) -> (variable: String, text: String)? {
    for name in names {
      if let text = variable(name), !text.isEmpty { return (name, text) }
    }
    return nil
  }

  private func isExempt(_ url: ServerURL) -> Bool {
    guard let list = first(of: ["no_proxy", "NO_PROXY"]) else { return false }
    return list.text.lowercased().split(separator: ",").contains { member in
      Self.matches(member.filter { !$0.isWhitespace }, url)
    }
  }

  private static func matches(_ member: String, _ url: ServerURL) -> Bool {
    if member == "*" { return true }
    guard let (host, port) = split(member) else { return false }
    if let port, port != url.port { return false }
    if let address = SocketAddress(host: url.host, port: 0) {
      return SocketAddress(host: host, port: 0)?.host == address.host
    }
    let name = withoutDots(host.hasPrefix("*.") ? String(host.dropFirst()) : host)
    let own = withoutDots(url.host)
    return !name.isEmpty && (own == name || own.hasSuffix(".\(name)"))
  }

  /// The halves of a member; nil when there is something behind a colon that is no port.
  private static func split(_ member: String) -> (host: String, port: UInt16?)? {
    let colons = member.filter { $0 == ":" }.count
    guard colons == 1 || colons > 1 && member.hasPrefix("[") && !member.hasSuffix("]") else {
      return (member, nil)
    }
    return SocketAddress.split(member).map { ($0.host, $0.port) }
  }

  private static func withoutDots(_ name: String) -> String {
    var name = name[...]
    if name.hasPrefix(".") { name = name.dropFirst() }
    if name.hasSuffix(".") { name = name.dropLast() }
    return String(name)
  }
}
