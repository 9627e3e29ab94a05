import CZlib

/// Compresses messages, one after the other (RFC 7692 §7.2.1).
@safe package final class Deflater {
  // zlib keeps pointers into its state, so it lives at one address from `init` to `deinit`.
  private let stream: UnsafeMutablePointer<z_stream>
  /// What the next message costs less for: the window of those before it.
  private var hasContext = false

  /// Makes a compressor; `windowBits` is 9 to 15.
  package init(windowBits: Int, memoryLevel: Int, level: Int) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let status = unsafe deflateInit2_(
      stream, Int32(level), Z_DEFLATED, Int32(-windowBits), Int32(memoryLevel),
      Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib refuses window \(windowBits), memory level \(memoryLevel)")
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// The compressed form of a message, without the four bytes that end each (§7.2.1).
  ///
  /// Without `keepingContext` the message is compressed by itself, and so is the next one.
  package func compress(_ message: Span<UInt8>, keepingContext: Bool) -> [UInt8] {
    // §7.2.3.6: an empty message is one empty block; zlib would see nothing to flush.
    if message.isEmpty { return [0] }
    if !keepingContext, hasContext { reset() }
    let bound = unsafe Int(deflateBound(stream, UInt(message.count)))
    var output = unsafe message.withUnsafeBufferPointer { source in
      // zlib reads from here until `avail_in` is 0, within this call.
      unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: source.baseAddress)
      unsafe stream.pointee.avail_in = UInt32(source.count)
      // What a sync flush adds to the bound: a stored block's head, and its marker.
      var output = flush(room: bound + 16)
      // The bound is one; should zlib need more, it says so by using up all its room.
      while unsafe stream.pointee.avail_out == 0 { output += flush(room: 1024) }
      return output
    }
    hasContext = true
    if !keepingContext { reset() }
    // The marker 00 00 FF FF is the receiver's to put back.
    output.removeLast(4)
    return output
  }

  private func flush(room: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      // zlib writes `room` bytes at most, within this call.
      unsafe stream.pointee.next_out = buffer.baseAddress
      unsafe stream.pointee.avail_out = UInt32(room)
      let status = unsafe deflate(stream, Z_SYNC_FLUSH)
      precondition(status == Z_OK || status == Z_BUF_ERROR, "zlib: deflate \(status)")
      count = unsafe room - Int(stream.pointee.avail_out)
    }
  }

  /// Compresses the next message by itself.
  package func forgetContext() { reset() }

  private func reset() {
    unsafe deflateReset(stream)
    hasContext = false
  }
}
