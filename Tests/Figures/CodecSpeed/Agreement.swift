import TriwireCodec

// Whether the check of UTF-8 says of every sequence of up to three bytes what the standard library
// says, in each lane of a vector and in short texts. The test suite holds a sample of it to that.

/// Where the standard library finds the first byte that cannot be part of UTF-8, if it does, and
/// whether the text is whole.
func expected(_ bytes: Span<UInt8>) -> (fault: Int?, isWhole: Bool) {
  do throws(UTF8.ValidationError) {
    _ = try UTF8Span(validating: bytes)
    return (nil, true)
  } catch {
    let (start, end) = (error.byteOffsets.lowerBound, error.byteOffsets.upperBound)
    // It names what there is of a character that ends too soon, or a byte that begins what is out
    // of range, of which some are so only with the byte behind them.
    if error.kind == .truncatedScalar { return (end < bytes.count ? end : nil, false) }
    return ((0xC2...0xF4).contains(bytes[start]) ? start + 1 : start, false)
  }
}

/// Prints of how many sequences the verdict was compared; false when one differed.
func checkAgreement() -> Bool {
  var compared = 0
  // Alone; behind each number of bytes that a vector can hold, with more behind it; at the end.
  let places = [(0, 0)] + (16..<32).map { ($0, 40) } + [(29, 0), (30, 0), (77, 99)]
  for (before, after) in places {
    for length in 1...3 {
      var bytes = [UInt8](repeating: 0x61, count: before + length + after)
      for number in 0..<(1 << (8 * length)) {
        for index in 0..<length {
          bytes[before + index] = UInt8(truncatingIfNeeded: number >> (8 * index))
        }
        let text = bytes.span
        var validator = UTF8Validator()
        let fault = validator.firstFault(in: text)
        compared += 1
        let isWhole = fault == nil && validator.isComplete
        guard (fault, isWhole) == expected(text) else {
          let place = fault.map { "\($0)" } ?? "no byte"
          print("\(bytes): the fault is said to be at \(place), whole: \(isWhole)")
          return false
        }
      }
    }
  }
  print("\(compared) sequences of 1, 2 and 3 bytes at \(places.count) places: no disagreement")
  return true
}
