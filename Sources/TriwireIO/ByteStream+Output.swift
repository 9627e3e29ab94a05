import CLinux
import Glibc

// What a stream sends, and how it reaches the kernel.
extension ByteStream {
  /// Appends at most `capacity` bytes to what the stream sends; they leave when the turn ends, or
  /// earlier.
  ///
  /// Does nothing when the stream is closed.
  package func write(capacity: Int, _ body: (inout OutputSpan<UInt8>) -> Void) {
    guard phase == .open else { return }
    let shared = usesSharedBuffer(for: capacity)
    let room =
      unsafe shared
      ? UnsafeMutableBufferPointer(
        rebasing: loop.output[loop.outputCount..<loop.outputCount + capacity])
      : tls.map { unsafe $0.waiting.reserve(capacity) } ?? queue.reserve(capacity)
    // The room is uninitialised memory that only this call writes to.
    var span = unsafe OutputSpan(buffer: room, initializedCount: 0)
    body(&span)
    let written = unsafe span.finalize(for: room)
    if shared {
      loop.outputCount += written
    } else {
      if let tls { tls.waiting.commit(written) } else { queue.commit(written) }
      markDirty()
    }
  }

  /// Appends bytes to what the stream sends.
  package func write(_ bytes: Span<UInt8>) {
    guard phase == .open else { return }
    unsafe bytes.withUnsafeBufferPointer { unsafe append($0) }
  }

  /// Sends bytes at once, without a copy, if nothing waits before them; else like `write`.
  ///
  /// For one encoding that goes to many streams.
  package func writeThrough(_ bytes: Span<UInt8>) {
    guard phase == .open else { return }
    unsafe bytes.withUnsafeBufferPointer { bytes in
      let waits = !queue.isEmpty || loop.outputOwner === self && loop.outputCount > 0
      guard !waits, let base = bytes.baseAddress else { return unsafe append(bytes) }
      if let tls { return unsafe sealThrough(bytes, tls) }
      let sent = unsafe sendNow(base, bytes.count)
      guard phase == .open, sent < bytes.count else { return }
      unsafe queue.append(UnsafeBufferPointer(rebasing: bytes[sent...]))
      watch()
    }
  }

  func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    if usesSharedBuffer(for: bytes.count), let to = unsafe loop.output.baseAddress {
      unsafe memcpy(to + loop.outputCount, base, bytes.count)
      loop.outputCount += bytes.count
    } else {
      if let tls { unsafe tls.waiting.append(bytes) } else { unsafe queue.append(bytes) }
      markDirty()
    }
  }

  /// Whether the loop's output buffer is this stream's to write to, with room for `size`.
  func usesSharedBuffer(for size: Int) -> Bool {
    guard loop.corked === self, queue.isEmpty, tls?.takesBytes ?? true else { return false }
    if unsafe loop.outputCount + size > loop.output.count {
      flushShared()
      guard phase == .open, queue.isEmpty, unsafe size <= loop.output.count else { return false }
    }
    loop.outputOwner = self
    return true
  }

  func markDirty() {
    guard !isDirty, watched & TW_OUT == 0 || tls != nil else { return }
    isDirty = true
    loop.markDirty(self)
  }

  func flushDirty() {
    isDirty = false
    if let tls { flushDirty(tls) } else { flushQueue() }
  }

  /// Hands all that waits to the kernel now.
  package func flush() {
    if loop.outputOwner === self, loop.outputCount > 0 { flushShared() }
    if let tls { sealWaiting(tls) }
    if !queue.isEmpty, watched & TW_OUT == 0 { flushQueue() }
    finishClosing()
  }

  func flushShared() {
    let count = loop.outputCount
    loop.outputCount = 0
    loop.outputOwner = nil
    guard count > 0 else { return }
    let bytes = unsafe UnsafeBufferPointer(rebasing: loop.output[..<count])
    if let tls { unsafe seal(bytes, tls) } else { unsafe transmit(bytes) }
  }

  /// Sends what nothing waits before; the rest waits for the kernel.
  func transmit(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let base = bytes.baseAddress else { return }
    let sent = unsafe queue.isEmpty ? sendNow(base, bytes.count) : 0
    guard phase == .open || phase == .closing, sent < bytes.count else { return }
    unsafe queue.append(UnsafeBufferPointer(rebasing: bytes[sent...]))
    watch()
  }

  func flushQueue() {
    while !queue.isEmpty, phase == .open || phase == .closing {
      let bytes = unsafe queue.bytes
      guard let base = bytes.baseAddress else { break }
      let sent = unsafe sendNow(base, bytes.count)
      guard sent > 0 else { break }
      queue.removeFirst(sent)
    }
    watch()
    if queue.isEmpty {
      finishClosing()
      shutOutput()
      if phase == .open { handler?.drained(self) }
    }
  }

  /// - Returns: How many bytes the kernel took; a failure ends the stream and takes none.
  func sendNow(_ base: UnsafePointer<UInt8>, _ count: Int) -> Int {
    let sent = unsafe tw_send(descriptor, base, count)
    return countSent(sent)
  }

  /// - Returns: How many bytes the kernel took in a call that gave `sent`.
  func countSent(_ sent: Int) -> Int {
    loop.systemCalls.send += 1
    moved.sendCalls &+= 1
    if sent >= 0 {
      moved.bytesSent &+= UInt64(sent)
      return sent
    }
    if sent != -Int(EAGAIN) { failSoon(IOError("send", code: Int32(-sent))) }
    return 0
  }
}
