import Synchronization
public import TriwireCodec
public import TriwireIO

/// Opens sessions to a server, over the first transport that works.
///
/// ```swift
/// let session = try await TriwireClient("http://127.0.0.1:8080/echo").connect()
/// try await session.send("hello")
/// for try await message in session.messages { print(message.text) }
/// ```
public final class TriwireClient: Sendable {
  /// The settings of a client.
  public struct Configuration: Sendable {
    /// The loops that sessions belong to, in turn; a shared group when nil.
    public var group: EventLoopGroup?
    /// Header fields for every request, such as a token.
    public var headers: Headers = [:]
    /// Further header fields for a request, by its method and the fields that it needs.
    package var fieldsOfRequest: (@Sendable (HTTPMethod, Headers) -> Headers)?
    /// The limits of answers.
    public var http = HTTPLimits()
    /// Has long-polling sessions ask at an interval instead; `nil` has them wait for the answer.
    package var pollClock: PollClock?
    /// Where messages come from and go to at a server that knows nothing of sessions; `nil` is one
    /// that does.
    package var foreign: ForeignEndpoints?
    /// Whether what the kernel counted is kept of connections that are closed.
    package var keepsKernelCounters = false
    /// The limits of sessions.
    public var session = SessionLimits()
    /// How sessions survive their connections; nil opens plain ones, as servers that are not made
    /// with this library need it.
    public var resume: ResumeOptions? = ResumeOptions()
    /// How the transport is chosen and changed, and how sessions come back.
    public var fallback = FallbackOptions()
    /// WebSocket subprotocols to offer, the preferred one first; none by default.
    public var subprotocols: [String] = []
    /// How WebSocket messages are compressed, where the server can; nil, the default, is not at all.
    public var deflate: DeflateOptions?
    /// Whether event streams and the answers to polls are asked for in the coding gzip, and how far
    /// they may grow; nil, the default, does not ask.
    public var gzip: GzipOptions?
    /// How connections to https and wss URLs are secured.
    public var tls = TLSClientOptions()
    /// The HTTP proxy to go through; the one of the environment by default.
    public var proxy = ProxyChoice.environment
    /// Whether redirects of the opening request are followed; they are refused by default.
    public var redirects = RedirectChoice.refused
    /// Seconds to establish TCP, and as many for a proxy's answer and for TLS after that; 10 by
    /// default.
    public var connectSeconds = 10.0
    /// Seconds for the server to open the session after that; 10 by default.
    public var openSeconds = 10.0
    /// The address to connect from; nil leaves it to the kernel.
    public var source: SocketAddress?
    /// The largest TCP segment, in bytes; nil leaves it to the route.
    public var maximumSegment: Int?
    /// Bytes that the kernel keeps of each connection until they are read (SO_RCVBUF, which Linux
    /// doubles); nil leaves it to the kernel, which adapts it.
    public var receiveBuffer: Int?
    /// The congestion control algorithm by its kernel name; nil leaves the system's.
    public var congestionControl: String?

    /// The default settings.
    public init() {}
  }

  private let text: String
  private let configuration: Configuration
  private let group: EventLoopGroup?

  private static let sharedGroup = try? EventLoopGroup()

  /// Makes a client; nothing is connected yet.
  ///
  /// - Parameters:
  ///   - url: An http or ws URL of an endpoint, which mean the same, or https or wss with TLS.
  ///   - configuration: The settings.
  public init(_ url: String, configuration: Configuration = Configuration()) {
    text = url
    self.configuration = configuration
    group = configuration.group ?? Self.sharedGroup
  }

  /// Opens a session over the first of `transports` that works.
  ///
  /// - Parameter transports: What to try, in order; WebSocket, then Server-Sent Events, then long
  ///   polling by default.
  /// - Returns: The open session.
  /// - Throws: `ConnectError` with each attempt and why it failed; `CancellationError`.
  public func connect(
    over transports: [TransportKind] = [.webSocket, .serverSentEvents, .longPolling]
  ) async throws -> Session {
    var attempts: [ConnectError.Attempt] = []
    let began = EventLoop.clock()
    let dialer: Dialer
    do {
      dialer = try await makeDialer()
    } catch {
      throw ConnectError(attempts: [attempt(nil, "\(error)", since: began)])
    }
    if configuration.resume != nil { return try await connect(transports, dialer) }
    for transport in transports {
      let began = EventLoop.clock()
      do {
        return try await open(transport, dialer)
      } catch let error as CancellationError {
        throw error
      } catch let error as IOError where error.tls != nil {
        // What is wrong with a certificate is wrong for every transport.
        attempts.append(attempt(transport, "\(error)", since: began, tls: error.tls))
        break
      } catch let error as ProxyFailure {
        // So is what is wrong with a proxy.
        attempts.append(
          attempt(transport, error.description, since: began, refusal: error.refusal))
        break
      } catch let error as OpenFailure {
        attempts.append(attempt(transport, error.reason, since: began, refusal: error.refusal))
      } catch {
        attempts.append(attempt(transport, "\(error)", since: began))
      }
    }
    throw ConnectError(attempts: attempts)
  }

