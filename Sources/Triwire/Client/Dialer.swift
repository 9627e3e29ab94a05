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
  /// What secures the streams; nil without TLS.
  private let tls: TLSContext?
  /// Used on the loop alone.
  nonisolated(unsafe) let deflatePool = DeflatePool()

  init(
    url: ServerURL, addresses: [SocketAddress], loop: EventLoop,
    configuration: TriwireClient.Configuration, tls: TLSContext?, link: ClientLink? = nil,
    isProbe: Bool = false
  ) {
    self.link = link
    self.isProbe = isProbe
    self.tls = tls
    self.url = url
    self.addresses = addresses
    self.loop = loop
    self.configuration = configuration
    sessionLimits = SharedLimits(configuration.session)
  }

  /// The same, for a resumable session.
  func linked(to link: ClientLink) -> Dialer {
    Dialer(
      url: url, addresses: addresses, loop: loop, configuration: configuration, tls: tls,
      link: link)
  }

  /// The same, for requests that leave the session where it is.
  func probing() -> Dialer {
    Dialer(
      url: url, addresses: addresses, loop: loop, configuration: configuration, tls: tls,
      link: link, isProbe: true)
  }

  /// Opens a stream on the loop, and secures it when the URL says so.
  func open() async throws -> ByteStream {
    var options = Connector.Options()
    options.timeoutNanoseconds = configuration.connectSeconds.nanoseconds
    options.source = configuration.source
    options.maximumSegment = configuration.maximumSegment
    options.congestionControl = configuration.congestionControl
    let stream = try await Connector.connect(to: addresses, on: loop, options: options)
    if let tls {
      try await stream.secured(
        reaching: url.host, port: url.port, tls, within: options.timeoutNanoseconds)
    }
    return stream
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
    for (name, value) in headers { all.append(name, value) }
    if let link { all.append(SessionToken.field, link.token(isProbe: isProbe).text) }
    return RequestHead(method: method, target: target, headers: all)
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
}
