import TriwireCodec

/// The bytes that a writer makes.
func written<Failure: Error>(
  capacity: Int = 4096, _ write: (inout OutputSpan<UInt8>) throws(Failure) -> Void
) throws(Failure) -> [UInt8] {
  try [UInt8](capacity: capacity) { (output: inout OutputSpan<UInt8>) throws(Failure) in
    try write(&output)
  }
}

/// The text of bytes, for messages of tests.
func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
