import Glibc
import TriwireCodec
import TriwireIO

// The rest of a long frame is received where its message is put together, unmasked and checked there.
extension WebSocketTransport {
  /// The most that room is made for on a peer's word alone.
  private static var reservedBytes: Int { 1024 * 1024 }
  /// The most that is received at once.
  ///
  /// Each receive has its price: at a quarter of it an echo of 1 MiB takes a tenth more CPU, although
  /// that is unmasked in a nearer cache.
  private static var fillBytes: Int { reservedBytes }

  /// The present frame goes on beyond what has arrived.
  func beginFilling() {
    let needed = assembly.count + min(codec.remaining, Self.reservedBytes)
    // A message of many frames grows twofold, so that it is not copied for each of them.
    if needed > assembly.capacity { assembly.reserveCapacity(max(needed, 2 * assembly.count)) }
    stream.receivesInPlace = true
  }

  func fill(from stream: ByteStream) -> Int {
    guard takesInput, codec.remaining > 0 else {
      stream.receivesInPlace = false
      return -Int(EAGAIN)
    }
    let start = assembly.count
    var count = 0
    assembly.append(addingCapacity: min(codec.remaining, Self.fillBytes)) {
      count = stream.receive(into: &$0)
    }
    guard count > 0 else { return count }
    awaitsPong = false
    received.payload &+= UInt64(count)
    do throws(WebSocketViolation) {
      guard case .fragment(let kind, _, let isLast)? = try judge(from: start) else { return count }
      if codec.remaining == 0 { stream.receivesInPlace = false }
      if isLast { deliverAssembly(kind) }
    } catch {
      stream.receivesInPlace = false
      violated(error)
    }
    return count
  }

  private func judge(from start: Int) throws(WebSocketViolation) -> WebSocketEvent? {
    var offset = start
    var bytes: [UInt8] = []
    swap(&bytes, &assembly)
    defer { swap(&bytes, &assembly) }
    var span = bytes.mutableSpan
    return try codec.nextEvent(in: &span, at: &offset)
  }
}
