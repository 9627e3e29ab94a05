import CZlib

/// Compresses a body piece by piece (RFC 1952); a receiver can read each piece as soon as it is there.
@safe package final class GzipWriter {
  // zlib keeps pointers into its state, so it lives at one address from `init` to `deinit`.
  private let stream: UnsafeMutablePointer<z_stream>
  private let level: Int32

  /// What a piece may have in common with others.
  package enum Relation: Sendable {
    /// It may refer to earlier ones, and later ones to it.
    case free
    /// Neither.
    case alone
    /// Neither, and it is not compressed either.
    case stored
  }

  /// Makes a compressor; the options have to be within their bounds.
  package init(_ options: GzipOptions) {
    level = Int32(options.level)
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 16 more than the window asks for the format gzip instead of zlib's own.
    let status = unsafe deflateInit2_(
      stream, level, Z_DEFLATED, Int32(options.windowBits + 16), Int32(options.memoryLevel),
      Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(
      status == Z_OK,
      "zlib refuses window \(options.windowBits), memory level \(options.memoryLevel)")
  }

  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// The compressed form of a piece that is not empty; the first has the head of the format before it.
  package func write(_ piece: Span<UInt8>, _ relation: Relation = .free) -> [UInt8] {
    let nothing: [UInt8] = []
    switch relation {
    case .free: return run(piece, Z_SYNC_FLUSH)
    case .alone: return run(nothing.span, Z_FULL_FLUSH) + run(piece, Z_FULL_FLUSH)
    case .stored:
      return run(nothing.span, Z_FULL_FLUSH) + set(level: 0) + run(piece, Z_FULL_FLUSH)
        + set(level: level)
    }
  }

  /// The compressed form of the last piece, which may be empty, and the tail of the format.
  ///
  /// What is written after it begins another body.
  package func finish(_ piece: Span<UInt8>) -> [UInt8] {
    defer { unsafe deflateReset(stream) }
    return run(piece, Z_FINISH)
  }

  private func run(_ piece: Span<UInt8>, _ flag: Int32) -> [UInt8] {
    let bound = unsafe Int(deflateBound(stream, UInt(piece.count)))
    return unsafe piece.withUnsafeBufferPointer { source in
      // zlib reads from here until `avail_in` is 0, within this call.
      unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: source.baseAddress)
      unsafe stream.pointee.avail_in = UInt32(source.count)
      // What a flush adds to the bound: a stored block's head, and its marker.
      var output = output(room: bound + 32) { unsafe deflate(stream, flag) }
      // The bound is one; should zlib need more, it says so by using up all its room.
      while unsafe stream.pointee.avail_out == 0 {
        output += self.output(room: 1024) { unsafe deflate(stream, flag) }
      }
      return output
    }
  }

  /// Changes how hard zlib tries, between two pieces.
  private func set(level: Int32) -> [UInt8] {
    unsafe stream.pointee.avail_in = 0
    return output(room: 64) { unsafe deflateParams(stream, level, Z_DEFAULT_STRATEGY) }
  }

  private func output(room: Int, _ work: () -> Int32) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      // zlib writes `room` bytes at most, within this call.
      unsafe stream.pointee.next_out = buffer.baseAddress
      unsafe stream.pointee.avail_out = UInt32(room)
      let status = work()
      precondition([Z_OK, Z_STREAM_END, Z_BUF_ERROR].contains(status), "zlib: deflate \(status)")
      count = unsafe room - Int(stream.pointee.avail_out)
    }
  }
}
