import CLinux
import Glibc

/// A certificate and its key, made on the spot: an EC P-256 key and PEM texts.
///
/// For trying things out, tests and measuring; it is trusted by whoever is told to trust it.
public struct TLSIdentity: Sendable {
  /// The certificate, in PEM.
  public let certificate: String
  /// Its key, in PEM.
  public let key: String

  /// Makes a certificate that signs itself, for some hosts and a year.
  ///
  /// - Parameter hosts: Names and numeric addresses; this host's own by default.
  /// - Returns: The certificate and its key.
  /// - Throws: `IOError` when a host is neither a name nor an address.
  public static func selfSigned(
    hosts: [String] = ["localhost", "127.0.0.1", "::1"]
  ) throws(IOError) -> TLSIdentity {
    try TLSIdentity(named: hosts.first ?? "localhost", hosts: hosts)
  }

  /// Makes a certificate.
  ///
  /// - Parameters:
  ///   - name: The common name of its subject.
  ///   - hosts: Names and numeric addresses it is for.
  ///   - seconds: When it is valid, from now.
  ///   - isAuthority: Whether it signs other certificates.
  ///   - issuer: Who signs it; itself when nil.
  /// - Throws: `IOError` when a host is neither a name nor an address.
  package init(
    named name: String, hosts: [String] = [], seconds: Range<Int> = -3600..<31_536_000,
    isAuthority: Bool = false, issuer: TLSIdentity? = nil
  ) throws(IOError) {
    let names = hosts.map { host in
      SocketAddress(host: host, port: 0) == nil ? "DNS:\(host)" : "IP:\(host)"
    }.joined(separator: ",")
    var pair: (UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<CChar>?) = (nil, nil)
    // The strings are there as long as the calls that they are lent to.
    let status = unsafe name.withCString { name in
      unsafe Self.withText(names.isEmpty ? nil : names) { names in
        unsafe Self.withText(issuer?.certificate) { certificate in
          unsafe Self.withText(issuer?.key) { key in
            var request = unsafe tw_certificate_request(
              common_name: name, names: names, from: seconds.lowerBound,
              until: seconds.upperBound, is_authority: isAuthority ? 1 : 0,
              issuer_certificate: certificate, issuer_key: key)
            return unsafe tw_certificate_make(&request, &pair.0, &pair.1)
          }
        }
      }
    }
    guard status == 1, let first = unsafe pair.0, let second = unsafe pair.1 else {
      throw IOError("make a certificate", reason: "one of \(hosts) is no name and no address")
    }
    certificate = unsafe String(cString: first)
    key = unsafe String(cString: second)
    unsafe free(first)
    unsafe free(second)
  }

  private static func withText(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Int32
  ) -> Int32 {
    guard let text else { return body(nil) }
    return unsafe text.withCString { unsafe body($0) }
  }

  /// The SHA-256 of the certificate, as pairs of hexadecimal digits with colons between them.
  public var fingerprint: String {
    var digest = [UInt8](repeating: 0, count: 32)
    let bytes = Array(certificate.utf8)
    guard unsafe tw_certificate_fingerprint(bytes, bytes.count, &digest) == 1 else { return "" }
    return digest.map { byte in
      let text = String(byte, radix: 16, uppercase: true)
      return text.count == 1 ? "0" + text : text
    }.joined(separator: ":")
  }
}
