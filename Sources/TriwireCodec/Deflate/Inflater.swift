import CZlib

/// Decompresses messages, one after the other, as far as a limit allows (RFC 7692 §7.2.2).
@safe package final class Inflater {
  // zlib keeps pointers into its state, so it lives at one address from `init` to `deinit`.
  private let stream: UnsafeMutablePointer<z_stream>
  private var consumed = 0
  private var produced = 0

  /// Why a message cannot be decompressed.
  package enum Failure: Error, Equatable {
    /// It is not deflate.
    case malformed
    /// It is more than the limit.
    case overLimit
    /// It grew by more than the ratio allows.
    case overRatio
  }

  private static let scratchBytes = 16 * 1024

  /// Makes a decompressor for windows of up to `windowBits`, 8 to 15.
  package init(windowBits: Int) {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let status = unsafe inflateInit2_(
      stream, Int32(-windowBits), ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib refuses window \(windowBits)")
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Takes a piece of a message and hands on what it decompresses to.
  ///
  /// - Parameters:
  ///   - piece: Compressed bytes.
  ///   - isLast: Whether the message ends with them.
  ///   - limit: The most bytes the whole message may have.
  ///   - ratio: The most it may grow, as a factor, once it is over 64 KiB.
  ///   - body: Gets decompressed bytes, a part at a time; void after the call. False stops.
  /// - Throws: `Failure`; the decompressor is void then.
  package func decompress(
    _ piece: Span<UInt8>, isLast: Bool, limit: Int, ratio: Int,
    _ body: (Span<UInt8>) -> Bool
  ) throws(Failure) {
    // Output of this call alone; an idle decompressor has none.
    let scratch = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.scratchBytes)
    defer { unsafe scratch.deallocate() }
    consumed += piece.count
    unsafe try run(piece, scratch, limit, ratio, body)
    guard isLast else { return }
    let marker: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]
    unsafe try run(marker.span, scratch, limit, ratio, body)
    consumed = 0
    produced = 0
  }

  /// Forgets the window, so that the next message stands by itself.
  package func reset() {
    unsafe inflateReset(stream)
    consumed = 0
    produced = 0
  }

  private func run(
    _ input: Span<UInt8>, _ scratch: UnsafeMutableBufferPointer<UInt8>, _ limit: Int,
    _ ratio: Int, _ body: (Span<UInt8>) -> Bool
  ) throws(Failure) {
    var offset = 0
    while true {
      let (status, used, made) = unsafe step(input, from: offset, scratch)
      offset += used
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
        throw .malformed
      }
      produced += made
      if produced > limit { throw .overLimit }
      if produced > 65_536, produced / ratio > consumed { throw .overRatio }
      // `step` has written the first `made` bytes, and nothing changes them within the call.
      if made > 0, unsafe !body(UnsafeBufferPointer(rebasing: scratch[0..<made]).span) { return }
      // §7.2.3.5: a final block may end anywhere; what follows goes on with the same window.
      if status == Z_STREAM_END { unsafe inflateResetKeep(stream) }
      if offset == input.count, made < Self.scratchBytes { return }
      if used == 0, made == 0, status == Z_BUF_ERROR { return }
    }
  }

  private func step(
    _ input: Span<UInt8>, from offset: Int, _ room: UnsafeMutableBufferPointer<UInt8>
  ) -> (Int32, Int, Int) {
    let rest = input.extracting(offset..<input.count)
    return unsafe rest.withUnsafeBufferPointer { source in
      // zlib reads `rest` and writes into `room`, both for this call alone.
      unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: source.baseAddress)
      unsafe stream.pointee.avail_in = UInt32(source.count)
      unsafe stream.pointee.next_out = room.baseAddress
      unsafe stream.pointee.avail_out = UInt32(room.count)
      let status = unsafe inflate(stream, Z_SYNC_FLUSH)
      return unsafe (
        status, source.count - Int(stream.pointee.avail_in),
        room.count - Int(stream.pointee.avail_out)
      )
    }
  }
}