  /// Opens a resumable session.
  private func connect(_ transports: [TransportKind], _ plain: Dialer) async throws -> Session {
    let link = ClientLink(
      configuration.fallback, configuration.resume ?? ResumeOptions(), over: transports,
      to: plain.url.authority, on: plain.loop)
    let dialer = plain.linked(to: link)
    let result: Result<Session, ConnectError> = await withTaskCancellationHandler {
      unsafe await withUnsafeContinuation { continuation in
        dialer.loop.execute {
          link.dialer = dialer
          link.open { unsafe continuation.resume(returning: $0) }
        }
        // A task that was cancelled before this called the handler too early to end anything.
        if Task.isCancelled { dialer.loop.post { link.cancelOpening() } }
      }
    } onCancel: {
      dialer.loop.post { link.cancelOpening() }
    }
    if Task.isCancelled {
      if case .success(let session) = result { session.close(.goingAway) }
      throw CancellationError()
    }
    return try result.get()
  }

  private func attempt(
    _ transport: TransportKind?, _ reason: String, since began: UInt64, tls: TLSFailure? = nil,
    refusal: ConnectError.Refusal? = nil
  ) -> ConnectError.Attempt {
    ConnectError.Attempt(
      transport: transport, reason: reason,
      milliseconds: Double(EventLoop.clock() - began) / 1e6, tls: tls, refusal: refusal)
  }

  private func makeDialer() async throws -> Dialer {
    guard let url = ServerURL(text) else {
      throw IOError("open \(text)", reason: "write a URL such as http://127.0.0.1:8080/echo")
    }
    guard let loop = group?.next() else {
      throw IOError("open \(text)", reason: "the process is out of descriptors")
    }
    return try await Dialer(url: url, loop: loop, configuration: configuration)
  }

  /// Opens a session over one transport, where redirects lead if they are followed.
  private func open(_ transport: TransportKind, _ dialer: Dialer) async throws -> Session {
    let began = EventLoop.clock()
    var dialer = dialer
    var trail = RedirectTrail(from: dialer.url, configuration.redirects)
    while true {
      do {
        return try await open(transport, dialer, since: began)
      } catch let failure as OpenFailure {
        guard let redirect = failure.redirect else {
          throw OpenFailure(reason: trail.described(failure.reason), refusal: failure.refusal)
        }
        dialer = try await dialer.redirected(to: trail.follow(redirect, failure))
      }
    }
  }

  private func open(
    _ transport: TransportKind, _ dialer: Dialer, since began: UInt64
  ) async throws -> Session {
    var opening = Opening()
    opening.started = began
    let stream = try await dialer.open()
    opening.connected = EventLoop.clock()
    let attempt = SessionOpening(dialer, transport, opening)
    let result = await withTaskCancellationHandler {
      unsafe await withUnsafeContinuation { continuation in
        dialer.loop.execute {
          attempt.begin(stream) { unsafe continuation.resume(returning: $0) }
        }
        // A task that was cancelled before this called the handler too early to end anything.
        if Task.isCancelled { attempt.cancel() }
      }
    } onCancel: {
      attempt.cancel()
    }
    if Task.isCancelled {
      if case .success(let session) = result { session.close(.goingAway) }
      throw CancellationError()
    }
    return try result.get()
  }
}

/// One attempt to open a session, with its deadline.
///
/// Belongs to one loop.
final class SessionOpening: TimerOwner, @unchecked Sendable {
  private let dialer: Dialer
  private let transport: TransportKind
  private var opening: Opening
  private var done: ((Result<Session, OpenFailure>) -> Void)?
  private var giveUp: (() -> Void)?
  private var timer: TimerID?

  init(_ dialer: Dialer, _ transport: TransportKind, _ opening: Opening) {
    self.dialer = dialer
    self.transport = transport
    self.opening = opening
  }

  func begin(
    _ stream: ByteStream, _ done: @escaping (Result<Session, OpenFailure>) -> Void
  ) {
    self.done = done
    // A stream is read on its loop alone.
    if let securing = stream.securing {
      opening.connected = securing.began
      opening.secured = securing.done
    }
    timer = dialer.loop.wheel.arm(
      self, at: dialer.loop.now + dialer.configuration.openSeconds.nanoseconds)
    switch transport {
    case .webSocket:
      let opening = WebSocketOpening(dialer: dialer, opening: opening)
      giveUp = { opening.giveUp() }
      opening.open(stream) { self.finish($0) }
    case .serverSentEvents:
      begin(stream, EventStreamClientTransport(dialer: dialer, opening: opening))
    case .longPolling:
      if let foreign = dialer.configuration.foreign, let polls = foreign.polls {
        begin(
          stream,
          ForeignPollTransport(
            dialer: dialer, polls, publish: foreign.publish, opening: opening))
      } else {
        begin(stream, LongPollClientTransport(dialer: dialer, opening: opening))
      }
    }
  }

  private func begin(_ stream: ByteStream, _ transport: any ClientTransport) {
    giveUp = { transport.giveUp() }
    transport.open(stream) { self.finish($0) }
  }

  /// Gives up because nobody waits for it; from any thread.
  func cancel() { dialer.loop.post { [self] in giveUp?() } }

  /// Gives up, on the loop.
  func giveUpNow() { giveUp?() }

  private func finish(_ result: Result<Session, OpenFailure>) {
    guard let done else { return }
    self.done = nil
    giveUp = nil
    if let timer { dialer.loop.wheel.cancel(timer) }
    timer = nil
    done(result)
  }

  func timerFired(now: UInt64) -> UInt64 {
    timer = nil
    giveUp?()
    return 0
  }
}
