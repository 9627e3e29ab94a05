import Glibc

/// Bytes that wait: appended at the end, taken from the front, and no memory while empty.
///
/// One pointer, since every connection has two of these and hardly any uses them.
@safe struct ByteQueue: ~Copyable {
  /// What stands in front of the bytes in the block.
  private struct Head {
    var capacity: Int
    /// Bytes `start ..< end` of the block are initialised and wait.
    var start: Int
    var end: Int
  }

  // The block is owned by this value alone: allocated in `makeRoom`, freed in `clear` and `deinit`.
  // It holds a `Head` and `capacity` bytes behind it.
  private var block: UnsafeMutablePointer<Head>? = nil

  init() {}
  deinit { unsafe free(block) }

  var count: Int {
    guard let block = unsafe block else { return 0 }
    return unsafe block.pointee.end - block.pointee.start
  }

  var isEmpty: Bool { count == 0 }

  /// Where the waiting bytes are; valid until the next change.
  var bytes: UnsafeBufferPointer<UInt8> {
    guard let block = unsafe block else { return unsafe UnsafeBufferPointer(start: nil, count: 0) }
    return unsafe UnsafeBufferPointer(start: Self.base(block) + block.pointee.start, count: count)
  }

  private static func base(_ block: UnsafeMutablePointer<Head>) -> UnsafeMutablePointer<UInt8> {
    unsafe UnsafeMutableRawPointer(block + 1).assumingMemoryBound(to: UInt8.self)
  }

  /// Room for `size` more bytes behind the waiting ones; `commit` says how many were used.
  mutating func reserve(_ size: Int) -> UnsafeMutableBufferPointer<UInt8> {
    let block = unsafe makeRoom(for: size)
    return unsafe UnsafeMutableBufferPointer(
      start: Self.base(block) + block.pointee.end, count: size)
  }

  mutating func commit(_ size: Int) { unsafe block?.pointee.end += size }

  mutating func append(_ source: UnsafeBufferPointer<UInt8>) {
    guard let from = source.baseAddress, source.count > 0 else { return }
    let room = unsafe reserve(source.count)
    if let to = room.baseAddress { unsafe memcpy(to, from, source.count) }
    commit(source.count)
  }

  mutating func removeFirst(_ size: Int) {
    unsafe block?.pointee.start += size
    if isEmpty { clear() }
  }

  mutating func clear() {
    unsafe free(block)
    unsafe block = nil
  }

  private mutating func makeRoom(for size: Int) -> UnsafeMutablePointer<Head> {
    let used = count
    if let block = unsafe block {
      if unsafe block.pointee.capacity - block.pointee.end >= size { return unsafe block }
      if unsafe block.pointee.capacity - used >= size,
        unsafe block.pointee.start >= block.pointee.capacity / 2
      {
        unsafe memmove(Self.base(block), Self.base(block) + block.pointee.start, used)
        unsafe block.pointee.start = 0
        unsafe block.pointee.end = used
        return unsafe block
      }
    }
    let capacity = unsafe max(used + size, used > 0 ? 2 * (block?.pointee.capacity ?? 0) : 0)
    guard let raw = unsafe malloc(MemoryLayout<Head>.size + capacity) else {
      fatalError("out of memory: \(capacity) bytes for a stream's queue")
    }
    let fresh = unsafe raw.bindMemory(to: Head.self, capacity: 1)
    unsafe fresh.initialize(to: Head(capacity: capacity, start: 0, end: used))
    if let block = unsafe block {
      unsafe memcpy(Self.base(fresh), Self.base(block) + block.pointee.start, used)
    }
    unsafe free(block)
    unsafe block = unsafe fresh
    return unsafe fresh
  }
}
