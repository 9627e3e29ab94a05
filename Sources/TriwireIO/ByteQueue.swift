import Glibc

/// Bytes that wait: appended at the end, taken from the front, and no memory while empty.
@safe struct ByteQueue: ~Copyable {
  // The block is owned by this value alone: allocated in `reserve`, freed in `clear` and `deinit`.
  // Bytes `head ..< tail` of it are initialised.
  private var base: UnsafeMutablePointer<UInt8>? = nil
  private var capacity = 0
  private var head = 0
  private var tail = 0

  init() {}
  deinit { unsafe free(base) }

  var count: Int { tail - head }
  var isEmpty: Bool { head == tail }

  /// Where the waiting bytes are; valid until the next change.
  var bytes: UnsafeBufferPointer<UInt8> {
    guard let base = unsafe base else { return unsafe UnsafeBufferPointer(start: nil, count: 0) }
    return unsafe UnsafeBufferPointer(start: base + head, count: count)
  }

  /// Room for `size` more bytes behind the waiting ones; `commit` says how many were used.
  mutating func reserve(_ size: Int) -> UnsafeMutableBufferPointer<UInt8> {
    if capacity - tail < size { makeRoom(for: size) }
    guard let base = unsafe base else {
      return unsafe UnsafeMutableBufferPointer(start: nil, count: 0)
    }
    return unsafe UnsafeMutableBufferPointer(start: base + tail, count: size)
  }

  mutating func commit(_ size: Int) { tail += size }

  mutating func append(_ source: UnsafeBufferPointer<UInt8>) {
    guard let from = source.baseAddress, source.count > 0 else { return }
    let room = unsafe reserve(source.count)
    if let to = room.baseAddress { unsafe memcpy(to, from, source.count) }
    tail += source.count
  }

  mutating func removeFirst(_ size: Int) {
    head += size
    if head == tail { clear() }
  }

  mutating func clear() {
    unsafe free(base)
    unsafe base = nil
    capacity = 0
    head = 0
    tail = 0
  }

  private mutating func makeRoom(for size: Int) {
    let used = count
    if let base = unsafe base, head > 0, capacity - used >= size, head >= capacity / 2 {
      unsafe memmove(base, base + head, used)
    } else {
      let needed = max(used + size, used > 0 ? capacity * 2 : 0)
      guard let fresh = unsafe malloc(needed)?.assumingMemoryBound(to: UInt8.self) else {
        fatalError("out of memory: \(needed) bytes for a stream's queue")
      }
      if let base = unsafe base { unsafe memcpy(fresh, base + head, used) }
      unsafe free(base)
      unsafe base = unsafe fresh
      capacity = needed
    }
    head = 0
    tail = used
  }
}
