import TriwireCodec

/// What a client does when the opening request of a session is redirected (RFC 9110 §15.4).
///
/// The session's later requests go where the last redirect led; one of them that is redirected
/// itself ends the session.
public enum RedirectChoice: Sendable, Hashable {
  /// It is a failure, which names the place.
  case refused
  /// 301, 302, 303, 307 and 308 are followed, at most `limit` times one after the other.
  ///
  /// http and ws are one kind of URL, https and wss the other; from these to those nothing is
  /// followed. When the host, the port or the kind changes, the fields `authorization`, `cookie` and
  /// `proxy-authorization` of the configuration are left out from then on, and a `tls.serverName`
  /// when the host changes. Each hop has the time of a first one.
  case followed(limit: Int)
}

/// A server's answer that names another place.
struct Redirect: Sendable {
  let status: HTTPStatus
  private let places: [String]
  /// What the transport had added to the query, "a=b&c=d": it belongs to the request, not the URL.
  private let added: String

  /// The redirect in an answer; nil when it is none.
  init?(_ head: ResponseHead, added: String = "") {
    guard [301, 302, 303, 307, 308].contains(head.status.code) else { return nil }
    status = head.status
    places = head.headers.values(of: "location")
    self.added = added
  }

  /// The place it names, as it stands there; nil when there is not exactly one.
  var place: String? { places.count == 1 ? places[0] : nil }

  /// Where it leads from `url`; nil when that is no place a client can go to.
  func target(from url: ServerURL) -> ServerURL? {
    place.flatMap(url.resolving)?.removing(added.split(separator: "&").map(String.init))
  }
}

/// The way of one opening from URL to URL.
struct RedirectTrail {
  private var hops: [ServerURL]
  private let choice: RedirectChoice

  init(from url: ServerURL, _ choice: RedirectChoice) {
    hops = [url]
    self.choice = choice
  }

  /// What a failure of the last hop is told as.
  func described(_ reason: String) -> String {
    if hops.count == 1 { return reason }
    return "redirected by \(list(hops.dropLast())) to \(list(hops.suffix(1))): \(reason)"
  }

  /// The next URL.
  ///
  /// - Throws: `OpenFailure` when the redirect is not followed.
  mutating func follow(
    _ redirect: Redirect, _ failure: OpenFailure
  ) throws(OpenFailure) -> ServerURL {
    func refuse(_ words: String) -> OpenFailure {
      OpenFailure(reason: described("\(failure.reason) \(words)"), refusal: failure.refusal)
    }
    guard let place = redirect.place else { throw refuse("without naming one place to go to") }
    let shown = place.count > 300 ? "\(place.prefix(300))…" : place
    guard case .followed(let limit) = choice else {
      throw refuse("that leads to \(shown): use that URL, or set redirects to .followed(limit:)")
    }
    guard let current = hops.last, let next = redirect.target(from: current) else {
      throw refuse("that leads to \(shown), which is no http, https, ws or wss URL")
    }
    if current.isSecure, !next.isSecure {
      throw refuse("that leads to \(shown), which is not secure, so it is not followed")
    }
    if hops.contains(next) {
      throw OpenFailure(reason: "redirects go in a circle: \(list(hops + [next]))")
    }
    guard hops.count <= limit else {
      throw OpenFailure(
        reason: "more than \(max(limit, 0)) redirects: \(list(hops + [next])): raise redirects"
      )
    }
    hops.append(next)
    return next
  }

  private func list(_ hops: some Sequence<ServerURL>) -> String {
    hops.map { $0.description.count > 300 ? "\($0.description.prefix(300))…" : $0.description }
      .joined(separator: " -> ")
  }
}
