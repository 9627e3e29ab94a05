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
    if !keepingContext, hasContext { reset() }
    // What a sync flush adds to the bound, at most: a stored block's head, and its marker.
    let capacity = unsafe Int(deflateBound(stream, UInt(message.count))) + 16
    let output = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { room, count in
      unsafe message.withUnsafeBufferPointer { source in
        // zlib reads `message.count` bytes and writes into `room`, both for this call alone.
        unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: source.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(source.count)
        unsafe stream.pointee.next_out = room.baseAddress
        unsafe stream.pointee.avail_out = UInt32(capacity)
        let status = unsafe deflate(stream, Z_SYNC_FLUSH)
        unsafe precondition(
          status == Z_OK && stream.pointee.avail_out > 0, "zlib: deflate \(status)")
      }
      // The marker 00 00 FF FF is the receiver's to put back.
      count = unsafe max(capacity - Int(stream.pointee.avail_out) - 4, 0)
    }
    hasContext = true
    if !keepingContext { reset() }
    // §7.2.3.6: a message that compresses to nothing is an empty stored block.
    return output.isEmpty ? [0] : output
  }

  private func reset() {
    unsafe deflateReset(stream)
    hasContext = false
  }
}
