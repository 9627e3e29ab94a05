import COpenSSL

/// What OpenSSL computes for the protocols: digests and random bytes.
package enum Digest {
  /// The SHA-1 of `bytes` (20 bytes).
  ///
  /// Only for protocols that prescribe it (RFC 6455 §4.2.2).
  package static func sha1(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 20)
    var length: UInt32 = 0
    let status = unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha1(), nil)
    precondition(status == 1 && length == 20, "OpenSSL offers no SHA-1")
    return digest
  }

  /// The SHA-256 of `bytes` (32 bytes).
  package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let status = unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
    precondition(status == 1 && length == 32, "OpenSSL offers no SHA-256")
    return digest
  }

  /// Bytes that nobody can predict.
  package static func random(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    unsafe precondition(
      RAND_bytes(&bytes, Int32(count)) == 1, "OpenSSL has no random bytes to give")
    return bytes
  }
}
