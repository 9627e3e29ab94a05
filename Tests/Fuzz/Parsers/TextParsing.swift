import TriwireCodec

/// Checks an input as the UTF-8 of a text, whole and in steps short and long.
func textFinding(_ input: ArraySlice<UInt8>, _ step: Int) -> String? {
  let bytes = Array(input)
  let whole = verdict(bytes, step: max(bytes.count, 1))
  for step in [step, 15 + step * 7] {
    let cut = verdict(bytes, step: step)
    if cut != whole { return "\(bytes), whole: \(whole), cut by \(step): \(cut)" }
  }
  let isText = String(validating: bytes, as: UTF8.self) != nil
  return (whole == "is a text") == isText ? nil : "\(bytes) \(whole), a text: \(isText)"
}

private func verdict(_ bytes: [UInt8], step: Int) -> String {
  var validator = UTF8Validator()
  for start in stride(from: 0, to: bytes.count, by: step) {
    // In memory of its own, so that the address sanitizer sees what is read around it.
    let piece = Array(bytes[start..<min(start + step, bytes.count)])
    if let fault = validator.firstFault(in: piece.span) {
      return "\(UTF8Fault.badByte(start + fault))"
    }
  }
  return validator.isComplete ? "is a text" : "\(UTF8Fault.cutOff)"
}
