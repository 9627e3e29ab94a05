import CZlib

/// Compresses whole pieces of data (RFC 1950), all at once.
enum Zlib {
  /// The compressed form of some bytes.
  static func compress(_ bytes: [UInt8]) -> [UInt8] {
    let room = Int(compressBound(UInt(bytes.count)))
    return unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      var length = UInt(room)
      // zlib reads the bytes and writes `length` at most, within this call.
      let status = unsafe compress2(
        buffer.baseAddress, &length, bytes, UInt(bytes.count), Z_BEST_COMPRESSION)
      precondition(status == Z_OK, "zlib: compress2 \(status)")
      count = Int(length)
    }
  }

  /// What some bytes are the compressed form of; `nil` when they are none, or one of more than
  /// `limit` bytes.
  static func decompress(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
    var isWhole = false
    let result = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      var length = UInt(limit)
      var consumed = UInt(bytes.count)
      // zlib reads the bytes and writes `length` at most, within this call.
      let status = unsafe uncompress2(buffer.baseAddress, &length, bytes, &consumed)
      isWhole = status == Z_OK && consumed == UInt(bytes.count)
      count = isWhole ? Int(length) : 0
    }
    return isWhole ? result : nil
  }
}
