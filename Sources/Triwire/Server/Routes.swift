import TriwireCodec

/// What a server does at each of its paths.
struct Routes {
  typealias AsyncSession = @Sendable (Session) async throws -> Void
  typealias SynchronousSession = @Sendable (Session) -> Void
  typealias AsyncRequest = @Sendable (Request) async throws -> Response
  typealias SynchronousRequest = @Sendable (Request) -> Response

  enum SessionHandler: Sendable {
    case async(AsyncSession)
    case synchronous(SynchronousSession)
  }

  enum RequestHandler: Sendable {
    case async(AsyncRequest)
    case synchronous(SynchronousRequest)
  }

  /// What is served at one path.
  final class Route: Sendable {
    let session: SessionHandler?
    let options: RouteOptions
    /// The limits of the route's sessions, where it has its own.
    let limits: SharedLimits?
    let requests: [(methods: [HTTPMethod]?, handler: RequestHandler)]
    /// What serves GET, which most requests are.
    private let get: RequestHandler?

    init(
      session: SessionHandler? = nil, options: RouteOptions = RouteOptions(),
      requests: [(methods: [HTTPMethod]?, handler: RequestHandler)] = []
    ) {
      self.session = session
      self.options = options
      limits = options.limits.map(SharedLimits.init)
      self.requests = requests
      get = Self.handler(of: .get, in: requests)
    }

    /// The handler of a method; HEAD is served by that of GET (RFC 9110 §9.3.2).
    func handler(of method: HTTPMethod) -> RequestHandler? {
      if method == .get { return get }
      return Self.handler(of: method, in: requests) ?? (method == .head ? get : nil)
    }

    private static func handler(
      of method: HTTPMethod, in requests: [(methods: [HTTPMethod]?, handler: RequestHandler)]
    ) -> RequestHandler? {
      requests.first { $0.methods?.contains(method) ?? true }?.handler
    }

    /// The value of `Allow` in a 405 (RFC 9110 §15.5.6).
    var allowed: String {
      var names = requests.flatMap { $0.methods ?? [] }.map(\.rawValue)
      if names.contains("GET") { names.append("HEAD") }
      if session != nil { names += ["DELETE", "GET", "POST"] }
      return Array(Set(names)).sorted().joined(separator: ", ")
    }
  }

  private var exact: [String: Route] = [:]
  /// Patterns that end in `/{name}`, by what precedes the name.
  private var prefixes: [(prefix: String, route: Route)] = []

  /// The longest parameter, in bytes.
  static let parameterBytes = 255

  /// Serves sessions at a path.
  mutating func add(_ handler: SessionHandler, _ options: RouteOptions, at pattern: String) {
    let old = route(of: pattern)
    precondition(old?.session == nil, "sessions are served at \(pattern) already")
    set(Route(session: handler, options: options, requests: old?.requests ?? []), at: pattern)
  }

  /// Serves requests at a path.
  mutating func add(_ handler: RequestHandler, _ methods: [HTTPMethod]?, at pattern: String) {
    let old = route(of: pattern)
    set(
      Route(
        session: old?.session, options: old?.options ?? RouteOptions(),
        requests: (old?.requests ?? []) + [(methods, handler)]),
      at: pattern)
  }

  private static func prefix(of pattern: String) -> String? {
    precondition(pattern.hasPrefix("/"), "a path begins with \"/\": \(pattern)")
    guard pattern.hasSuffix("}"), let brace = pattern.lastIndex(of: "{") else { return nil }
    let prefix = String(pattern[..<brace])
    precondition(prefix.hasSuffix("/"), "{name} stands for a whole segment: \(pattern)")
    return prefix
  }

  private func route(of pattern: String) -> Route? {
    guard let prefix = Self.prefix(of: pattern) else { return exact[pattern] }
    return prefixes.first { $0.prefix == prefix }?.route
  }

  private mutating func set(_ route: Route, at pattern: String) {
    guard let prefix = Self.prefix(of: pattern) else {
      exact[pattern] = route
      return
    }
    prefixes.removeAll { $0.prefix == prefix }
    prefixes.append((prefix, route))
    prefixes.sort { $0.prefix.utf8.count > $1.prefix.utf8.count }
  }

  /// The route of a request's path, and what its parameter stands for.
  func find(_ path: String) -> (route: Route, parameter: String)? {
    if let route = exact[path] { return (route, "") }
    for (prefix, route) in prefixes where path.hasPrefix(prefix) {
      let parameter = path.dropFirst(prefix.count)
      let length = parameter.utf8.count
      guard length > 0, length <= Self.parameterBytes, !parameter.contains("/") else { continue }
      return (route, String(parameter))
    }
    return nil
  }
}
