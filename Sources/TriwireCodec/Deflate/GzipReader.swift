import CZlib

/// Decompresses a body in the format gzip (RFC 1952), as it comes and a bounded part at a time.
@safe package final class GzipReader {
  // zlib keeps pointers into its state, so it lives at one address from `init` to `deinit`.
  private let stream: UnsafeMutablePointer<z_stream>
  private let ratio: Int
  private var consumed = 0
  private var produced = 0
  /// Whether the body is over where it is: a member of the format ended, and no other has begun.
  package private(set) var isWhole = false

  /// Why a body cannot be decompressed.
  package enum Failure: Error, Equatable {
    /// It is not gzip, or its checksum is wrong.
    case malformed
    /// It grew by more than the ratio allows.
    case overRatio
  }

  /// The most bytes that one call hands on.
  package static let part = 16 * 1024

  /// Makes a decompressor.
  ///
  /// - Parameter ratio: The most a body may grow, as a factor, once it is over 64 KiB.
  package init(ratio: Int) {
    self.ratio = max(ratio, 1)
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // RFC 9110 §8.4.1.3: a recipient has to be ready for a window of 32 KiB; zlib takes it when it is
    // used. 16 more than that asks for the format gzip and no other.
    let status = unsafe inflateInit2_(
      stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib: inflateInit \(status)")
  }

  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Forgets everything, for another body.
  package func reset() {
    unsafe inflateReset(stream)
    (consumed, produced, isWhole) = (0, 0, false)
  }

  /// Decompresses from `offset` on, up to `part` bytes, and moves `offset` past what it took.
  ///
  /// - Parameters:
  ///   - input: Bytes of the body, those before `offset` done already.
  ///   - offset: Where to go on.
  ///   - body: Gets decompressed bytes, once; void after the call.
  /// - Returns: Whether to call it again; otherwise more input is needed.
  /// - Throws: `Failure`; the decompressor is void then.
  package func next(
    _ input: Span<UInt8>, at offset: inout Int, _ body: (Span<UInt8>) -> Void
  ) throws(Failure) -> Bool {
    if isWhole {
      guard offset < input.count else { return false }
      // RFC 1952 §2.2: what follows a member is another one.
      unsafe inflateReset(stream)
      isWhole = false
    }
    // Output of this call alone.
    let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.part)
    defer { unsafe room.deallocate() }
    let rest = input.extracting(offset..<input.count)
    let (status, used) = unsafe rest.withUnsafeBufferPointer { source in
      // zlib reads `rest` and writes into `room`, both for this call alone.
      unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: source.baseAddress)
      unsafe stream.pointee.avail_in = UInt32(source.count)
      unsafe stream.pointee.next_out = room.baseAddress
      unsafe stream.pointee.avail_out = UInt32(room.count)
      let status = unsafe inflate(stream, Z_SYNC_FLUSH)
      return unsafe (status, source.count - Int(stream.pointee.avail_in))
    }
    guard [Z_OK, Z_STREAM_END, Z_BUF_ERROR].contains(status) else { throw .malformed }
    let made = unsafe room.count - Int(stream.pointee.avail_out)
    offset += used
    consumed += used
    produced += made
    if produced > 65_536, produced / ratio > consumed { throw .overRatio }
    isWhole = status == Z_STREAM_END
    // `inflate` has written the first `made` bytes, and nothing changes them within the call.
    if made > 0 { unsafe body(UnsafeBufferPointer(rebasing: room[0..<made]).span) }
    // What fills the room may leave more behind; what took nothing and made nothing waits for input.
    return made == Self.part || (offset < input.count && used + made > 0)
  }
}
