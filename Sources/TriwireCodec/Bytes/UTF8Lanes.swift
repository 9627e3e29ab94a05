/// Sixteen bytes of text, each judged beside the three before it (RFC 3629 §4).
///
/// These three say whether a byte has to continue a character, so no branch depends on what the
/// text holds. There are comparisons and no table look-ups, so the same code is fast wherever there
/// are vectors of 16 bytes; SSE2 is enough on x86-64.
///
/// Of what vectors can do, the standard library makes single instructions of additions, of
/// comparisons with a vector and of logic between masks. All else is a loop over the lanes, which
/// the optimizer sometimes cannot turn back: it once made this check a hundred times slower.
struct UTF8Lanes {
  /// Which of the sixteen bytes something is true of.
  typealias Mask = SIMDMask<SIMD16<Int8>>
  private typealias Lanes = SIMD16<UInt8>

  private let byte: Lanes
  private let first: Lanes
  private let second: Lanes
  private let third: Lanes

  /// The sixteen bytes at `index`, which is at least 3 and at least 16 before the end.
  @inline(__always)
  init(_ raw: RawSpan, at index: Int) {
    byte = Self.load(raw, index)
    first = Self.load(raw, index &- 1)
    second = Self.load(raw, index &- 2)
    third = Self.load(raw, index &- 3)
  }

  /// Sixteen bytes, the first lowest, behind three others, the last of them highest.
  @inline(__always)
  init(_ bytes: UInt128, behind before: UInt32) {
    byte = Self.lanes(bytes)
    first = Self.lanes(bytes << 8 | UInt128(before >> 16))
    second = Self.lanes(bytes << 16 | UInt128(before >> 8))
    third = Self.lanes(bytes << 24 | UInt128(before))
  }

  /// The bytes that cannot follow those before them.
  ///
  /// The first of them is the first that cannot be part of UTF-8. What is said of those behind it
  /// means nothing. An end that cuts a character off is no fault.
  @inline(__always)
  var faults: Mask {
    // A byte continues a character exactly when the one before it begins one of at least two
    // bytes, or the second before it one of at least three, or the third one of four.
    let isOwed = first.isAtLeast(0xC0) .| second.isAtLeast(0xE0) .| third.isAtLeast(0xF0)
    let continues = byte.isAsSigned(below: 0xC0)
    // C0 and C1 would begin overlong forms of two bytes, F5 and above what no character has.
    let beginsNothing = byte.equals(0xC0) .| byte.equals(0xC1) .| byte.isAtLeast(0xF5)
    // Of three bytes, what is below E0 A0 is overlong, and from ED A0 on are the surrogates; of
    // four, what is below F0 90 is overlong, and from F4 90 on it is above U+10FFFF.
    let isBelowA0 = byte.isAsSigned(below: 0xA0)
    let isBelow90 = byte.isAsSigned(below: 0x90)
    let isOutOfRange =
      (first.equals(0xE0) .& isBelowA0) .| (first.equals(0xED) .& .!isBelowA0)
      .| (first.equals(0xF0) .& isBelow90) .| (first.equals(0xF4) .& .!isBelow90)
    return (isOwed .^ continues) .| beginsNothing .| isOutOfRange
  }

  /// How many bytes are ASCII before something else comes, counted by sixteens; all if all are.
  static func leadingASCII(_ bytes: Span<UInt8>) -> Int {
    let raw = unsafe bytes.bytes
    var index = 0
    while index &+ 64 <= bytes.count, are64ASCII(raw, at: index) { index &+= 64 }
    while index &+ 16 <= bytes.count, are16ASCII(raw, at: index) { index &+= 16 }
    if index &+ 16 <= bytes.count { return index }
    let rest = bytes.packed(index..<bytes.count)
    return rest & 0x8080_8080_8080_8080_8080_8080_8080_8080 == 0 ? bytes.count : index
  }

  /// Whether the 64 bytes at `index`, which is at least 64 before the end, are ASCII.
  @inline(__always)
  static func are64ASCII(_ raw: RawSpan, at index: Int) -> Bool {
    !isAny(
      isNotASCII(raw, index) .| isNotASCII(raw, index &+ 16) .| isNotASCII(raw, index &+ 32)
        .| isNotASCII(raw, index &+ 48))
  }

  /// Whether the 16 bytes at `index`, which is at least 16 before the end, are ASCII.
  @inline(__always)
  static func are16ASCII(_ raw: RawSpan, at index: Int) -> Bool { !isAny(isNotASCII(raw, index)) }

  /// Whether a mask has anything in it.
  @inline(__always)
  static func isAny(_ mask: Mask) -> Bool { word(mask) != 0 }

  /// The lowest place in a mask; 16 when there is nothing in it.
  static func firstPlace(_ mask: Mask) -> Int { word(mask).trailingZeroBitCount >> 3 }

  @inline(__always)
  private static func isNotASCII(_ raw: RawSpan, _ index: Int) -> Mask {
    load(raw, index).isAsSigned(below: 0)
  }

  @inline(__always)
  private static func load(_ raw: RawSpan, _ index: Int) -> Lanes {
    // Any bits are lanes. Those who call keep to what is said above; to check each load in release
    // too would take a third off the speed.
    assert(index >= 0 && index <= raw.byteCount &- 16)
    return unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: Lanes.self)
  }

  @inline(__always)
  private static func lanes(_ bytes: UInt128) -> Lanes {
    // The same bits, the lowest byte in the first lane.
    unsafe unsafeBitCast(bytes.littleEndian, to: Lanes.self)
  }

  @inline(__always)
  private static func word(_ mask: Mask) -> UInt128 {
    // A mask is a vector of 0 and -1; its own `any` is a loop.
    UInt128(littleEndian: unsafe unsafeBitCast(mask, to: UInt128.self))
  }
}

extension SIMD16<UInt8> {
  @inline(__always)
  fileprivate func equals(_ byte: UInt8) -> UTF8Lanes.Mask { self .== Self(repeating: byte) }

  @inline(__always)
  fileprivate func isAtLeast(_ byte: UInt8) -> UTF8Lanes.Mask { self .>= Self(repeating: byte) }

  /// Compares as signed numbers, which takes one instruction: 80 is the lowest, and 7F the highest.
  @inline(__always)
  fileprivate func isAsSigned(below byte: UInt8) -> UTF8Lanes.Mask {
    SIMD16<Int8>(truncatingIfNeeded: self) .< SIMD16<Int8>(repeating: Int8(bitPattern: byte))
  }
}
