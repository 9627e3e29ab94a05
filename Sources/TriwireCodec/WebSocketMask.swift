/// The masking of client frames (RFC 6455 §5.3).
package struct WebSocketMask: Equatable, Sendable {
  /// The four key bytes as they stand on the wire, first byte lowest, turned so that the lowest
  /// applies to the next payload byte.
  private var key: UInt32

  /// A mask from the key bytes in wire order, first byte in the lowest eight bits.
  package init(littleEndian key: UInt32) { self.key = key }

  /// The key in wire order, first byte lowest.
  package var littleEndian: UInt32 { key }

  /// Applies the mask to bytes in place, and turns it for those that follow.
  package mutating func apply(to bytes: UnsafeMutableRawBufferPointer) {
    guard var next = bytes.baseAddress else { return }
    var left = bytes.count
    let wide = SIMD16<UInt32>(repeating: key)
    // All loads and stores stay within `left` bytes of `next`, which the caller owns.
    while left >= 64 {
      let block = unsafe next.loadUnaligned(as: SIMD16<UInt32>.self)
      unsafe next.storeBytes(of: block ^ wide, as: SIMD16<UInt32>.self)
      unsafe next += 64
      left -= 64
    }
    let pair = UInt64(key) << 32 | UInt64(key)
    while left >= 8 {
      let block = unsafe next.loadUnaligned(as: UInt64.self)
      unsafe next.storeBytes(of: block ^ pair, as: UInt64.self)
      unsafe next += 8
      left -= 8
    }
    for index in 0..<left {
      let byte = unsafe next.load(fromByteOffset: index, as: UInt8.self)
      let mask = UInt8(truncatingIfNeeded: key >> UInt32(8 * (index & 3)))
      unsafe next.storeBytes(of: byte ^ mask, toByteOffset: index, as: UInt8.self)
    }
    let turn = UInt32(8 * (left & 3))
    if turn > 0 { key = key >> turn | key << (32 - turn) }
  }
}
