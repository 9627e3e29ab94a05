import CLinux
import Glibc
import Synchronization

/// Opens a stream to the first of several addresses that answers.
///
/// Attempts start 250 ms apart, or at once when the one before failed, and run beside each other
/// (RFC 8305 §5), so that a dead address costs little. Belongs to one loop.
@safe package final class Connector: @unchecked Sendable {
  /// Settings of outgoing connections.
  package struct Options: Sendable {
    /// When to give up, in nanoseconds from the start.
    package var timeoutNanoseconds: UInt64 = 10_000_000_000
    /// The address to connect from; nil leaves it to the kernel.
    package var source: SocketAddress?
    /// The largest TCP segment, in bytes; nil leaves it to the route.
    package var maximumSegment: Int?
    /// Bytes that the kernel keeps until they are read (SO_RCVBUF); nil leaves it to the kernel.
    package var receiveBuffer: Int?
    /// The congestion control algorithm by its kernel name; nil leaves the system's.
    package var congestionControl: String?
    /// How many descriptors connections leave to the rest of the process; 8 by default, as in
    /// `Listener.Options`, and for the same reason.
    package var reservedDescriptors: Int32 = 8

    package init() {}
  }

  private let loop: EventLoop
  private let addresses: [SocketAddress]
  private let options: Options
  private let deadline: UInt64
  private var attempts: [Attempt] = []
  private var started = 0
  private var lastError: IOError
  private var timer: TimerID?
  private var continuation: UnsafeContinuation<ByteStream, any Error>?

  private static let stagger: UInt64 = 250_000_000

  private init(_ addresses: [SocketAddress], on loop: EventLoop, options: Options) {
    self.addresses = addresses
    self.loop = loop
    self.options = options
    deadline = EventLoop.clock() + options.timeoutNanoseconds
    lastError = IOError("connect", reason: "there is no address to connect to")
  }

  /// Connects.
  ///
  /// The stream belongs to `loop`; call `start` on it there.
  ///
  /// - Throws: `IOError` of the last attempt that failed, or that the deadline passed;
  ///   `CancellationError` when the task was cancelled.
  package static func connect(
    to addresses: [SocketAddress], on loop: EventLoop, options: Options = Options()
  ) async throws -> ByteStream {
    let connector = Connector(addresses, on: loop, options: options)
    return try await withTaskCancellationHandler {
      unsafe try await withUnsafeThrowingContinuation { continuation in
        loop.execute {
          unsafe connector.continuation = unsafe continuation
          connector.begin()
        }
        // A task that was cancelled before this called the handler too early to end anything.
        if Task.isCancelled { connector.cancel() }
      }
    } onCancel: {
      connector.cancel()
    }
  }

  private func cancel() { loop.post { [self] in finish(.failure(CancellationError())) } }

  private func begin() {
    guard let first = addresses.first else { return finish(.failure(lastError)) }
    guard loop.running else { return loopEnded() }
    lastError = IOError("connect to \(first)", code: ETIMEDOUT)
    timer = loop.wheel.arm(self, at: min(deadline, EventLoop.clock() + Self.stagger))
    startNext()
  }

  private func startNext() {
    while started < addresses.count, unsafe continuation != nil {
      let address = addresses[started]
      started += 1
      do {
        attempts.append(try Attempt(address, self, loop, options))
        return
      } catch {
        lastError = error
      }
    }
    if attempts.isEmpty { finish(.failure(lastError)) }
  }

  fileprivate func succeeded(_ attempt: Attempt) {
    let descriptor = attempt.take()
    finish(.success(ByteStream(adopting: descriptor, on: loop)))
  }

  fileprivate func failed(_ attempt: Attempt, _ error: IOError) {
    lastError = error
    attempt.cancel()
    attempts.removeAll { $0 === attempt }
    startNext()
  }

  private func finish(_ result: Result<ByteStream, any Error>) {
    guard let continuation = unsafe continuation else { return }
    unsafe self.continuation = nil
    if let timer { loop.wheel.cancel(timer) }
    timer = nil
    for attempt in attempts { attempt.cancel() }
    attempts = []
    unsafe continuation.resume(with: result)
  }

  fileprivate final class Attempt: EventSource {
    private let address: SocketAddress
    private let loop: EventLoop
    private unowned let connector: Connector
    private var descriptor: Int32
    private var token: UInt64 = 0

    init(
      _ address: SocketAddress, _ connector: Connector, _ loop: EventLoop, _ options: Options
    ) throws(IOError) {
      self.address = address
      self.loop = loop
      self.connector = connector
      var to = address.raw
      var from = options.source?.raw ?? tw_address()
      descriptor = unsafe tw_connect(
        &to, &from, Int32(options.maximumSegment ?? 0), Int32(options.receiveBuffer ?? 0))
      loop.systemCalls.connect += 3
      guard descriptor >= 0 else {
        throw Self.failure(-descriptor, address, options)
      }
      guard Self.isUsable(descriptor, options) else {
        close(descriptor)
        throw Self.failure(EMFILE, address, options)
      }
      if let name = options.congestionControl {
        _ = unsafe tw_set_congestion_control(descriptor, name)
        loop.systemCalls.connect += 1
      }
      do {
        token = try loop.add(self, descriptor, TW_OUT)
      } catch {
        close(descriptor)
        throw error
      }
    }

    /// Whether a descriptor is not one of those reserved: the kernel gives the lowest that is free,
    /// so all below it are taken.
    private static func isUsable(_ descriptor: Int32, _ options: Options) -> Bool {
      // Few connections are near the limit, so that few ask for it.
      if descriptor < ceiling.load(ordering: .relaxed) { return true }
      let now = tw_descriptor_limit() - options.reservedDescriptors
      ceiling.store(now, ordering: .relaxed)
      return descriptor < now
    }

    private static let ceiling = Atomic<Int32>(0)

    private static func failure(
      _ code: Int32, _ address: SocketAddress, _ options: Options
    ) -> IOError {
      let operation = "connect to \(address)"
      guard code == EMFILE else { return IOError(operation, code: code) }
      return IOError(
        operation, code: code,
        reason: "the process may have \(tw_descriptor_limit()) descriptors, and all but the "
          + "\(options.reservedDescriptors) kept for others are taken: raise the limit (ulimit -n)")
    }

    func ready(_ events: UInt32) {
      let error = tw_socket_error(descriptor)
      if error == 0 {
        connector.succeeded(self)
      } else {
        connector.failed(self, IOError("connect to \(address)", code: error))
      }
    }

    func take() -> Int32 {
      loop.remove(token, keepingOpen: descriptor)
      defer { descriptor = -1 }
      return descriptor
    }

    func cancel() {
      guard descriptor >= 0 else { return }
      loop.remove(token)
      close(descriptor)
      descriptor = -1
    }
  }
}

extension Connector: TimerOwner {
  package func loopEnded() {
    let reason = "its event loop was stopped"
    finish(.failure(IOError("connect to \(addresses[0])", reason: reason)))
  }

  /// Starts the next attempt beside those that run, or gives up.
  package func timerFired(now: UInt64) -> UInt64 {
    if now >= deadline {
      timer = nil
      finish(.failure(IOError("connect to \(addresses[0])", code: ETIMEDOUT)))
      return 0
    }
    startNext()
    guard unsafe continuation != nil else { return 0 }
    return started < addresses.count ? min(deadline, now + Self.stagger) : deadline
  }
}
