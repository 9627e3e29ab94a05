/// Bulk writes into an output span.
///
/// Appending byte by byte costs a bounds check and a count update per byte; these copy a run of
/// bytes at once. This file and `ByteLoads.swift` hold all the unsafe code of the HTTP, event
/// stream and batch codecs.
extension OutputSpan where Element == UInt8 {
  /// Appends a run of bytes.
  ///
  /// The caller has made sure that they fit: it traps otherwise.
  package mutating func append(copying bytes: Span<UInt8>) {
    let length = bytes.count
    precondition(length <= freeCapacity, "output span is too short")
    unsafe withUnsafeMutableBufferPointer { buffer, count in
      unsafe bytes.withUnsafeBufferPointer { source in
        guard let from = source.baseAddress, let to = buffer.baseAddress else { return }
        // `length` bytes are free behind `count` (checked above), and a span that is written and
        // a span that is read cannot overlap.
        unsafe (to + count).initialize(from: from, count: length)
        count += length
      }
    }
  }

  /// Appends the bytes of a literal.
  ///
  /// The caller has made sure that they fit: it traps otherwise.
  package mutating func append(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    precondition(length <= freeCapacity, "output span is too short")
    unsafe withUnsafeMutableBufferPointer { buffer, count in
      guard let to = buffer.baseAddress else { return }
      // As above; a literal of several characters has a start and lives for ever.
      unsafe (to + count).initialize(from: text.utf8Start, count: length)
      count += length
    }
  }

  /// Appends the lowest `length` bytes of a word, the lowest first; at most 8.
  ///
  /// The caller has made sure that they fit: it traps otherwise.
  mutating func append(low length: Int, of word: UInt64) {
    precondition(length <= freeCapacity && length <= 8, "output span is too short")
    guard freeCapacity >= 8 else {
      for place in 0..<length { append(UInt8(truncatingIfNeeded: word >> UInt64(place &* 8))) }
      return
    }
    unsafe withUnsafeMutableBufferPointer { buffer, count in
      guard let to = buffer.baseAddress else { return }
      // Eight bytes are free behind `count`; those past `length` stay free.
      unsafe UnsafeMutableRawPointer(to + count)
        .storeBytes(of: word.littleEndian, as: UInt64.self)
      count += length
    }
  }
}

extension Array where Element == UInt8 {
  /// A copy of a run of bytes, in one allocation.
  package init(copying bytes: Span<UInt8>) {
    // Copied before the call returns; `Array(capacity:)` costs twice as much (54 ns for 25).
    self = unsafe bytes.withUnsafeBufferPointer { unsafe [UInt8]($0) }
  }

  /// Appends a run of bytes.
  package mutating func append(copying bytes: Span<UInt8>) {
    // Copied before the call returns.
    unsafe bytes.withUnsafeBufferPointer { unsafe self.append(contentsOf: $0) }
  }
}
