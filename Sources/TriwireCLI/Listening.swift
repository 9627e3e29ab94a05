import Glibc
import Triwire

/// Begins to listen, and says what to do where somebody else does already.
///
/// - Returns: What `start` returns.
func listening<T>(_ start: () async throws -> T) async throws -> T {
  do {
    return try await start()
  } catch let error as IOError where error.code == EADDRINUSE {
    throw AddressInUse(description: "\(error); write another port, or port 0 for any free one")
  }
}

/// Why a server could not listen, and what to write instead.
private struct AddressInUse: Error, CustomStringConvertible {
  let description: String
}
