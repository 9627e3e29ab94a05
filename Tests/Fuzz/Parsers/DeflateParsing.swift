import TriwireCodec

/// Decompresses an input within a limit, and compresses it to get it back.
func inflateFinding(_ input: ArraySlice<UInt8>, _ step: Int) -> String? {
  let input = Array(input)
  let limit = 1 << 17
  // In a small window what is too far back depends on how the output came; in the largest nothing
  // can be.
  for windowBits in Set([15, 8 + step % 8]) {
    let whole = inflated(input, step: max(input.count, 1), windowBits: windowBits, limit)
    let cut = inflated(input, step: step, windowBits: windowBits, limit)
    for bytes in [whole, cut] {
      if let bytes, bytes.count > limit { return "\(bytes.count) bytes came out of \(input)" }
    }
    if windowBits == 15, whole != cut {
      return "whole: \(whole?.count ?? -1) bytes, cut by \(step): \(cut?.count ?? -1)"
    }
  }
  let deflater = Deflater(windowBits: 9 + step % 7, memoryLevel: 1 + step % 9, level: step % 10)
  let inflater = Inflater(windowBits: 15)
  for _ in 0..<2 {
    let compressed = deflater.compress(input.span, keepingContext: true)
    guard decompressed(compressed[...], inflater, isLast: true, limit: .max) == input else {
      return "\(input) does not come back from \(compressed)"
    }
  }
  return nil
}

/// What a compressed message that arrives in steps decompresses to; nil when it does not.
private func inflated(_ input: [UInt8], step: Int, windowBits: Int, _ limit: Int) -> [UInt8]? {
  let inflater = Inflater(windowBits: windowBits)
  var message: [UInt8] = []
  for start in stride(from: 0, to: input.count, by: step) {
    let end = min(start + step, input.count)
    guard
      let part = decompressed(
        input[start..<end], inflater, isLast: end == input.count, limit: limit)
    else { return nil }
    message += part
  }
  return message
}

private func decompressed(
  _ compressed: ArraySlice<UInt8>, _ inflater: Inflater, isLast: Bool, limit: Int
) -> [UInt8]? {
  var message: [UInt8] = []
  do {
    try inflater.decompress(compressed.span, isLast: isLast, limit: limit, ratio: 2000) { part in
      message.append(copying: part)
      return true
    }
  } catch {
    return nil
  }
  return message
}

/// Answers an offer of extensions as a server, and judges it as the answer to a client's.
func extensionsFinding(_ input: ArraySlice<UInt8>) -> String? {
  let text = String(decoding: input, as: UTF8.self)
  var open = DeflateOptions()
  open.peerWindowBits = 15
  open.windowBits = 15
  _ = try? DeflateAgreement.accepted([text], DeflateOptions())
  guard let (agreement, header) = DeflateAgreement.answer([text], DeflateOptions()) else {
    return nil
  }
  // What a server answers is what a client that offers everything accepts.
  guard (try? DeflateAgreement.accepted([header], open)) != nil else {
    return "\(text) was answered with \(header): \(agreement)"
  }
  return nil
}
