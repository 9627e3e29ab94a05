import TriwireCodec
import TriwireIO

/// Everything a client's transport needs to open connections to its server.
final class Dialer: Sendable {
  let url: ServerURL
  let addresses: [SocketAddress]
  let loop: EventLoop
  let configuration: TriwireClient.Configuration
  let sessionLimits: SharedLimits
  /// The resumable session that the requests are for, if they are for one.
  let link: ClientLink?
  private let isProbe: Bool
  /// What the streams lead to first; nil without one.
  private let proxy: ProxyServer?
  /// What secures the streams; nil without TLS.
  private let tls: TLSContext?
  /// Used on the loop alone.
  nonisolated(unsafe) let deflatePool = DeflatePool()

  /// Finds out whether a proxy is on the way, and where to connect to.
  ///
  /// - Throws: `ProxyFailure`, or `IOError` when a name does not resolve or TLS cannot be set up.
  init(
    url: ServerURL, loop: EventLoop, configuration: TriwireClient.Configuration,
    link: ClientLink? = nil
  ) async throws {
    self.link = link
    isProbe = false
    self.url = url
    self.loop = loop
    self.configuration = configuration
    sessionLimits = SharedLimits(configuration.session)
    tls = url.isSecure ? try TLSContext.shared(configuration.tls) : nil
    proxy = try configuration.proxy.server(for: url)
    // A proxy resolves the server's name itself.
    do {
      addresses = try await SocketAddress.resolve(
        host: proxy?.host ?? url.host, port: proxy?.port ?? url.port)
    } catch {
      guard let proxy else { throw error }
      throw ProxyFailure("the proxy \(proxy.description) is not found: \(error)")
    }
  }

  private init(_ other: Dialer, _ link: ClientLink?, isProbe: Bool) {
    url = other.url
    addresses = other.addresses
    loop = other.loop
    configuration = other.configuration
    sessionLimits = other.sessionLimits
    tls = other.tls
    proxy = other.proxy
    self.link = link
    self.isProbe = isProbe
  }

  /// The same, for a resumable session.
  func linked(to link: ClientLink) -> Dialer { Dialer(self, link, isProbe: false) }

  /// The same, for requests that leave the session where it is.
  func probing() -> Dialer { Dialer(self, link, isProbe: true) }

  /// A dialer for the place that this one's server redirects to.
  func redirected(to next: ServerURL) async throws -> Dialer {
    var configuration = configuration
    if !next.hasOrigin(of: url) {
      for name in ["authorization", "cookie", "proxy-authorization"] {
        configuration.headers.remove(name)
      }
    }
    if next.host != url.host { configuration.tls.serverName = nil }
    let dialer = try await Dialer(
      url: next, loop: loop, configuration: configuration, link: link)
    return isProbe ? dialer.probing() : dialer
  }

  /// Opens a stream on the loop: through the proxy if there is one, and secured when the URL says
  /// so.
  func open() async throws -> ByteStream {
    let stream = try await connect()
    let timeout = configuration.connectSeconds.nanoseconds
    do {
      if let proxy {
        try await ProxyTunnel.open(
          stream, to: url.place, through: proxy, limits: configuration.http, within: timeout)
      }
      if let tls {
        try await stream.secured(reaching: url.host, port: url.port, tls, within: timeout)
      }
      return stream
    } catch {
      loop.execute { stream.abort() }
      throw error
    }
  }

  private func connect() async throws -> ByteStream {
    var options = Connector.Options()
    options.timeoutNanoseconds = configuration.connectSeconds.nanoseconds
    options.source = configuration.source
    options.maximumSegment = configuration.maximumSegment
    options.receiveBuffer = configuration.receiveBuffer
    options.congestionControl = configuration.congestionControl
    do {
      return try await Connector.connect(to: addresses, on: loop, options: options)
    } catch let error as IOError {
      guard let proxy else { throw error }
      throw ProxyFailure("the proxy \(proxy.description) cannot be reached: \(error)")
    }
  }

  /// Opens a stream and hands it to `done` on the loop.
  func open(_ done: @escaping @Sendable (Result<ByteStream, any Error>) -> Void) {
    Task(executorPreference: loop) { [self] in
      let result: Result<ByteStream, any Error>
      do {
        result = .success(try await open())
      } catch {
        result = .failure(error)
      }
      loop.execute { done(result) }
    }
  }

  /// A request with the header fields of the configuration.
  func request(_ method: HTTPMethod, _ target: String, _ headers: Headers = [:]) -> RequestHead {
    var all: Headers = ["host": url.authority]
    for (name, value) in configuration.headers { all.append(name, value) }
    if let fields = configuration.fieldsOfRequest {
      for (name, value) in fields(method, headers) { all.append(name, value) }
    }
    for (name, value) in headers { all.append(name, value) }
    if let link { all.append(SessionToken.field, link.token(isProbe: isProbe).text) }
    return RequestHead(method: method, target: target, headers: all)
  }

  /// What an answer that carries messages is asked for with: `Accept`, and which codings it may have.
  func accepting(_ type: String?) -> Headers {
    var headers: Headers = [:]
    if let type { headers.append("accept", type) }
    if configuration.gzip != nil { headers.append("accept-encoding", "gzip") }
    return headers
  }

  /// The limits of answers that carry messages.
  var limits: HTTPLimits {
    var limits = configuration.http
    limits.bodyBytes = Int.max
    return limits
  }
}

/// A transport of a client before its session is open.
protocol ClientTransport: Transport {
  /// Begins; calls `done` on the loop once, with a session or the reason why there is none.
  func open(_ stream: ByteStream, _ done: @escaping (Result<Session, OpenFailure>) -> Void)
  /// Gives up, when the opening takes too long.
  func giveUp()
}

/// Why a transport did not open.
struct OpenFailure: Error {
  let reason: String
  /// How the server says that the session has ended, if it does.
  var end: SessionEnd?
  /// The server's answer, when it refused.
  var refusal: ConnectError.Refusal?
  /// Where the server wants the client to go instead.
  var redirect: Redirect?

  init(
    reason: String, refusal: ConnectError.Refusal? = nil, redirect: Redirect? = nil,
    end: SessionEnd? = nil
  ) {
    self.reason = reason
    self.refusal = refusal
    self.redirect = redirect
    self.end = end
  }

  /// A server's answer that opens nothing.
  ///
  /// - Parameters:
  ///   - answered: What it answered, in words.
  ///   - status: Its status.
  ///   - text: Its body.
  ///   - redirect: Where it leads, if it does.
  ///   - end: How it says that the session has ended, if it does.
  init(
    _ answered: String, _ status: HTTPStatus, _ text: RefusalText = RefusalText(),
    redirect: Redirect? = nil, end: SessionEnd? = nil
  ) {
    self.init(
      reason: text.line.isEmpty ? answered : "\(answered): \(text.line)",
      refusal: ConnectError.Refusal(status: status, text: text.line, isByProxy: false),
      redirect: redirect, end: end)
  }
}
