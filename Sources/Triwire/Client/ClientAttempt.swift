import TriwireCodec
import TriwireIO

/// One try to reach the server of a resumable session over one transport: from the first packet
/// until the server's hello came.
///
/// Belongs to one loop.
final class ClientAttempt: @unchecked Sendable {
  enum Outcome {
    /// The server has said hello over a connection that the session of the attempt holds.
    case hello(Session, ControlLine.Hello)
    case failed(Failure)
  }

  struct Failure {
    let reason: String
    /// Whether not even a connection could be had, which is no transport's fault.
    let isNetwork: Bool
    let tls: TLSFailure?
    /// What the server or a proxy answered, when it refused.
    let refusal: ConnectError.Refusal?
    /// How the server says that the session has ended.
    let end: SessionEnd?

    /// Whether it tells that the transport does not get through.
    ///
    /// A gateway that does not reach the server, or a server that cannot serve now, tells nothing
    /// of the kind (RFC 9110 §15.6.3 to §15.6.5).
    var tellsOfBlock: Bool {
      switch refusal?.status {
      case .badGateway, .serviceUnavailable, .gatewayTimeout: false
      default: !isNetwork
      }
    }
  }

  let transport: TransportKind
  let isProbe: Bool
  let began = EventLoop.clock()
  private var dialer: Dialer
  private var trail: RedirectTrail
  private let seconds: Double
  private var done: ((ClientAttempt, Outcome) -> Void)?
  private var opening: SessionOpening?
  private var session: Session?
  private let deadline: Alarm
  /// What it waits for.
  private(set) var phase = "connect"
  /// When the last connection was there, and the request could leave; 0 before.
  private var asked: UInt64 = 0

  init(
    _ transport: TransportKind, isProbe: Bool, _ dialer: Dialer, seconds: Double,
    _ done: @escaping (ClientAttempt, Outcome) -> Void
  ) {
    self.transport = transport
    self.isProbe = isProbe
    self.dialer = isProbe ? dialer.probing() : dialer
    self.seconds = seconds
    trail = RedirectTrail(from: dialer.url, dialer.configuration.redirects)
    self.done = done
    deadline = Alarm(dialer.loop)
  }

  var milliseconds: Double { Double(EventLoop.clock() - began) / 1e6 }

  /// Whether its request has been without an answer for so long; connecting does not count.
  func hasWaited(_ seconds: Double) -> Bool {
    asked > 0 && EventLoop.clock() >= asked + seconds.nanoseconds
  }

  func start() {
    deadline.set(after: seconds.nanoseconds) { [self] in
      fail("no answer within \(seconds) s (\(phase))", isNetwork: phase == "connect")
    }
    dial()
  }

  private func dial() {
    dialer.open { [self] result in
      switch result {
      case .failure(let error):
        let refusal = (error as? ProxyFailure)?.refusal
        fail("\(error)", isNetwork: true, tls: (error as? IOError)?.tls, refusal: refusal)
      case .success(let stream):
        guard done != nil else { return stream.abort() }
        open(stream)
      }
    }
  }

  private func open(_ stream: ByteStream) {
    phase = "handshake"
    asked = EventLoop.clock()
    var times = Opening()
    times.started = began
    times.connected = stream.securing?.began ?? EventLoop.clock()
    times.secured = stream.securing?.done ?? 0
    let opening = SessionOpening(dialer, transport, times)
    self.opening = opening
    opening.begin(stream) { [self] result in
      self.opening = nil
      switch result {
      case .failure(let failure): follow(failure)
      case .success(let session): awaitHello(session)
      }
    }
  }

  /// Goes where the server redirects to, or fails.
  private func follow(_ failure: OpenFailure) {
    guard let redirect = failure.redirect, done != nil else {
      return fail(trail.described(failure.reason), refusal: failure.refusal, end: failure.end)
    }
    do throws(OpenFailure) {
      let next = try trail.follow(redirect, failure)
      phase = "connect"
      asked = 0
      Task(executorPreference: dialer.loop) { [dialer] in
        let result: Result<Dialer, any Error>
        do {
          result = .success(try await dialer.redirected(to: next))
        } catch {
          result = .failure(error)
        }
        dialer.loop.execute { [self] in redirected(result) }
      }
    } catch {
      fail(error.reason, refusal: error.refusal)
    }
  }

  private func redirected(_ result: Result<Dialer, any Error>) {
    guard done != nil else { return }
    switch result {
    case .failure(let error): fail("\(error)", isNetwork: true)
    case .success(let dialer):
      self.dialer = dialer
      dial()
    }
  }

  private func awaitHello(_ session: Session) {
    guard done != nil else { return session.abortNow() }
    phase = "hello"
    self.session = session
    session.onControl { [self] line in
      guard case .hello(let hello) = line else { return }
      self.session = nil
      finish(.hello(session, hello))
    }
    session.whenEnded { [self] end in
      fail("it ended before the server's hello: \(end.code) \(end.reason)")
    }
  }

  /// Gives up: nobody waits for it.
  func cancel() {
    done = nil
    release()
  }

  private func fail(
    _ reason: String, isNetwork: Bool = false, tls: TLSFailure? = nil,
    refusal: ConnectError.Refusal? = nil, end: SessionEnd? = nil
  ) {
    finish(
      .failed(
        Failure(reason: reason, isNetwork: isNetwork, tls: tls, refusal: refusal, end: end)))
  }

  private func finish(_ outcome: Outcome) {
    guard let done else { return }
    self.done = nil
    release()
    done(self, outcome)
  }

  private func release() {
    deadline.cancel()
    opening?.giveUpNow()
    opening = nil
    let session = session
    self.session = nil
    session?.abortNow()
  }
}
