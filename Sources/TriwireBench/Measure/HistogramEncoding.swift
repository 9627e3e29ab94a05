import FoundationEssentials

// The form that HdrHistogram's own tools read: V2, compressed, in base64.
extension Histogram {
  /// The histogram in HdrHistogram's compressed form (V2), in base64.
  ///
  /// Values are nanoseconds, with 3 significant digits and a range of 1 to ``highest``. What is
  /// longer stands in the last bucket. The form holds the buckets alone: extremes and sum have to
  /// be kept beside it where they are to be exact.
  public var hdrEncoded: String {
    let payload = HDRForm.payload(of: counts)
    var form: [UInt8] = []
    form.append(bigEndian: HDRForm.cookie)
    form.append(bigEndian: UInt32(payload.count))
    form.append(bigEndian: UInt32(0))  // no shift of indices
    form.append(bigEndian: HDRForm.digits)
    form.append(bigEndian: UInt64(1))
    form.append(bigEndian: Histogram.highest)
    form.append(bigEndian: (1.0).bitPattern)
    let compressed = Zlib.compress(form + payload)
    var outer: [UInt8] = []
    outer.append(bigEndian: HDRForm.compressedCookie)
    outer.append(bigEndian: UInt32(compressed.count))
    return Data(outer + compressed).base64EncodedString()
  }

  /// Reads HdrHistogram's compressed form (V2) of nanoseconds with 3 significant digits.
  ///
  /// The form holds buckets alone, so the extremes are the edges of the first and the last one, the
  /// sum is that of the centres, and nothing counts as overflow.
  ///
  /// - Throws: ``HistogramFormError`` when the text is no such form, or is one of another layout.
  public init(hdrEncoded text: String) throws(HistogramFormError) {
    guard text.utf8.count <= HDRForm.mostCharacters else {
      throw HistogramFormError(
        "the text has \(grouped(text.utf8.count)) characters, limit is "
          + "\(grouped(HDRForm.mostCharacters)): no histogram up to 60 s is that long")
    }
    guard let data = Data(base64Encoded: text) else {
      throw HistogramFormError("the text is not base64 (RFC 4648 section 4)")
    }
    var outer = HDRReader([UInt8](data))
    try outer.expect(cookie: HDRForm.compressedCookie, "the compressed form, version 2")
    let length = try outer.uint32("length of the compressed bytes")
    guard Int(length) == outer.left else {
      throw HistogramFormError(
        "\(grouped(length)) compressed bytes are announced and \(grouped(outer.left)) are there")
    }
    guard let form = Zlib.decompress(outer.rest, limit: HDRForm.mostBytes) else {
      throw HistogramFormError(
        "the compressed bytes are damaged (RFC 1950), or become more than "
          + "\(grouped(HDRForm.mostBytes)) bytes")
    }
    var inner = HDRReader(form)
    try self.init(bucketCounts: HDRForm.counts(in: &inner))
  }
}

/// Why a text is no histogram that can be read here, as a sentence.
public struct HistogramFormError: Error, Equatable, CustomStringConvertible {
  /// What was found, and what had to be there.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// What the form is made of: a head of 40 bytes, big endian, and counts in ZigZag LEB128.
private enum HDRForm {
  // The 0x10 says that counts have variable length, as all tools write since version 2.
  static let compressedCookie: UInt32 = 0x1C84_9304 | 0x10
  static let cookie: UInt32 = 0x1C84_9303 | 0x10
  static let digits: UInt32 = 3
  /// A head, and nine bytes for each bucket there is.
  static let mostBytes = 40 + 9 * Bucket.limit
  /// The same in base64, should it not compress at all.
  static let mostCharacters = (mostBytes + 1024) * 4 / 3
  /// A count above that is no count of messages.
  static let mostCounted = Int64(1) << 48

  /// The counts up to the last that is not zero; a run of zeros is one negative number.
  static func payload(of counts: [UInt64]) -> [UInt8] {
    let end = max(1, (counts.lastIndex { $0 > 0 } ?? 0) + 1)
    var bytes: [UInt8] = []
    var zeros: Int64 = 0
    func writeZeros() {
      // A single zero stands for itself.
      if zeros > 0 { bytes.append(zigZag: zeros == 1 ? 0 : -zeros) }
      zeros = 0
    }
    for index in 0..<end {
      let count = index < counts.count ? counts[index] : 0
      if count == 0 {
        zeros += 1
      } else {
        writeZeros()
        bytes.append(zigZag: Int64(count))
      }
    }
    writeZeros()
    return bytes
  }

