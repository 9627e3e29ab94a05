/// The framing of a chunked body (RFC 9112 §7.1).
///
/// A chunk is `writeHead`, its bytes, `writeTail`; the body ends with `writeLast`. As a chunk is
/// the same on every connection, a broadcast is framed once.
package enum HTTPChunk {
  /// The bytes of framing around a chunk, at most.
  package static let overhead = 20

  /// The bytes of framing around a chunk of `count` bytes, exactly.
  package static func overhead(_ count: Int) -> Int {
    (Int.bitWidth - max(count, 1).leadingZeroBitCount + 3) / 4 + 4
  }

  /// Writes what precedes a chunk of `count` bytes: at most 18 bytes.
  ///
  /// `count` is not 0, as an empty chunk is the end of the body.
  package static func writeHead(_ count: Int, into output: inout OutputSpan<UInt8>) {
    precondition(count > 0, "an empty chunk would end the body")
    output.append(hex: UInt64(count))
    output.append("\r\n")
  }

  /// Writes what follows the bytes of a chunk: 2 bytes.
  package static func writeTail(into output: inout OutputSpan<UInt8>) {
    output.append("\r\n")
  }

  /// Writes a whole chunk, or nothing if it is empty.
  package static func write(_ bytes: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
    if bytes.isEmpty { return }
    writeHead(bytes.count, into: &output)
    output.append(copying: bytes)
    writeTail(into: &output)
  }

  /// The bytes that `writeLast` needs.
  package static func lastCapacity(trailers: Headers = [:]) -> Int { 5 + trailers.block.count }

  /// Writes the end of the body, with trailers if there are any: 5 bytes and their lines.
  ///
  /// - Throws: `HTTPHeadError.field` if a trailer cannot be written, the caller's mistake.
  package static func writeLast(
    trailers: Headers = [:], into output: inout OutputSpan<UInt8>
  ) throws(HTTPHeadError) {
    guard trailers.isWritable else { throw .field(name: trailers.firstUnwritableName) }
    output.append("0\r\n")
    trailers.writeFields(into: &output)
    output.append("\r\n")
  }
}
