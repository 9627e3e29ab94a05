import CLinux
import Glibc

// Long payloads go between the kernel and where they are kept, without a stop in the loop's buffers.
extension ByteStream {
  /// The least that is worth a call of its own.
  package static var longPart: Int { 16 * 1024 }

  /// Appends a head and a long payload to what the stream sends.
  ///
  /// If nothing waits before them, the kernel takes the payload from where it lies, at once.
  ///
  /// - Parameters:
  ///   - payload: What follows the head.
  ///   - capacity: The bytes `head` writes at most.
  ///   - head: Writes what stands before the payload.
  package func write(
    _ payload: Span<UInt8>, after capacity: Int, _ head: (inout OutputSpan<UInt8>) -> Void
  ) {
    guard isOpen else { return }
    let start = loop.outputCount
    guard tls == nil, queue.isEmpty, unsafe start + capacity <= loop.output.count else {
      write(capacity: capacity, head)
      return write(payload)
    }
    // Behind what the loop's buffer holds, which may be another stream's, there is room for the
    // head; it is free again when this returns.
    let room = unsafe UnsafeMutableBufferPointer(
      rebasing: loop.output[start..<start + capacity])
    var span = unsafe OutputSpan(buffer: room, initializedCount: 0)
    head(&span)
    let end = unsafe start + span.finalize(for: room)
    let ownsBuffer = loop.outputOwner === self
    if start == 0 || !ownsBuffer {
      let written = unsafe UnsafeBufferPointer(rebasing: loop.output[start..<end])
      let sent = unsafe payload.withUnsafeBufferPointer { unsafe sendBack($0, behind: written) }
      if sent { return }
    }
    if ownsBuffer {
      loop.outputCount = 0
      loop.outputOwner = nil
    }
    let first = unsafe UnsafeBufferPointer(
      rebasing: loop.output[(ownsBuffer ? 0 : start)..<end])
    unsafe payload.withUnsafeBufferPointer { unsafe transmit(first, $0) }
  }

  /// What is kept of the bytes before a payload while its head stands there: one vector.
  private static var savedBytes: Int { 16 }

  /// Sends a payload from where it was received, with its head before it, which is one call with
  /// one part for the kernel instead of two.
  ///
  /// - Returns: Whether the payload lies in the receive buffer, so that it was sent.
  private func sendBack(
    _ payload: UnsafeBufferPointer<UInt8>, behind head: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard let base = payload.baseAddress, let from = head.baseAddress,
      let input = unsafe loop.input.baseAddress, head.count <= Self.savedBytes,
      unsafe UnsafePointer(input) <= base, unsafe base < input + loop.input.count
    else { return false }
    // The bytes before the payload are the loop's, there is room even before the buffer's first,
    // and nobody else sees them until they are as they were.
    let front = unsafe UnsafeMutablePointer(mutating: base) - Self.savedBytes
    let raw = UnsafeMutableRawPointer(front)
    let before = unsafe raw.loadUnaligned(as: SIMD16<UInt8>.self)
    let start = unsafe front + (Self.savedBytes - head.count)
    unsafe start.update(from: from, count: head.count)
    unsafe transmit(UnsafeBufferPointer(start: start, count: head.count + payload.count))
    unsafe raw.storeBytes(of: before, as: SIMD16<UInt8>.self)
    return true
  }

  private func transmit(
    _ first: UnsafeBufferPointer<UInt8>, _ second: UnsafeBufferPointer<UInt8>
  ) {
    let sent = unsafe countSent(
      tw_send_two(descriptor, first.baseAddress, first.count, second.baseAddress, second.count))
    guard isOpen, sent < first.count + second.count else { return }
    let inSecond = max(0, sent - first.count)
    _ = unsafe queue.reserve(first.count + second.count - sent)
    if sent < first.count { unsafe queue.append(UnsafeBufferPointer(rebasing: first[sent...])) }
    unsafe queue.append(UnsafeBufferPointer(rebasing: second[inSecond...]))
    watch()
  }

  /// Receives bytes where the handler wants them.
  func fill() {
    guard let handler else { return }
    let cork = queue.isEmpty && loop.corked == nil
    if cork { loop.corked = self }
    let count = handler.fill(from: self)
    if count == 0 {
      endInput()
    } else if count < 0, count != -Int(EAGAIN) {
      fail(IOError("receive", code: Int32(-count)))
    }
    loop.runJobs()
    if cork {
      loop.corked = nil
      flush()
    }
  }

  /// Receives into the free room of a span, from within the handler's `fill`.
  ///
  /// - Returns: How many bytes came; 0 at the peer's end, or a negative `errno`.
  package func receive(into room: inout OutputSpan<UInt8>) -> Int {
    unsafe room.withUnsafeMutableBufferPointer { buffer, filled in
      guard let base = buffer.baseAddress else { return -Int(EAGAIN) }
      let count = unsafe receiveNow(base + filled, buffer.count - filled)
      if count > 0 { filled += count }
      return count
    }
  }
}
