import CLinux
import Glibc

/// Accepts connections and spreads them over the loops of a group, one after the other.
///
/// Sessions last, so an even number of them on each loop matters more than the microseconds of
/// handing an accepted descriptor to another thread. Belongs to one loop.
package final class Listener: EventSource, @unchecked Sendable {
  /// Where it listens; the port is the one the kernel picked when 0 was asked for.
  package let address: SocketAddress
  private let loop: EventLoop
  private let targets: [EventLoop]
  private let accepted: @Sendable (ByteStream) -> Void
  private var descriptor: Int32
  private var spare: Int32
  private var token: UInt64 = 0
  private var next = 0
  private var retry: TimerID?
  private let options: Options
  /// Descriptors from this number on are kept for others than connections.
  private var ceiling: Int32 = 0

  /// Settings of the listening socket that accepted ones inherit.
  package struct Options: Sendable {
    /// How many connections the kernel keeps that were not accepted yet.
    package var backlog = 4096
    /// The largest TCP segment, in bytes; nil leaves it to the route.
    package var maximumSegment: Int?
    /// The congestion control algorithm by its kernel name; nil leaves the system's.
    package var congestionControl: String?
    /// How many descriptors connections leave to the rest of the process; 8 by default.
    ///
    /// The library that runs Swift's tasks opens a file once a second to look at its threads, and
    /// ends the process when it cannot. It takes one; certificates and logs want some as well.
    package var reservedDescriptors: Int32 = 8

    package init() {}
  }

  /// How long a process that is out of descriptors waits before it accepts again.
  private static let retryNanoseconds: UInt64 = 100_000_000

  /// Listens on `address`.
  ///
  /// - Parameters:
  ///   - address: Where; port 0 lets the kernel pick one.
  ///   - group: The loops that connections are dealt to.
  ///   - options: Settings of the sockets.
  ///   - accepted: Called for each connection on the loop the stream belongs to.
  /// - Throws: `IOError`, for example when the address is taken.
  package init(
    _ address: SocketAddress, on group: EventLoopGroup, options: Options = Options(),
    _ accepted: @escaping @Sendable (ByteStream) -> Void
  ) throws(IOError) {
    var raw = address.raw
    let operation = "listen on \(address)"
    descriptor = unsafe try check(tw_listen(&raw, Int32(options.backlog), 0), operation)
    if let bytes = options.maximumSegment { tw_set_maximum_segment(descriptor, Int32(bytes)) }
    if let name = options.congestionControl {
      let status = unsafe tw_set_congestion_control(descriptor, name)
      if status < 0 {
        close(descriptor)
        throw IOError("use congestion control \(name)", code: -status)
      }
    }
    spare = tw_open_null()
    _ = unsafe tw_local_address(descriptor, &raw)
    self.address = SocketAddress(raw: raw)
    self.options = options
    self.accepted = accepted
    targets = group.loops
    loop = group.loops[0]
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if spare >= 0 { close(spare) }
  }

  /// Starts accepting.
  package func start() {
    loop.execute { [self] in watch() }
  }

  /// Stops accepting.
  ///
  /// What already waits in the kernel's queue is accepted first, so that nobody who was let in is
  /// reset.
  package func stop() async {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        stopNow()
        unsafe continuation.resume()
      }
    }
  }

  /// The same, on its loop and before it returns.
  ///
  /// For an address where somebody listens again later.
  package func stopNow() {
    if token != 0 || descriptor >= 0 { acceptAll() }
    unwatch()
    if let retry { loop.wheel.cancel(retry) }
    retry = nil
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }

  private func watch() {
    guard descriptor >= 0, token == 0 else { return }
    token = (try? loop.add(self, descriptor, TW_IN)) ?? 0
    if token == 0 { retry = loop.wheel.arm(self, at: loop.now + Self.retryNanoseconds) }
  }

  private func unwatch() {
    guard token != 0 else { return }
    loop.remove(token, keepingOpen: descriptor)
    token = 0
  }

  func ready(_ events: UInt32) { acceptAll() }

  private func acceptAll() {
    while descriptor >= 0 {
      let accepted = tw_accept(descriptor)
      loop.systemCalls.accept += 1
      if accepted >= 0 {
        guard isUsable(accepted) else {
          close(accepted)
          return pause()
        }
        deliver(accepted)
      } else if accepted == -EMFILE || accepted == -ENFILE {
        return refuseOne()
      } else if accepted != -ECONNABORTED && accepted != -EPROTO && accepted != -EPERM {
        // Nothing waits, or the kernel is short of memory: the next event tries again.
        return
      }
    }
  }

  /// Whether a descriptor is not one of those reserved: the kernel gives the lowest that is free,
  /// so all below it are taken.
  private func isUsable(_ descriptor: Int32) -> Bool {
    if descriptor < ceiling { return true }
    ceiling = tw_descriptor_limit() - options.reservedDescriptors
    return descriptor < ceiling
  }

  private func deliver(_ descriptor: Int32) {
    let target = targets[next]
    next = (next + 1) % targets.count
    let accepted = accepted
    if target === loop {
      accepted(ByteStream(adopting: descriptor, on: target))
    } else {
      target.post { accepted(ByteStream(adopting: descriptor, on: target)) }
    }
  }

  /// Others have taken the last descriptor: the kept spare one makes room to take one connection
  /// and close it, so that its peer learns at once.
  private func refuseOne() {
    if spare >= 0 {
      close(spare)
      let refused = tw_accept(descriptor)
      if refused >= 0 { close(refused) }
      spare = tw_open_null()
    }
    pause()
  }

  /// Accepts nobody for a moment: the event of those who wait would not go away.
  private func pause() {
    unwatch()
    guard retry == nil else { return }
    retry = loop.wheel.arm(self, at: loop.now + Self.retryNanoseconds)
  }
}

extension Listener: TimerOwner {
  // Who stops the loops stops the listener before.
  package func loopEnded() {}

  /// Tries to accept again.
  package func timerFired(now: UInt64) -> UInt64 {
    retry = nil
    if spare < 0 { spare = tw_open_null() }
    watch()
    return 0
  }
}