  static func counts(in reader: inout HDRReader) throws(HistogramFormError) -> [UInt64] {
    try reader.expect(cookie: cookie, "version 2")
    let length = try reader.uint32("length of the counts")
    let layout = (
      shift: try reader.uint32("shift"), digits: try reader.uint32("significant digits"),
      lowest: try reader.uint64("lowest value"), highest: try reader.uint64("highest value"),
      ratio: Double(bitPattern: try reader.uint64("ratio"))
    )
    guard layout.shift == 0, layout.digits == digits, layout.lowest == 1, layout.ratio == 1 else {
      throw HistogramFormError(
        "the layout is another one: \(layout.digits) significant digits from \(layout.lowest) on, "
          + "indices shifted by \(layout.shift), ratio \(layout.ratio); known are 3 digits from 1 "
          + "on, no shift and ratio 1")
    }
    guard Int(length) == reader.left else {
      throw HistogramFormError(
        "\(grouped(length)) bytes of counts are announced and \(grouped(reader.left)) are there")
    }
    var counts: [UInt64] = []
    while reader.left > 0 {
      let number = try reader.zigZag()
      guard number <= mostCounted else {
        throw HistogramFormError("a bucket counts \(grouped(number)), limit is 2⁴⁸")
      }
      // Compared before it is negated: the lowest number has no opposite.
      guard number >= -Int64(Bucket.limit),
        counts.count + (number < 0 ? Int(-number) : 1) <= Bucket.limit
      else {
        throw HistogramFormError(
          "there are more than \(grouped(Bucket.limit)) buckets, so values above 60 s")
      }
      if number < 0 {
        counts.append(contentsOf: repeatElement(0, count: Int(-number)))
      } else {
        counts.append(UInt64(number))
      }
    }
    return counts
  }
}

/// Reads numbers from bytes, and says which one is missing.
private struct HDRReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var left: Int { bytes.count - position }
  var rest: [UInt8] { Array(bytes[position...]) }

  mutating func expect(cookie: UInt32, _ what: String) throws(HistogramFormError) {
    let found = try uint32("cookie")
    // The low digit of the second nibble is the width of counts, which version 2 does not use.
    guard found & ~0xF0 == cookie & ~0xF0 else {
      throw HistogramFormError(
        "the cookie is 0x\(String(found, radix: 16)), and 0x\(String(cookie, radix: 16)) "
          + "is that of \(what)")
    }
  }

  mutating func uint32(_ what: String) throws(HistogramFormError) -> UInt32 {
    UInt32(truncatingIfNeeded: try number(of: 4, what))
  }

  mutating func uint64(_ what: String) throws(HistogramFormError) -> UInt64 {
    try number(of: 8, what)
  }

  private mutating func number(of size: Int, _ what: String) throws(HistogramFormError) -> UInt64 {
    guard left >= size else {
      throw HistogramFormError("the form ends before its \(what), at byte \(grouped(bytes.count))")
    }
    defer { position += size }
    return bytes[position..<position + size].reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A number of one to nine bytes, the ninth of which has eight bits.
  mutating func zigZag() throws(HistogramFormError) -> Int64 {
    var raw: UInt64 = 0
    for place in 0..<9 {
      guard left > 0 else {
        throw HistogramFormError("the form ends within a count, at byte \(grouped(bytes.count))")
      }
      let byte = UInt64(bytes[position])
      position += 1
      guard place < 8 else {
        raw |= byte << 56
        break
      }
      raw |= (byte & 0x7F) << UInt64(7 * place)
      if byte & 0x80 == 0 { break }
    }
    return Int64(bitPattern: raw >> 1) ^ -Int64(raw & 1)
  }
}

extension [UInt8] {
  fileprivate mutating func append<Number: FixedWidthInteger>(bigEndian number: Number) {
    for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: number >> Number(shift)))
    }
  }

  fileprivate mutating func append(zigZag number: Int64) {
    var raw = UInt64(bitPattern: number << 1 ^ number >> 63)
    for _ in 0..<8 {
      guard raw > 0x7F else { return append(UInt8(raw)) }
      append(UInt8(raw & 0x7F) | 0x80)
      raw >>= 7
    }
    append(UInt8(raw))
  }
}
