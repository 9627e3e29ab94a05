import TriwireCodec
import TriwireIO

/// Masking keys that a peer cannot predict (RFC 6455 §5.3), drawn from OpenSSL in batches.
final class MaskSource {
  private var pool: [UInt8] = []
  private var used = 0

  /// The next key.
  func next() -> WebSocketMask {
    if used == pool.count {
      pool = Digest.random(256)
      used = 0
    }
    var key: UInt32 = 0
    for index in 0..<4 { key |= UInt32(pool[used + index]) << UInt32(8 * index) }
    used += 4
    return WebSocketMask(littleEndian: key)
  }
}
