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
    if ownsBuffer {
      loop.outputCount = 0
      loop.outputOwner = nil
    }
    let first = unsafe UnsafeBufferPointer(
      rebasing: loop.output[(ownsBuffer ? 0 : start)..<end])
    unsafe payload.withUnsafeBufferPointer { unsafe transmit(first, $0) }
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
