import CLinux
import Glibc

/// What receives a stream's bytes and learns of its end.
///
/// All calls come on the stream's loop.
package protocol StreamHandler: AnyObject {
  /// Bytes arrived: those left over from the last call, with the new ones behind them.
  ///
  /// The span is the loop's receive buffer: it may be changed in place and is void after the call.
  /// - Returns: How many bytes from the front were used; the rest is presented again.
  func received(_ input: inout MutableSpan<UInt8>, from stream: ByteStream) -> Int
  /// Bytes arrived, and the handler has set `receivesInPlace`: it calls `stream.receive(into:)`
  /// once, with the memory it wants them in, and gives back what that gave.
  func fill(from stream: ByteStream) -> Int
  /// The peer will send nothing more. Bytes that `received` left over stay unread.
  func inputEnded(_ stream: ByteStream)
  /// The stream is gone by a failure. Nothing was delivered since, nothing will be.
  func failed(_ stream: ByteStream, _ error: IOError)
  /// Output that had to wait has been handed to the kernel.
  func drained(_ stream: ByteStream)
}

extension StreamHandler {
  /// For handlers that never set `receivesInPlace`.
  package func fill(from stream: ByteStream) -> Int {
    preconditionFailure("a handler that receives in place says where")
  }
}

/// Ordered bytes to one peer.
///
/// Belongs to one loop; every method is called there.
@safe package final class ByteStream: EventSource, @unchecked Sendable {
  package private(set) var loop: EventLoop
  package var handler: (any StreamHandler)?
  /// When bytes last arrived, on the loop's clock.
  package private(set) var lastArrival: UInt64
  var moved = Moved()
  /// What encrypts and decrypts; nil on a plain stream, which pays nothing for it.
  var tls: TLSEngine?
  var descriptor: Int32
  var watched: UInt32 = TW_IN
  var token: UInt64 = 0
  /// What had been sent when the timer of a closing stream was last armed.
  var movedBefore: UInt64 = 0
  /// How often the time to end was extended for a peer that still sends.
  var lingered: UInt8 = 0
  /// Bytes that arrived and that the handler has not used.
  var tail = ByteQueue()
  /// Bytes to send that neither the loop's output buffer nor the kernel has.
  var queue = ByteQueue()
  // Every connection has one of these: what is smaller than a word stands together.
  /// The deadline of the handshake while open, of the peer's end when closing.
  var timer: TimerID?
  var phase = Phase.open
  var isDirty = false
  private(set) var isPaused = false
  private var isReplaying = false
  /// Whether the handler says where the next bytes go; a stream with TLS never asks.
  package var receivesInPlace = false
  var inputHasEnded = false
  var output = Output.goesOn

  /// What moved through the socket, which is what all streams count.
  struct Moved {
    var bytesSent: UInt64 = 0
    var bytesReceived: UInt64 = 0
    var sendCalls: UInt32 = 0
    var receiveCalls: UInt32 = 0
  }

  enum Phase {
    /// Bytes flow.
    case open
    /// `close` was called: what waits is sent, then the write side is shut.
    case closing
    /// Our end is shut; what still comes is thrown away until the peer ends too.
    case lingering
    case closed
  }

  /// How far `endOutput` has come.
  enum Output {
    case goesOn
    /// What waits is sent first.
    case ends
    case hasEnded
  }

  /// How much is received at once: what the first-level caches still hold when it is used.
  static let receiveBytes = 64 * 1024
  /// How long a closed stream waits for the peer's end, so that our last bytes are not lost to a
  /// reset (RFC 9112 §9.6).
  static let lingerNanoseconds: UInt64 = 2_000_000_000
  /// How often that time may begin anew, for a peer that still sends.
  static let mostLingering: UInt8 = 14
  /// How long a closed stream waits for the peer to take some of what was left for it.
  static let stallNanoseconds: UInt64 = 30_000_000_000

  init(adopting descriptor: Int32, on loop: EventLoop) {
    self.descriptor = descriptor
    self.loop = loop
    self.lastArrival = loop.now
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  /// Starts delivering.
  ///
  /// Until then nothing is read.
  package func start(_ handler: any StreamHandler) {
    self.handler = handler
    let isSecuring = tls.map { $0.isStarted || phase != .open } ?? false
    if isAttached || isSecuring { resume() } else { attach() }
  }

  /// Whether the loop watches it, or did until it was closed.
  var isAttached: Bool { token != 0 }

  /// Lets the handler go and delivers nothing until `start` or `secure`, as if the stream were new:
  /// for one that has become a tunnel to another peer.
  package func park() {
    pauseReading()
    handler = nil
  }

  /// Bytes that were moved before TLS was begun, or so far on a plain stream.
  ///
  /// Asked when a stream is first used, it is what opening a tunnel took. No stream pays for it that
  /// is none.
  package var preamble: (sent: UInt64, received: UInt64) {
    tls.map { $0.preamble } ?? (moved.bytesSent, moved.bytesReceived)
  }

  /// Begins to deliver to a handler that has come after others, or after TLS.
  private func resume() {
    if phase == .open { return resumeReading() }
    // It failed before there was a handler to tell.
    let error = tls?.failure ?? IOError("receive", code: ECONNRESET)
    loop.post { [self] in
      let handler = self.handler
      self.handler = nil
      handler?.failed(self, error)
    }
  }

  func attach() {
    do {
      token = try loop.add(self, descriptor, watched)
    } catch {
      fail(error)
    }
  }

  /// Moves the stream to another loop.
  ///
  /// Call it on its present loop, also from `received`.
  /// Nothing is delivered from the call on, and what `received` leaves goes along. `then` runs on
  /// the new loop before any further byte is delivered; it does not run when the stream has failed
  /// or was closed by then.
  package func move(to other: EventLoop, _ then: @escaping @Sendable () -> Void) {
    isPaused = true
    // Not within the present call, which goes on to use the loop.
    loop.post { [self] in
      flush()
      guard phase == .open else { return }
      isDirty = false
      isReplaying = false
      loop.forget(self)
      loop.remove(token, keepingOpen: descriptor)
      other.post { [self] in arrive(on: other, then) }
    }
  }

  private func arrive(on other: EventLoop, _ then: @Sendable () -> Void) {
    loop = other
    lastArrival = other.now
    watched = inputHasEnded ? 0 : TW_IN
    attach()
    guard phase == .open else { return }
    then()
    resumeReading()
  }

  /// Whether bytes can still be written.
  package var isOpen: Bool { phase == .open }
  /// Bytes written and not yet taken by the kernel; encrypted ones as they are.
  package var queuedBytes: Int { queue.count + (tls?.waiting.count ?? 0) }
  /// All bytes written so far, whether or not the kernel has them, before any encryption.
  package var writtenBytes: UInt64 {
    let shared = UInt64(loop.outputOwner === self ? loop.outputCount : 0)
    if let tls { return tls.sealed + UInt64(tls.waiting.count) + shared }
    return moved.bytesSent + UInt64(queue.count) + shared
  }
  /// What was counted so far.
  package var counters: StreamCounters {
    var counters = StreamCounters()
    counters.bytesSent = moved.bytesSent
    counters.bytesReceived = moved.bytesReceived
    counters.sendCalls = moved.sendCalls
    counters.receiveCalls = moved.receiveCalls
    guard let tls else { return counters }
    counters.tlsSent = tls.produced - tls.sealed
    counters.tlsReceived = moved.bytesReceived - tls.preamble.received - tls.opened
    return counters
  }
  /// What the kernel counted; nil when the stream is closed.
  package func kernelCounters() -> KernelCounters? {
    var info = tw_tcp_info()
    guard descriptor >= 0, unsafe tw_read_tcp_info(descriptor, &info) == 0 else { return nil }
    return KernelCounters(info)
  }
  /// The peer's address; nil when the stream is closed.
  package var peerAddress: SocketAddress? {
    var address = tw_address()
    guard descriptor >= 0, unsafe tw_peer_address(descriptor, &address) == 0 else { return nil }
    return SocketAddress(raw: address)
  }
  /// The congestion control algorithm in force; nil when the stream is closed.
  package var congestionControl: String? {
    var name = [CChar](repeating: 0, count: 17)
    guard descriptor >= 0, unsafe tw_get_congestion_control(descriptor, &name, 16) == 0 else {
      return nil
    }
    return String(
      decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func ready(_ events: UInt32) {
    if events & TW_OUT != 0 { flushQueue() }
    guard events & (TW_IN | TW_HUP | TW_ERR | TW_RDHUP) != 0 else { return }
    switch phase {
    case .open where inputHasEnded: fail(IOError("send", code: resetError()))
    case .open: if !isPaused || events & (TW_HUP | TW_ERR) != 0 { receive() }
    case .closing, .lingering: discardInput()
    case .closed: break
    }
  }

  /// Stops delivering: what arrives waits in the kernel, and the peer slows down.
  package func pauseReading() {
    guard !isPaused, phase == .open else { return }
    isPaused = true
    watch()
  }

  /// Goes on delivering, with what is left over first.
  package func resumeReading() {
    guard isPaused, phase == .open else { return }
    isPaused = false
    watch()
    if tail.count > 0 || inputHasEnded { replaySoon() }
  }

  /// Presents the left-over bytes again in this turn, since the handler can use them now.
  package func replaySoon() {
    guard !isReplaying else { return }
    isReplaying = true
    loop.replayLater(self)
  }

  func replay() {
    isReplaying = false
    guard phase == .open, !isPaused else { return }
    if tail.count > 0 {
      let count = takeTail()
      process(count)
    }
    // One who wants what is left over presented again hears of the end after it.
    if inputHasEnded, phase == .open, !isPaused, !isReplaying { handler?.inputEnded(self) }
    flush()
  }

  private func receive() {
    if let tls { return receive(through: tls) }
    if receivesInPlace, tail.isEmpty { return fill() }
    let kept = tail.count
    let room = unsafe min(loop.input.count - kept, Self.receiveBytes)
    // Into no room the kernel writes nothing, which would look like the peer's end.
    guard room > 0 else {
      return fail(IOError("receive", reason: "the handler leaves \(kept) bytes unused"))
    }
    guard let base = unsafe loop.input.baseAddress else { return }
    let count = unsafe receiveNow(base + kept, room)
    if count > 0 {
      if kept > 0 { _ = takeTail() }
      process(kept + count)
    } else if count == 0 {
      endInput()
    } else if count != -Int(EAGAIN) {
      fail(IOError("receive", code: Int32(-count)))
    }
  }

  /// - Returns: How many bytes came, 0 at the peer's end, or a negative `errno`.
  func receiveNow(_ base: UnsafeMutablePointer<UInt8>, _ room: Int) -> Int {
    let count = unsafe tw_recv(descriptor, base, room)
    loop.systemCalls.receive += 1
    moved.receiveCalls &+= 1
    if count > 0 {
      moved.bytesReceived &+= UInt64(count)
      lastArrival = loop.now
    }
    return count
  }

  /// Why a stream whose input has ended is reported once more: `recv` would only say again that it
  /// has ended, and the report would never go away.
  private func resetError() -> Int32 {
    let error = tw_socket_error(descriptor)
    return error == 0 ? ECONNRESET : error
  }

  func endInput() {
    inputHasEnded = true
    watch()
    guard !isPaused, !isReplaying else { return }
    handler?.inputEnded(self)
    loop.runJobs()
    flush()
  }

  /// Copies the left-over bytes to the front of the receive buffer and frees them.
  func takeTail() -> Int {
    let bytes = unsafe tail.bytes
    let count = bytes.count
    if let from = bytes.baseAddress, let to = unsafe loop.input.baseAddress {
      unsafe memcpy(to, from, count)
    }
    tail.clear()
    return count
  }

  func process(_ count: Int) {
    let cork = queue.isEmpty && loop.corked == nil
    if cork { loop.corked = self }
    let used = present(count)
    if used < count, phase == .open || phase == .closing {
      unsafe tail.append(UnsafeBufferPointer(rebasing: loop.input[used..<count]))
    }
    loop.runJobs()
    if cork {
      loop.corked = nil
      flush()
    }
  }

  /// Lets the handler use the first `count` bytes of the receive buffer; when it makes room for
  /// another one meanwhile, that one gets the rest.
  private func present(_ count: Int) -> Int {
    var used = 0
    while let current = handler {
      // The span covers bytes that were just received; the buffer outlives the call, and nothing
      // else writes to it before the call returns: replays run between, not inside, events.
      let bytes = unsafe UnsafeMutableBufferPointer(rebasing: loop.input[used..<count])
      var span = unsafe bytes.mutableSpan
      used += current.received(&span, from: self)
      if handler === current || used == count { return used }
    }
    return used
  }

  func watch() {
    guard phase != .closed else { return }
    var wanted: UInt32 = 0
    if !isPaused || phase != .open, !inputHasEnded { wanted |= TW_IN }
    if !queue.isEmpty { wanted |= TW_OUT }
    guard wanted != watched else { return }
    watched = wanted
    loop.modify(descriptor, wanted, token)
  }

}
